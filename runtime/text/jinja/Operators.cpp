// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Operators.h"
#include "runtime/text/jinja/Text.h"

#include <cmath>

using namespace lori;
using namespace lori::jinja;

void jinja::requireDefined(const Value &value) {
  if (const Value::Undefined *undefined = value.undefined())
    throw TemplateError("'" + undefined->name.substr(0, 80) + "' is undefined");
}

[[noreturn]] static void failOperands(std::string_view name, const Value &left,
                                      const Value &right) {
  throw TemplateError(
      "the operator '" + std::string(name) + "' does not take values of type " +
      std::string(left.typeName()) + " and " + std::string(right.typeName()));
}

[[noreturn]] static void failRange() {
  throw TemplateError("an integer becomes too large");
}

static void requireNonzero(bool isZero) {
  if (isZero)
    throw TemplateError("a division by zero");
}

static int64_t floorDivide(int64_t left, int64_t right) {
  requireNonzero(right == 0);
  if (left == INT64_MIN && right == -1)
    failRange();
  int64_t quotient = left / right;
  return quotient - (left % right != 0 && (left < 0) != (right < 0) ? 1 : 0);
}

static int64_t modulo(int64_t left, int64_t right) {
  requireNonzero(right == 0);
  if (right == -1)
    return 0;
  int64_t rest = left % right;
  return rest != 0 && (rest < 0) != (right < 0) ? rest + right : rest;
}

static int64_t power(int64_t base, int64_t exponent) {
  int64_t result = 1;
  bool overflow = false;
  for (; exponent > 0; exponent /= 2) {
    if (exponent % 2 == 1)
      overflow |= __builtin_mul_overflow(result, base, &result);
    // The last square is not needed.
    if (exponent > 1 && __builtin_mul_overflow(base, base, &base))
      overflow = true;
    if (overflow)
      failRange();
  }
  return result;
}

static std::optional<Value> integers(std::string_view name, int64_t left,
                                     int64_t right) {
  int64_t result = 0;
  bool overflow = false;
  if (name == "+")
    overflow = __builtin_add_overflow(left, right, &result);
  else if (name == "-")
    overflow = __builtin_sub_overflow(left, right, &result);
  else if (name == "*")
    overflow = __builtin_mul_overflow(left, right, &result);
  else if (name == "//")
    result = floorDivide(left, right);
  else if (name == "%")
    result = modulo(left, right);
  else if (name == "**" && right >= 0)
    result = power(left, right);
  else
    return std::nullopt;
  if (overflow)
    failRange();
  return Value(result);
}

// Python's float.__mod__ and __floordiv__, in one.
static std::pair<double, double> divideFloor(double left, double right) {
  requireNonzero(right == 0);
  double rest = std::fmod(left, right), quotient = (left - rest) / right;
  if (rest == 0) {
    rest = std::copysign(0.0, right);
  } else if ((right < 0) != (rest < 0)) {
    rest += right;
    quotient -= 1;
  }
  if (quotient == 0)
    return {std::copysign(0.0, left / right), rest};
  double whole = std::floor(quotient);
  return {quotient - whole > 0.5 ? whole + 1 : whole, rest};
}

static Value reals(std::string_view name, double left, double right) {
  if (name == "+")
    return left + right;
  if (name == "-")
    return left - right;
  if (name == "*")
    return left * right;
  if (name == "//")
    return divideFloor(left, right).first;
  if (name == "%")
    return divideFloor(left, right).second;
  if (name == "/") {
    requireNonzero(right == 0);
    return left / right;
  }
  requireNonzero(left == 0 && right < 0);
  double result = std::pow(left, right);
  if (std::isfinite(left) && std::isfinite(right) && !std::isfinite(result))
    throw TemplateError("a power has no value");
  return result;
}

static Value concatenate(const Value &left, const Value &right) {
  std::string text = toText(left, maxText);
  appendText(text, toText(right, maxText));
  return Value(std::move(text));
}

static Value concatenateLists(const List &left, const List &right) {
  spend((left.items.size() + right.items.size()) * sizeof(Value));
  std::vector<Value> items = left.items;
  items.insert(items.end(), right.items.begin(), right.items.end());
  return Value::list(std::move(items), left.kind);
}

static Value repeatList(const List &list, int64_t count) {
  size_t times = static_cast<size_t>(std::max<int64_t>(count, 0));
  if (list.items.empty())
    times = 0;
  if (times > maxText)
    throw TemplateError("a list becomes too long");
  spend(times * list.items.size() * sizeof(Value));
  std::vector<Value> items;
  for (size_t i = 0; i < times; ++i)
    items.insert(items.end(), list.items.begin(), list.items.end());
  return Value::list(std::move(items), list.kind);
}

static bool isSequence(const List *list) {
  return list &&
         (list->kind == ListKind::List || list->kind == ListKind::Tuple);
}

static std::optional<Value> repeated(const Value &value, const Value &count) {
  std::optional<int64_t> times = count.integer();
  if (!times)
    return std::nullopt;
  if (value.text())
    return Value(repeatText(*value.text(), *times));
  if (isSequence(value.list()))
    return repeatList(*value.list(), *times);
  return std::nullopt;
}

Value jinja::applyBinary(std::string_view name, const Value &left,
                         const Value &right) {
  if (name == "~")
    return concatenate(left, right);
  requireDefined(left);
  requireDefined(right);
  if (left.integer() && right.integer())
    if (std::optional<Value> result =
            integers(name, *left.integer(), *right.integer()))
      return *result;
  if (left.number() && right.number())
    return reals(name, *left.number(), *right.number());
  if (name == "+") {
    if (left.text() && right.text())
      return concatenate(left, right);
    if (isSequence(left.list()) && isSequence(right.list()) &&
        left.list()->kind == right.list()->kind)
      return concatenateLists(*left.list(), *right.list());
  }
  if (name == "*") {
    if (std::optional<Value> result = repeated(left, right))
      return *result;
    if (std::optional<Value> result = repeated(right, left))
      return *result;
  }
  if (name == "%" && left.text())
    throw TemplateError("formatting a text by '%' is not supported");
  failOperands(name, left, right);
}

bool jinja::applyComparison(std::string_view name, const Value &left,
                            const Value &right) {
  if (name == "==")
    return left.equals(right);
  if (name == "!=")
    return !left.equals(right);
  if (name == "in")
    return right.contains(left);
  if (name == "not in")
    return !right.contains(left);
  requireDefined(left);
  requireDefined(right);
  int order = left.compare(right);
  if (name == "<")
    return order < 0;
  if (name == "<=")
    return order <= 0;
  return name == ">" ? order > 0 : order >= 0;
}

Value jinja::negated(const Value &operand) {
  requireDefined(operand);
  if (std::optional<int64_t> integer = operand.integer()) {
    if (*integer == INT64_MIN)
      failRange();
    return -*integer;
  }
  if (!operand.number())
    throw TemplateError("the sign '-' does not take values of type " +
                        std::string(operand.typeName()));
  return -*operand.number();
}

Value jinja::withPlus(const Value &operand) {
  requireDefined(operand);
  if (std::optional<int64_t> integer = operand.integer())
    return *integer;
  if (!operand.number())
    throw TemplateError("the sign '+' does not take values of type " +
                        std::string(operand.typeName()));
  return operand;
}
