// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_JINJA_INTERPRETER_H
#define LORI_RUNTIME_TEXT_JINJA_INTERPRETER_H

#include "runtime/text/jinja/Ast.h"

namespace lori::jinja {

using Variables = std::vector<std::pair<std::string, Value>>;

/// Runs a template and returns its output, with the globals that chat templates
/// have. Throws TemplateError that names the line.
std::string render(const Body &body, Variables variables);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_INTERPRETER_H
