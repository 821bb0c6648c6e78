// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_GENERATEDCALLS_H
#define LORI_TOOLS_DRIVER_GENERATEDCALLS_H

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lori {

/// A function that generated code may call.
struct GeneratedCall {
  std::string_view name;
  /// Its address in this process where it is one of this project's; null for
  /// those of the system, which the dynamic linker knows.
  void *address;
};

/// Returns runtime/program/link/GeneratedCalls.def.
std::span<const GeneratedCall> generatedCalls();

/// Returns the functions that an object file calls but a program would lack:
/// its undefined symbols that are no generated calls. Throws Error if `object`
/// is no object file; `name` is for that message.
std::vector<std::string> forbiddenCalls(std::string_view object,
                                        std::string_view name);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_GENERATEDCALLS_H
