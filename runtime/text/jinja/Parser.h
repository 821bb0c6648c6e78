// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_JINJA_PARSER_H
#define LORI_RUNTIME_TEXT_JINJA_PARSER_H

#include "runtime/text/jinja/Ast.h"

namespace lori::jinja {

/// Returns the statements of a template, valid UTF-8. Throws TemplateError that
/// names the line and what is malformed or not supported.
Body parseTemplate(std::string_view source);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_PARSER_H
