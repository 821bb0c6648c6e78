// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The forms of option values. All throw UsageError that names the option and
// says what it takes; none depends on the locale.

#ifndef LORI_RUNTIME_PROGRAM_OPTIONVALUES_H
#define LORI_RUNTIME_PROGRAM_OPTIONVALUES_H

#include "runtime/program/Options.h"

#include <string_view>

namespace lori {

/// A whole number within [low, high].
int64_t parseInteger(const std::string &option, std::string_view text,
                     int64_t low, int64_t high);
uint64_t parseSeed(const std::string &option, std::string_view text);
/// A finite number within [low, high].
double parseNumber(const std::string &option, std::string_view text, double low,
                   double high);
/// "1,2,3": ids of any vocabulary, spaces allowed; "" is none.
std::vector<int32_t> parseTokens(const std::string &option,
                                 std::string_view text);
/// "NAME" or "NAME=SCALE".
AdapterSource parseLoad(const std::string &option, std::string_view text);
AdapterChoice parseAdapter(const std::string &option, std::string_view text);
/// "prefill=512,decode=128,batch=1" in any order, each optional.
BenchOptions parseBench(const std::string &option, std::string_view text);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_OPTIONVALUES_H
