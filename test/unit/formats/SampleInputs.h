// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TEST_UNIT_FORMATS_SAMPLEINPUTS_H
#define LORI_TEST_UNIT_FORMATS_SAMPLEINPUTS_H

#include <string>
#include <utility>
#include <vector>

namespace lori::test {

/// Inputs for each parser of untrusted bytes, valid ones with all that it
/// knows, as (fuzzer, bytes): what fuzzers and hostile tests start from.
std::vector<std::pair<std::string, std::string>> sampleInputs();

} // namespace lori::test

#endif // LORI_TEST_UNIT_FORMATS_SAMPLEINPUTS_H
