// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_JINJA_METHODS_H
#define LORI_RUNTIME_TEXT_JINJA_METHODS_H

#include "runtime/text/jinja/Callable.h"

namespace lori::jinja {

/// Whether Python's str, dict, list or tuple have this method, supported or
/// not.
bool hasMethod(const Value &object, std::string_view name);

/// Throws TemplateError for methods that are not supported.
Value callMethod(const Value &object, std::string_view name,
                 const Arguments &arguments);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_METHODS_H
