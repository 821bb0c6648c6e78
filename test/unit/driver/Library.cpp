// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Stands for the functions of runtime/lori.h in a shared library.

#include "runtime/threads/Threads.h"
#include "test/unit/driver/TestStep.h"

#include <stdexcept>
#include <string>

/// Returns exp(x), or -1 after an exception for a negative x.
extern "C" float lori_test_exp(float x) {
  try {
    if (x < 0)
      throw std::domain_error("negative: " + std::to_string(x));
    lori_set_threads(2);
    float y = 0;
    lori_step(1, &x, &y);
    return y;
  } catch (const std::exception &) {
    return -1;
  }
}
