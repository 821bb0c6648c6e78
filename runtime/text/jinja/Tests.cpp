// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What may stand behind `is`.

#include "runtime/text/jinja/Filters.h"
#include "runtime/text/jinja/Operators.h"
#include "runtime/text/jinja/Text.h"

using namespace lori;
using namespace lori::jinja;

using Test = bool (*)(const Value &);

static bool isInteger(const Value &value) {
  return value.integer() && !value.boolean();
}

static bool isIterable(const Value &value) {
  return value.text() || value.list() || value.dict() || value.isUndefined();
}

static bool isSequence(const Value &value) {
  const List *list = value.list();
  return isIterable(value) && !(list && (list->kind == ListKind::View ||
                                         list->kind == ListKind::Generator));
}

static bool isRemainder(const Value &value, int64_t divisor, int64_t rest) {
  return applyBinary("%", value, divisor).equals(rest);
}

static constexpr std::pair<std::string_view, Test> plainTests[] = {
    {"boolean", [](const Value &value) { return value.boolean() != nullptr; }},
    {"callable",
     [](const Value &value) {
       return dynamic_cast<Callable *>(value.object()) != nullptr;
     }},
    {"defined", [](const Value &value) { return !value.isUndefined(); }},
    {"even", [](const Value &value) { return isRemainder(value, 2, 0); }},
    {"false",
     [](const Value &value) { return value.boolean() && !*value.boolean(); }},
    {"filter",
     [](const Value &value) { return isFilter(textArgument(value)); }},
    {"float", [](const Value &value) { return value.isFloat(); }},
    {"integer", isInteger},
    {"iterable", isIterable},
    {"lower",
     [](const Value &value) { return isLower(toText(value, maxText)); }},
    {"mapping", [](const Value &value) { return value.dict() != nullptr; }},
    {"none", [](const Value &value) { return value.isNone(); }},
    {"number", [](const Value &value) { return value.number().has_value(); }},
    {"odd", [](const Value &value) { return isRemainder(value, 2, 1); }},
    {"sequence", isSequence},
    {"string", [](const Value &value) { return value.text() != nullptr; }},
    {"test", [](const Value &value) { return isTest(textArgument(value)); }},
    {"true",
     [](const Value &value) { return value.boolean() && *value.boolean(); }},
    {"undefined", [](const Value &value) { return value.isUndefined(); }},
    {"upper",
     [](const Value &value) { return isUpper(toText(value, maxText)); }},
};

// Tests that are operators.
static constexpr std::pair<std::string_view, std::string_view> comparisons[] = {
    {"eq", "=="},      {"equalto", "=="}, {"==", "=="}, {"ne", "!="},
    {"!=", "!="},      {"gt", ">"},       {">", ">"},   {"greaterthan", ">"},
    {"ge", ">="},      {">=", ">="},      {"lt", "<"},  {"<", "<"},
    {"lessthan", "<"}, {"le", "<="},      {"<=", "<="}, {"in", "in"},
};

template <typename Table>
static const auto *findIn(const Table &table, std::string_view name) {
  const auto *found = std::begin(table);
  while (found != std::end(table) && found->first != name)
    ++found;
  return found == std::end(table) ? nullptr : &found->second;
}

static bool isSame(const Value &value, const Value &other) {
  // Identity of other values is not Python's here.
  if (other.boolean())
    return value.boolean() && *value.boolean() == *other.boolean();
  if (other.isNone())
    return value.isNone();
  throw TemplateError("'sameas' other than true, false and none is not "
                      "supported");
}

bool jinja::isTest(std::string_view name) {
  return findIn(plainTests, name) || findIn(comparisons, name) ||
         name == "divisibleby" || name == "sameas";
}

bool jinja::applyTest(std::string_view name, const Value &input,
                      const Arguments &arguments) {
  if (const Test *test = findIn(plainTests, name)) {
    arguments.bind(name, {});
    return (*test)(input);
  }
  if (!isTest(name))
    throw TemplateError("the test '" + std::string(name.substr(0, 40)) +
                        "' is not supported");
  Value other = *arguments.bind(name, {"other"}, 1)[0];
  if (const std::string_view *sign = findIn(comparisons, name))
    return applyComparison(*sign, input, other);
  if (name == "sameas")
    return isSame(input, other);
  return isRemainder(input, integerArgument(other), 0);
}
