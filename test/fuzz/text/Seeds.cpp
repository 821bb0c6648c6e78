// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the inputs that the fuzzers start from, one folder a fuzzer:
//   TextFuzzSeeds FOLDER

#include "test/unit/text/TextInputs.h"

#include <cstdio>
#include <filesystem>
#include <fstream>

using namespace lori::test;

int main(int count, char **arguments) {
  if (count != 2) {
    std::fputs("usage: TextFuzzSeeds FOLDER\n", stderr);
    return 2;
  }
  int number = 0;
  for (const auto &[fuzzer, bytes] : textInputs()) {
    auto folder = std::filesystem::path(arguments[1]) / fuzzer;
    std::filesystem::create_directories(folder);
    std::ofstream(folder / std::to_string(number++), std::ios::binary) << bytes;
  }
}
