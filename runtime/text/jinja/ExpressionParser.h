// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expressions, with the precedence of Jinja.

#ifndef LORI_RUNTIME_TEXT_JINJA_EXPRESSIONPARSER_H
#define LORI_RUNTIME_TEXT_JINJA_EXPRESSIONPARSER_H

#include "runtime/text/jinja/Ast.h"
#include "runtime/text/jinja/Lexer.h"

namespace lori::jinja {

/// Functions throw TemplateError that names the line.
class ExpressionParser {
public:
  explicit ExpressionParser(std::vector<Token> tokens)
      : tokens(std::move(tokens)) {}

  /// A whole expression, or one without a trailing `if` of its own.
  ExprPtr expression(bool conditional = true);
  /// One or more expressions with commas between; `end` is a name that ends
  /// them too.
  ExprPtr tuple(bool conditional, std::string_view end = "");
  /// What may stand left of `=` or `in`; `attributes` allows `namespace.name`.
  ExprPtr target(bool attributes, std::string_view end = "");

  const Token &current() const { return tokens[position]; }
  const Token &next();
  bool skipName(std::string_view name);
  bool skipOperator(std::string_view name);
  void expectOperator(std::string_view name);
  void expect(TokenKind kind);
  std::string expectName();
  [[noreturn]] void fail(const std::string &message) const;
  [[noreturn]] void failUnexpected() const;

  /// Counts constructs in constructs; throws where they are too many.
  class Nesting {
  public:
    explicit Nesting(ExpressionParser &parser);
    ~Nesting() { --parser.nesting; }

  private:
    ExpressionParser &parser;
  };

private:
  const Token &ahead() const {
    return tokens[std::min(position + 1, tokens.size() - 1)];
  }
  ExprPtr make(ExprKind kind, uint32_t line, std::string text = "") const;
  void add(Expr &parent, ExprPtr child) const;
  ExprPtr logical(bool isOr);
  ExprPtr negation();
  ExprPtr comparison();
  ExprPtr binary(size_t level);
  ExprPtr unary(bool filters);
  ExprPtr primary();
  ExprPtr constant(Value value);
  ExprPtr text();
  ExprPtr list();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr object);
  ExprPtr subscript(ExprPtr object);
  void slicePart(Expr &slice);
  ExprPtr filters(ExprPtr input);
  ExprPtr test(ExprPtr input);
  void arguments(Expr &call);
  bool atTupleEnd(std::string_view end) const;
  ExprPtr targetName(bool attributes);

  std::vector<Token> tokens;
  size_t position = 0;
  unsigned nesting = 0;
};

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_EXPRESSIONPARSER_H
