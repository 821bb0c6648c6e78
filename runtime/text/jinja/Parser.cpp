// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Parser.h"
#include "runtime/text/jinja/ExpressionParser.h"

#include <algorithm>

using namespace lori;
using namespace lori::jinja;

namespace {

class Parser {
public:
  explicit Parser(std::vector<Token> tokens) : in(std::move(tokens)) {}

  Body whole();

private:
  using Names = std::initializer_list<std::string_view>;

  /// Statements up to a tag with one of these names, which is next then; an
  /// empty list means the end of the template.
  Body body(Names ends);
  Body lastBody(std::string_view end);
  Statement print();
  Statement statement();
  Statement ifStatement();
  Statement forStatement();
  Statement setStatement();
  Statement macroStatement();
  Statement loopControl(StatementKind kind);

  ExpressionParser in;
  unsigned loops = 0; ///< around this place, in the same macro or block
};

} // namespace

static Statement makeStatement(StatementKind kind, uint32_t line) {
  Statement result;
  result.kind = kind;
  result.line = line;
  return result;
}

Body Parser::whole() { return body({}); }

Body Parser::body(Names ends) {
  ExpressionParser::Nesting nesting(in);
  uint32_t begin = in.current().line;
  Body result;
  while (in.current().kind != TokenKind::End) {
    const Token &token = in.next();
    if (token.kind == TokenKind::Data) {
      result.push_back(makeStatement(StatementKind::Text, token.line));
      result.back().text = token.text;
    } else if (token.kind == TokenKind::VariableBegin) {
      result.push_back(print());
    } else {
      for (std::string_view end : ends)
        if (in.current().isName(end))
          return result;
      result.push_back(statement());
      in.expect(TokenKind::BlockEnd);
    }
  }
  if (ends.size() != 0)
    failAtLine(begin, "'" + std::string(*(ends.end() - 1)) + "' is missing");
  return result;
}

// The body, its end tag and what closes that but for the bracket.
Body Parser::lastBody(std::string_view end) {
  in.expect(TokenKind::BlockEnd);
  Body result = body({end});
  in.next();
  return result;
}

Statement Parser::print() {
  Statement result = makeStatement(StatementKind::Print, in.current().line);
  result.expression = in.tuple(true);
  // What is printed is not escaped anyway. Elsewhere `safe` would have texts
  // escaped that are added to it.
  while (result.expression->kind == ExprKind::Filter &&
         result.expression->text == "safe" &&
         result.expression->children.size() == 1)
    result.expression = ExprPtr(std::move(result.expression->children[0]));
  in.expect(TokenKind::VariableEnd);
  return result;
}

Statement Parser::statement() {
  uint32_t line = in.current().line;
  std::string name = in.expectName();
  if (name == "if")
    return ifStatement();
  if (name == "for")
    return forStatement();
  if (name == "set")
    return setStatement();
  if (name == "macro")
    return macroStatement();
  if (name == "break")
    return loopControl(StatementKind::Break);
  if (name == "continue")
    return loopControl(StatementKind::Continue);
  // What `transformers` marks as the part to train on.
  if (name == "generation") {
    Statement result = makeStatement(StatementKind::Generation, line);
    unsigned outer = std::exchange(loops, 0);
    result.body = lastBody("endgeneration");
    loops = outer;
    return result;
  }
  if (name.starts_with("end") || name == "else" || name == "elif")
    failAtLine(line, "'" + name.substr(0, 40) + "' stands where it should not");
  failAtLine(line,
             "the statement '" + name.substr(0, 40) + "' is not supported");
}

Statement Parser::ifStatement() {
  Statement result = makeStatement(StatementKind::If, in.current().line);
  bool isElse = false;
  while (true) {
    Branch branch;
    if (!isElse)
      branch.condition = in.tuple(false);
    in.expect(TokenKind::BlockEnd);
    branch.body = isElse ? body({"endif"}) : body({"elif", "else", "endif"});
    result.branches.push_back(std::move(branch));
    std::string end = in.expectName();
    if (end == "endif")
      return result;
    isElse = end == "else";
  }
}

Statement Parser::forStatement() {
  Statement result = makeStatement(StatementKind::For, in.current().line);
  result.target = in.target(false, "in");
  if (result.target->text == "loop")
    in.fail("'loop' cannot be the variable of a loop");
  if (!in.skipName("in"))
    in.failUnexpected();
  result.expression = in.tuple(false, "recursive");
  if (in.skipName("if"))
    result.condition = in.expression();
  if (in.current().isName("recursive"))
    in.fail("recursive loops are not supported");
  in.expect(TokenKind::BlockEnd);
  ++loops;
  result.body = body({"else", "endfor"});
  --loops;
  if (in.expectName() == "else")
    result.otherwise = lastBody("endfor");
  return result;
}

Statement Parser::setStatement() {
  Statement result = makeStatement(StatementKind::Set, in.current().line);
  result.target = in.target(true);
  if (in.skipOperator("=")) {
    result.expression = in.tuple(true);
    return result;
  }
  if (in.current().isOperator("|"))
    in.fail("filters of a set block are not supported");
  result.kind = StatementKind::SetBlock;
  unsigned outer = std::exchange(loops, 0);
  result.body = lastBody("endset");
  loops = outer;
  return result;
}

Statement Parser::macroStatement() {
  Statement result = makeStatement(StatementKind::Macro, in.current().line);
  result.text = in.expectName();
  in.expectOperator("(");
  while (!in.skipOperator(")")) {
    if (!result.parameters.empty())
      in.expectOperator(",");
    result.parameters.push_back(in.expectName());
    if (in.skipOperator("="))
      result.defaults.push_back(in.expression());
    else if (!result.defaults.empty())
      in.fail("a parameter without a default follows one with a default");
  }
  unsigned outer = std::exchange(loops, 0);
  result.body = lastBody("endmacro");
  loops = outer;
  return result;
}

Statement Parser::loopControl(StatementKind kind) {
  if (loops == 0)
    in.fail("break or continue outside a loop");
  return makeStatement(kind, in.current().line);
}

Body jinja::parseTemplate(std::string_view source) {
  return Parser(tokenize(source)).whole();
}
