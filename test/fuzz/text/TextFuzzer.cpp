// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One parser of the text library, named by LORI_FUZZER; what it accepts is used
// and must keep its promises.

#include "runtime/support/Error.h"
#include "test/unit/text/TextInputs.h"

#include <cstdint>

using namespace lori;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    test::useTextInput(LORI_FUZZER,
                       {reinterpret_cast<const char *>(data), size});
  } catch (const Error &) {
    return 0; // refused, as it should be
  }
  return 0;
}
