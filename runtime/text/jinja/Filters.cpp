// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Filters of texts and single values.

#include "runtime/text/jinja/Filters.h"
#include "runtime/text/jinja/Operators.h"
#include "runtime/text/jinja/Text.h"

#include <charconv>
#include <cmath>

using namespace lori;
using namespace lori::jinja;

using Bound = std::vector<std::optional<Value>>;

static std::string asText(const Value &value) { return toText(value, maxText); }

template <std::string (*map)(std::string_view)>
static Value mapText(const Value &input, const Arguments &arguments) {
  arguments.bind("filter", {});
  return map(asText(input));
}

static Value trim(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("trim", {"chars"});
  std::optional<std::string_view> chars;
  if (bound[0] && !bound[0]->isNone())
    chars = textArgument(*bound[0]);
  return strip(asText(input), chars, Side::Both);
}

static Value string(const Value &input, const Arguments &arguments) {
  arguments.bind("string", {});
  return asText(input);
}

static Value replace(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("replace", {"old", "new", "count"}, 2);
  bool all = !bound[2] || bound[2]->isNone();
  return replaceText(asText(input), asText(*bound[0]), asText(*bound[1]),
                     all ? -1 : integerArgument(*bound[2]));
}

static Value defaultTo(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("default", {"default_value", "boolean"});
  bool replacesFalse = bound[1] && bound[1]->isTrue();
  if (!input.isUndefined() && (!replacesFalse || input.isTrue()))
    return input;
  return bound[0] ? *bound[0] : Value("");
}

static Value length(const Value &input, const Arguments &arguments) {
  arguments.bind("length", {});
  return input.length();
}

static int64_t indentArgument(const Value &value) {
  int64_t indent = integerArgument(value);
  if (indent > 1000)
    throw TemplateError("an indent is too large");
  return std::max<int64_t>(indent, 0);
}

// The filter as `transformers` replaces it.
static Value tojson(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind(
      "tojson", {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ascii = bound[0] && bound[0]->isTrue();
  style.sortKeys = bound[3] && bound[3]->isTrue();
  if (bound[1] && !bound[1]->isNone()) {
    style.indent = indentArgument(*bound[1]);
    style.itemSeparator = ",";
  }
  if (bound[2] && !bound[2]->isNone()) {
    std::vector<Value> pair = bound[2]->elements();
    if (pair.size() != 2)
      throw TemplateError("tojson takes two separators");
    style.itemSeparator = textArgument(pair[0]);
    style.keySeparator = textArgument(pair[1]);
  }
  return toJson(input, style, maxText);
}

static Value indent(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("indent", {"width", "first", "blank"});
  auto flag = [](const auto &value) { return value && value->isTrue(); };
  bool first = flag(bound[1]), blank = flag(bound[2]);
  std::string space =
      bound[0] && bound[0]->text() ? *bound[0]->text()
      : bound[0]
          ? std::string(static_cast<size_t>(indentArgument(*bound[0])), ' ')
          : "    ";
  std::vector<std::string> lines = splitLines(asText(input) + "\n", false);
  std::string result = first ? space : "";
  for (size_t i = 0; i < lines.size(); ++i) {
    if (i > 0)
      appendText(result, "\n");
    if (i > 0 && (blank || !lines[i].empty()))
      appendText(result, space);
    appendText(result, lines[i]);
  }
  return result;
}

// Python lets underscores stand between digits.
static std::optional<std::string> numberText(const std::string &text) {
  std::string digits(strip(text, std::nullopt, Side::Both));
  for (size_t i = 0; i < digits.size();) {
    if (digits[i] != '_') {
      ++i;
      continue;
    }
    auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    if (i == 0 || i + 1 == digits.size() || !isDigit(digits[i - 1]) ||
        !isDigit(digits[i + 1]))
      return std::nullopt;
    digits.erase(i, 1);
    spend(digits.size());
  }
  if (digits.starts_with("+") && !digits.starts_with("+-"))
    digits.erase(0, 1);
  return digits.empty() ? std::nullopt : std::optional(digits);
}

static std::optional<double> parseReal(const std::string &text) {
  std::optional<std::string> digits = numberText(text);
  double value = 0;
  if (!digits)
    return std::nullopt;
  const char *end = digits->data() + digits->size();
  auto result = std::from_chars(digits->data(), end, value);
  if (result.ptr != end)
    return std::nullopt;
  if (result.ec == std::errc::result_out_of_range)
    throw TemplateError("a number is out of range");
  return result.ec == std::errc() ? std::optional(value) : std::nullopt;
}

static std::optional<double> asReal(const Value &value) {
  requireDefined(value);
  if (value.text())
    return parseReal(*value.text());
  return value.number();
}

static Value toFloat(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("float", {"default"});
  std::optional<double> real = asReal(input);
  return real ? Value(*real) : bound[0] ? *bound[0] : Value(0.0);
}

static Value toInteger(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("int", {"default"});
  if (input.integer())
    return *input.integer();
  requireDefined(input);
  if (input.text()) {
    std::optional<std::string> digits = numberText(*input.text());
    int64_t value = 0;
    const char *end = digits ? digits->data() + digits->size() : nullptr;
    auto result =
        std::from_chars(digits ? digits->data() : nullptr, end, value);
    if (digits && result.ptr == end && result.ec != std::errc())
      throw TemplateError("an integer is too large");
    if (digits && result.ptr == end)
      return value;
  }
  std::optional<double> real = asReal(input);
  if (!real || !std::isfinite(*real))
    return bound[0] ? *bound[0] : Value(int64_t(0));
  if (std::abs(*real) >= 9.2e18)
    throw TemplateError("an integer is too large");
  return static_cast<int64_t>(*real);
}

static Value absolute(const Value &input, const Arguments &arguments) {
  arguments.bind("abs", {});
  requireDefined(input);
  bool isNegative = input.number() && *input.number() < 0;
  return isNegative ? negated(input) : withPlus(input);
}

static constexpr std::pair<std::string_view, Filter> filters[] = {
    {"abs", absolute},
    {"capitalize", mapText<capitalize>},
    {"count", length},
    {"d", defaultTo},
    {"default", defaultTo},
    {"float", toFloat},
    {"indent", indent},
    {"int", toInteger},
    {"length", length},
    {"lower", mapText<toLower>},
    {"replace", replace},
    {"string", string},
    {"title", mapText<titleWords>},
    {"tojson", tojson},
    {"trim", trim},
    {"upper", mapText<toUpper>},
};

static Filter findFilter(std::string_view name) {
  for (const auto &[known, filter] : filters)
    if (known == name)
      return filter;
  return findSequenceFilter(name);
}

bool jinja::isFilter(std::string_view name) { return findFilter(name); }

Value jinja::applyFilter(std::string_view name, const Value &input,
                         const Arguments &arguments) {
  Filter filter = findFilter(name);
  if (!filter)
    throw TemplateError("the filter '" + std::string(name.substr(0, 40)) +
                        "' is not supported");
  return filter(input, arguments);
}
