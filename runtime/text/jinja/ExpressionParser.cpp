// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/ExpressionParser.h"
#include "runtime/text/jinja/Limits.h"

#include <algorithm>
#include <array>
#include <cassert>

using namespace lori;
using namespace lori::jinja;

void ExpressionParser::fail(const std::string &message) const {
  failAtLine(current().line, message);
}

void ExpressionParser::failUnexpected() const {
  switch (current().kind) {
  case TokenKind::End:
    fail("the template ends too early");
  case TokenKind::VariableEnd:
  case TokenKind::BlockEnd:
    fail("a tag ends too early");
  case TokenKind::Name:
  case TokenKind::Operator:
    fail("'" + current().text.substr(0, 40) + "' stands where it should not");
  default:
    fail("a value stands where it should not");
  }
}

const Token &ExpressionParser::next() {
  const Token &token = tokens[position];
  if (position + 1 < tokens.size())
    ++position;
  return token;
}

bool ExpressionParser::skipName(std::string_view name) {
  bool found = current().isName(name);
  if (found)
    next();
  return found;
}

bool ExpressionParser::skipOperator(std::string_view name) {
  bool found = current().isOperator(name);
  if (found)
    next();
  return found;
}

void ExpressionParser::expectOperator(std::string_view name) {
  if (!skipOperator(name))
    failUnexpected();
}

void ExpressionParser::expect(TokenKind kind) {
  if (current().kind != kind)
    failUnexpected();
  next();
}

std::string ExpressionParser::expectName() {
  if (current().kind != TokenKind::Name)
    failUnexpected();
  return next().text;
}

ExpressionParser::Nesting::Nesting(ExpressionParser &parser) : parser(parser) {
  if (parser.nesting >= maxSourceNesting)
    parser.fail("constructs are nested too deep");
  ++parser.nesting;
}

ExprPtr ExpressionParser::make(ExprKind kind, uint32_t line,
                               std::string text) const {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  expr->line = line;
  expr->text = std::move(text);
  return expr;
}

void ExpressionParser::add(Expr &parent, ExprPtr child) const {
  if (child && child->height >= maxHeight)
    fail("an expression has too many operators in a row");
  if (child)
    parent.height = std::max(parent.height, child->height + 1);
  parent.children.push_back(std::move(child));
}

ExprPtr ExpressionParser::expression(bool conditional) {
  Nesting nesting(*this);
  ExprPtr result = logical(/*isOr=*/true);
  uint32_t line = current().line;
  while (conditional && skipName("if")) {
    ExprPtr choice = make(ExprKind::Conditional, line);
    add(*choice, logical(true));
    add(*choice, std::move(result));
    add(*choice, skipName("else") ? expression() : nullptr);
    result = std::move(choice);
  }
  return result;
}

ExprPtr ExpressionParser::logical(bool isOr) {
  auto operand = [&] { return isOr ? logical(false) : negation(); };
  ExprPtr left = operand();
  uint32_t line = current().line;
  while (skipName(isOr ? "or" : "and")) {
    ExprPtr both = make(isOr ? ExprKind::Or : ExprKind::And, line);
    add(*both, std::move(left));
    add(*both, operand());
    left = std::move(both);
  }
  return left;
}

ExprPtr ExpressionParser::negation() {
  uint32_t line = current().line;
  if (!skipName("not"))
    return comparison();
  Nesting nesting(*this);
  ExprPtr result = make(ExprKind::Not, line);
  add(*result, negation());
  return result;
}

ExprPtr ExpressionParser::comparison() {
  static constexpr std::array<std::string_view, 6> operators = {
      "==", "!=", "<", "<=", ">", ">="};
  uint32_t line = current().line;
  ExprPtr left = binary(0);
  ExprPtr result;
  while (true) {
    std::string name;
    if (current().kind == TokenKind::Operator &&
        std::find(operators.begin(), operators.end(), current().text) !=
            operators.end())
      name = next().text;
    else if (skipName("in"))
      name = "in";
    else if (current().isName("not") && ahead().isName("in")) {
      next();
      next();
      name = "not in";
    } else {
      return result ? std::move(result) : std::move(left);
    }
    if (!result) {
      result = make(ExprKind::Compare, line);
      add(*result, std::move(left));
    }
    result->names.push_back(name);
    add(*result, binary(0));
  }
}

