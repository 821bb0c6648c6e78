// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts a template into tokens, with the white space control of Jinja
// (jinja.palletsprojects.com, "Whitespace Control") under trim_blocks and
// lstrip_blocks, as chat templates are rendered by `transformers`.

#ifndef LORI_RUNTIME_TEXT_JINJA_LEXER_H
#define LORI_RUNTIME_TEXT_JINJA_LEXER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lori::jinja {

enum class TokenKind {
  Data, ///< text between tags
  VariableBegin,
  VariableEnd,
  BlockBegin,
  BlockEnd,
  Name,
  String,
  Integer,
  Float,
  Operator,
  End,
};

struct Token {
  TokenKind kind = TokenKind::End;
  std::string text; ///< strings without quotes and escapes
  int64_t integer = 0;
  double real = 0;
  uint32_t line = 1;

  bool isName(std::string_view name) const {
    return kind == TokenKind::Name && text == name;
  }
  bool isOperator(std::string_view name) const {
    return kind == TokenKind::Operator && text == name;
  }
};

/// A TemplateError at a line.
[[noreturn]] void failAtLine(uint32_t line, const std::string &message);

/// Returns the tokens of `source`, valid UTF-8, ending in one of kind End.
/// Throws TemplateError that names the line.
std::vector<Token> tokenize(std::string_view source);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_LEXER_H
