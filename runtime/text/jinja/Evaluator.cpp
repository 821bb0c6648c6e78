// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Evaluator.h"
#include "runtime/text/jinja/Filters.h"
#include "runtime/text/jinja/Methods.h"
#include "runtime/text/jinja/Operators.h"

#include <algorithm>

using namespace lori;
using namespace lori::jinja;

Evaluator::Step::Step(Evaluator &evaluator, uint32_t line)
    : evaluator(evaluator) {
  evaluator.line = line;
  if (++evaluator.steps > maxSteps)
    throw TemplateError("the template takes more than 1000000 steps");
  if (evaluator.depth >= maxDepth)
    throw TemplateError("the template calls itself too deep");
  ++evaluator.depth;
}

Value Evaluator::name(const Expr &expr) const {
  for (const Scope *at = scope.get(); at; at = at->outer.get())
    if (const Value *found = at->find(expr.text))
      return *found;
  static constexpr std::string_view known[] = {"self",   "joiner",  "cycler",
                                               "lipsum", "varargs", "kwargs"};
  if (std::find(std::begin(known), std::end(known), expr.text) !=
      std::end(known))
    throw TemplateError("'" + expr.text + "' is not supported");
  return Value::undefined(expr.text);
}

Value Evaluator::list(const Expr &expr, ListKind kind) {
  std::vector<Value> items;
  for (const ExprPtr &child : expr.children)
    items.push_back(evaluate(*child));
  return Value::list(std::move(items), kind);
}

Value Evaluator::dict(const Expr &expr) {
  auto result = std::make_shared<Dict>();
  spend(sizeof(Dict));
  for (size_t i = 0; i < expr.children.size(); i += 2) {
    Value key = evaluate(*expr.children[i]);
    result->set(key, evaluate(*expr.children[i + 1]));
  }
  return Value(std::move(result));
}

Value Evaluator::slice(const Expr &expr) {
  Value parts[4];
  for (size_t i = 0; i < 4; ++i)
    if (expr.children[i])
      parts[i] = evaluate(*expr.children[i]);
  return sliceOf(parts[0], parts[1], parts[2], parts[3]);
}

Arguments Evaluator::arguments(const Expr &expr) {
  Arguments result;
  size_t firstNamed = expr.children.size() - expr.names.size();
  for (size_t i = 1; i < expr.children.size(); ++i) {
    Value value = evaluate(*expr.children[i]);
    if (i < firstNamed)
      result.positional.push_back(std::move(value));
    else
      result.named.emplace_back(expr.names[i - firstNamed], std::move(value));
  }
  return result;
}

Value Evaluator::call(const Expr &expr) {
  const Expr &callee = *expr.children[0];
  Value target;
  if (callee.kind == ExprKind::Attribute) {
    Value object = evaluate(*callee.children[0]);
    requireDefined(object);
    bool isMethod =
        hasMethod(object, callee.text) || (!object.object() && !object.dict());
    if (isMethod) {
      Arguments given = arguments(expr);
      line = callee.line;
      return callMethod(object, callee.text, given);
    }
    target = attributeOf(object, callee.text);
  } else {
    target = evaluate(callee);
  }
  requireDefined(target);
  auto *function = dynamic_cast<Callable *>(target.object());
  if (!function)
    throw TemplateError("a value of type " + std::string(target.typeName()) +
                        " cannot be called");
  Arguments given = arguments(expr);
  line = expr.line;
  return function->call(given);
}

// a < b < c holds where a < b and b < c do.
Value Evaluator::compare(const Expr &expr) {
  Value left = evaluate(*expr.children[0]);
  for (size_t i = 0; i < expr.names.size(); ++i) {
    Value right = evaluate(*expr.children[i + 1]);
    if (!applyComparison(expr.names[i], left, right))
      return false;
    left = std::move(right);
  }
  return true;
}

Value Evaluator::conditional(const Expr &expr) {
  if (evaluate(*expr.children[0]).isTrue())
    return evaluate(*expr.children[1]);
  return expr.children[2] ? evaluate(*expr.children[2])
                          : Value::undefined("an 'if' without 'else'");
}

Value Evaluator::evaluate(const Expr &expr) {
  Step step(*this, expr.line);
  auto child = [&](size_t i) { return evaluate(*expr.children[i]); };
  switch (expr.kind) {
  case ExprKind::Constant:
    return expr.constant;
  case ExprKind::Name:
    return name(expr);
  case ExprKind::List:
    return list(expr, ListKind::List);
  case ExprKind::Tuple:
    return list(expr, ListKind::Tuple);
  case ExprKind::Dict:
    return dict(expr);
  case ExprKind::Attribute:
    return attributeOf(child(0), expr.text);
  case ExprKind::Item: {
    Value object = child(0);
    return itemOf(object, child(1));
  }
  case ExprKind::Slice:
    return slice(expr);
  case ExprKind::Call:
    return call(expr);
  case ExprKind::Filter: {
    Value input = child(0);
    return applyFilter(expr.text, input, arguments(expr));
  }
  case ExprKind::Test: {
    Value input = child(0);
    return applyTest(expr.text, input, arguments(expr));
  }
  case ExprKind::Not:
    return !child(0).isTrue();
  case ExprKind::Negate:
    return negated(child(0));
  case ExprKind::Plus:
    return withPlus(child(0));
  case ExprKind::Binary: {
    Value left = child(0);
    return applyBinary(expr.text, left, child(1));
  }
  case ExprKind::Compare:
    return compare(expr);
  case ExprKind::And: {
    Value left = child(0);
    return left.isTrue() ? child(1) : left;
  }
  case ExprKind::Or: {
    Value left = child(0);
    return left.isTrue() ? left : child(1);
  }
  case ExprKind::Conditional:
    return conditional(expr);
  }
  return Value();
}