// The operators between comparisons and signs, those that bind least first.
ExprPtr ExpressionParser::binary(size_t level) {
  static const std::vector<std::vector<std::string_view>> levels = {
      {"+", "-"}, {"~"}, {"*", "/", "//", "%"}, {"**"}};
  if (level == levels.size())
    return unary(/*filters=*/true);
  ExprPtr left = binary(level + 1);
  while (current().kind == TokenKind::Operator &&
         std::find(levels[level].begin(), levels[level].end(),
                   current().text) != levels[level].end()) {
    const Token &token = next();
    ExprPtr both = make(ExprKind::Binary, token.line, token.text);
    add(*both, std::move(left));
    add(*both, binary(level + 1));
    left = std::move(both);
  }
  return left;
}

ExprPtr ExpressionParser::unary(bool withFilters) {
  Nesting nesting(*this);
  ExprPtr result;
  uint32_t line = current().line;
  if (current().isOperator("-") || current().isOperator("+")) {
    result = make(next().text == "-" ? ExprKind::Negate : ExprKind::Plus, line);
    add(*result, unary(false));
  } else {
    result = primary();
  }
  result = postfix(std::move(result));
  return withFilters ? filters(std::move(result)) : std::move(result);
}

ExprPtr ExpressionParser::constant(Value value) {
  ExprPtr result = make(ExprKind::Constant, next().line);
  result->constant = std::move(value);
  return result;
}

ExprPtr ExpressionParser::primary() {
  const Token &token = current();
  switch (token.kind) {
  case TokenKind::Name:
    if (token.text == "true" || token.text == "True")
      return constant(true);
    if (token.text == "false" || token.text == "False")
      return constant(false);
    if (token.text == "none" || token.text == "None")
      return constant(Value());
    next();
    return make(ExprKind::Name, token.line, token.text);
  case TokenKind::String:
    return text();
  case TokenKind::Integer:
    return constant(token.integer);
  case TokenKind::Float:
    return constant(token.real);
  default:
    break;
  }
  if (token.isOperator("["))
    return list();
  if (token.isOperator("{"))
    return dict();
  if (!skipOperator("("))
    failUnexpected();
  if (skipOperator(")"))
    return make(ExprKind::Tuple, token.line);
  ExprPtr inner = tuple(true);
  expectOperator(")");
  return inner;
}

// Texts in a row are one.
ExprPtr ExpressionParser::text() {
  ExprPtr result = make(ExprKind::Constant, current().line);
  std::string whole;
  while (current().kind == TokenKind::String)
    whole += next().text;
  result->constant = Value(std::move(whole));
  return result;
}

ExprPtr ExpressionParser::list() {
  ExprPtr result = make(ExprKind::List, next().line);
  while (!skipOperator("]")) {
    if (!result->children.empty())
      expectOperator(",");
    if (skipOperator("]"))
      break;
    add(*result, expression());
  }
  return result;
}

ExprPtr ExpressionParser::dict() {
  ExprPtr result = make(ExprKind::Dict, next().line);
  while (!skipOperator("}")) {
    if (!result->children.empty())
      expectOperator(",");
    if (skipOperator("}"))
      break;
    add(*result, expression());
    expectOperator(":");
    add(*result, expression());
  }
  return result;
}

bool ExpressionParser::atTupleEnd(std::string_view end) const {
  return current().kind == TokenKind::VariableEnd ||
         current().kind == TokenKind::BlockEnd || current().isOperator(")") ||
         (!end.empty() && current().isName(end));
}

ExprPtr ExpressionParser::tuple(bool conditional, std::string_view end) {
  uint32_t line = current().line;
  ExprPtr first = expression(conditional);
  if (!current().isOperator(","))
    return first;
  ExprPtr result = make(ExprKind::Tuple, line);
  add(*result, std::move(first));
  while (skipOperator(",") && !atTupleEnd(end))
    add(*result, expression(conditional));
  return result;
}

ExprPtr ExpressionParser::targetName(bool attributes) {
  uint32_t line = current().line;
  if (skipOperator("(")) {
    Nesting nesting(*this);
    ExprPtr inner = target(false);
    expectOperator(")");
    return inner;
  }
  static constexpr std::array<std::string_view, 6> constants = {
      "true", "false", "none", "True", "False", "None"};
  if (std::find(constants.begin(), constants.end(), current().text) !=
      constants.end())
    fail("a constant cannot be set");
  ExprPtr name = make(ExprKind::Name, line, expectName());
  if (!attributes || !skipOperator("."))
    return name;
  ExprPtr attribute = make(ExprKind::Attribute, line, expectName());
  add(*attribute, std::move(name));
  return attribute;
}

