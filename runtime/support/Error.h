// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one kind of failure that bad input or a full disk causes. Programming
// mistakes are asserts.

#ifndef LORI_RUNTIME_SUPPORT_ERROR_H
#define LORI_RUNTIME_SUPPORT_ERROR_H

#include <stdexcept>
#include <string>
#include <string_view>

namespace lori {

/// Bad input or an impossible combination. `what()` is one line without a
/// trailing newline: `FILE: what is wrong, what would be right, the remedy`.
class Error : public std::runtime_error {
public:
  explicit Error(const std::string &message) : std::runtime_error(message) {}
  Error(std::string_view file, std::string_view message);
};

} // namespace lori

#endif // LORI_RUNTIME_SUPPORT_ERROR_H
