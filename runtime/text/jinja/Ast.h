// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A template as a tree.

#ifndef LORI_RUNTIME_TEXT_JINJA_AST_H
#define LORI_RUNTIME_TEXT_JINJA_AST_H

#include "runtime/text/jinja/Value.h"

namespace lori::jinja {

enum class ExprKind {
  Constant,
  Name,        ///< text
  List,        ///< items
  Tuple,       ///< items
  Dict,        ///< key, value, key, value…
  Attribute,   ///< object; text
  Item,        ///< object, index
  Slice,       ///< object, start, stop, step; null where left out
  Call,        ///< callee, arguments…
  Filter,      ///< input, arguments…; text
  Test,        ///< input, arguments…; text
  Not,         ///< operand
  Negate,      ///< operand
  Plus,        ///< operand
  Binary,      ///< left, right; text
  Compare,     ///< operand, operand…; names are the operators between
  And,         ///< left, right
  Or,          ///< left, right
  Conditional, ///< condition, then, else (null where left out)
};

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct Expr {
  ExprKind kind;
  uint32_t line = 1;
  uint32_t height = 1;
  std::string text;
  Value constant;
  std::vector<ExprPtr> children;
  /// Of calls, filters and tests: the names of the last arguments.
  std::vector<std::string> names;
};

enum class StatementKind {
  Text,       ///< text
  Print,      ///< expression
  If,         ///< branches
  For,        ///< target, expression, condition or null, body, otherwise
  Set,        ///< target, expression
  SetBlock,   ///< target, body
  Macro,      ///< text, parameters, defaults of the last of them, body
  Generation, ///< body
  Break,
  Continue,
};

struct Statement;
using Body = std::vector<Statement>;

struct Branch;

struct Statement {
  StatementKind kind;
  uint32_t line = 1;
  std::string text;
  ExprPtr target; ///< Name, Attribute of a Name, or a Tuple of those
  ExprPtr expression;
  ExprPtr condition;
  Body body, otherwise;
  std::vector<Branch> branches;
  std::vector<std::string> parameters;
  std::vector<ExprPtr> defaults;
};

/// One of if, elif, else.
struct Branch {
  ExprPtr condition; ///< null for else
  Body body;
};

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_AST_H