ExprPtr ExpressionParser::target(bool attributes, std::string_view end) {
  uint32_t line = current().line;
  ExprPtr first = targetName(attributes);
  if (!current().isOperator(","))
    return first;
  ExprPtr result = make(ExprKind::Tuple, line);
  add(*result, std::move(first));
  while (skipOperator(",") && !atTupleEnd(end) && !current().isOperator("="))
    add(*result, targetName(attributes));
  return result;
}

ExprPtr ExpressionParser::postfix(ExprPtr object) {
  while (true) {
    if (current().isOperator(".") || current().isOperator("[")) {
      object = subscript(std::move(object));
    } else if (current().isOperator("(")) {
      ExprPtr call = make(ExprKind::Call, current().line);
      add(*call, std::move(object));
      arguments(*call);
      object = std::move(call);
    } else {
      return object;
    }
  }
}

ExprPtr ExpressionParser::subscript(ExprPtr object) {
  uint32_t line = current().line;
  if (skipOperator(".")) {
    bool isIndex = current().kind == TokenKind::Integer;
    ExprPtr result = make(isIndex ? ExprKind::Item : ExprKind::Attribute, line);
    add(*result, std::move(object));
    if (isIndex)
      add(*result, constant(current().integer));
    else
      result->text = expectName();
    return result;
  }
  expectOperator("[");
  ExprPtr result = make(ExprKind::Item, line);
  add(*result, std::move(object));
  add(*result, current().isOperator(":") ? nullptr : expression());
  if (skipOperator(":")) {
    result->kind = ExprKind::Slice;
    slicePart(*result);
    if (skipOperator(":"))
      slicePart(*result);
    else
      add(*result, nullptr);
  }
  if (current().isOperator(","))
    fail("more than one index is not supported");
  expectOperator("]");
  return result;
}

void ExpressionParser::slicePart(Expr &slice) {
  bool isAbsent = current().isOperator(":") || current().isOperator("]");
  add(slice, isAbsent ? nullptr : expression());
}

ExprPtr ExpressionParser::filters(ExprPtr input) {
  while (true) {
    uint32_t line = current().line;
    if (skipOperator("|")) {
      ExprPtr filter = make(ExprKind::Filter, line, expectName());
      add(*filter, std::move(input));
      if (current().isOperator("("))
        arguments(*filter);
      input = std::move(filter);
    } else if (skipName("is")) {
      input = test(std::move(input));
    } else if (current().isOperator("(")) {
      ExprPtr call = make(ExprKind::Call, line);
      add(*call, std::move(input));
      arguments(*call);
      input = std::move(call);
    } else {
      return input;
    }
  }
}

ExprPtr ExpressionParser::test(ExprPtr input) {
  uint32_t line = current().line;
  bool negated = skipName("not");
  ExprPtr result = make(ExprKind::Test, line, expectName());
  add(*result, std::move(input));
  const Token &token = current();
  if (token.isOperator("(")) {
    arguments(*result);
  } else if (token.kind == TokenKind::Name
                 ? token.text != "else" && token.text != "or" &&
                       token.text != "and"
                 : token.kind == TokenKind::String ||
                       token.kind == TokenKind::Integer ||
                       token.kind == TokenKind::Float ||
                       token.isOperator("[") || token.isOperator("{")) {
    if (token.isName("is"))
      fail("two tests in a row");
    Nesting nesting(*this);
    add(*result, postfix(primary()));
  }
  if (!negated)
    return result;
  ExprPtr negation = make(ExprKind::Not, line);
  add(*negation, std::move(result));
  return negation;
}

void ExpressionParser::arguments(Expr &call) {
  expectOperator("(");
  bool first = true;
  while (!skipOperator(")")) {
    if (!first)
      expectOperator(",");
    first = false;
    if (skipOperator(")"))
      return;
    if (current().isOperator("*") || current().isOperator("**"))
      fail("arguments with '*' are not supported");
    if (current().kind == TokenKind::Name && ahead().isOperator("=")) {
      call.names.push_back(expectName());
      next();
    } else if (!call.names.empty()) {
      fail("an argument without a name follows one with a name");
    }
    add(call, expression());
  }
}
