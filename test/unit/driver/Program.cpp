// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stands for the program that models are linked with: uses what that uses of
// the C++ library, and fails with a number that says what does not work.

#include "runtime/threads/Threads.h"
#include "test/unit/driver/TestStep.h"

#include <cmath>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::map<std::string, int> &constructedBeforeMain() {
  static std::map<std::string, int> map{{"known", 7}};
  return map;
}
static const int known = constructedBeforeMain().at("known");

static bool exceptionsWork() {
  try {
    constructedBeforeMain().at("unknown");
  } catch (const std::exception &) {
    return true;
  }
  return false;
}

static bool threadsWork() {
  static thread_local int local = 1;
  int seen = 0;
  std::thread([&] { seen = ++local; }).join();
  return seen == 2 && local == 1;
}

static bool generatedCodeWorks() {
  constexpr size_t Size = 1000;
  std::vector<float> x(Size), y(Size);
  for (size_t i = 0; i < Size; ++i)
    x[i] = float(i) / 100 - 5;
  for (int threads : {3, 1, 2}) {
    lori_set_threads(threads);
    lori_step(int64_t(Size), x.data(), y.data());
    for (size_t i = 0; i < Size; ++i)
      if (std::fabs(y[i] - std::exp(x[i])) > 1e-6f * y[i])
        return false;
  }
  return true;
}

int main(int count, char **arguments) {
  if (known != 7)
    return 1;
  if (!exceptionsWork())
    return 2;
  if (!threadsWork())
    return 3;
  if (!generatedCodeWorks())
    return 4;
  std::printf("works with %s\n", count > 1 ? arguments[1] : "nothing");
  return 0;
}
