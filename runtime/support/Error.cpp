// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/Error.h"

using namespace lori;

// Control characters of hostile file names must not break the one-line rule.
static std::string oneLine(std::string_view text) {
  std::string line(text);
  for (char &c : line)
    if (static_cast<unsigned char>(c) < 0x20)
      c = ' ';
  return line;
}

Error::Error(std::string_view file, std::string_view message)
    : std::runtime_error(oneLine(file) + ": " + oneLine(message)) {}
