// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Filters of lists.

#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Filters.h"
#include "runtime/text/jinja/Operators.h"
#include "runtime/text/jinja/Text.h"

#include <algorithm>
#include <charconv>

using namespace lori;
using namespace lori::jinja;

using Bound = std::vector<std::optional<Value>>;

// Jinja's path of an attribute: names and indexes with points between.
static Value attributeAt(const Value &object, const Value &path,
                         const Value &otherwise = Value()) {
  auto step = [&](const Value &from, const Value &part) {
    Value found = itemOf(from, part);
    return found.isUndefined() && !otherwise.isNone() ? otherwise : found;
  };
  if (!path.text())
    return step(object, path);
  Value found = object;
  for (const std::string &part : split(*path.text(), ".", -1)) {
    int64_t index = 0;
    const char *end = part.data() + part.size();
    bool isIndex = !part.empty() && part[0] != '-' &&
                   std::from_chars(part.data(), end, index).ptr == end;
    found = step(found, isIndex ? Value(index) : Value(part));
  }
  return found;
}

static bool isGiven(const std::optional<Value> &value) {
  return value && !value->isNone();
}

static Value join(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("join", {"d", "attribute"});
  std::string separator = bound[0] ? toText(*bound[0], maxText) : "";
  std::string result;
  bool first = true;
  for (const Value &item : input.elements()) {
    if (!std::exchange(first, false))
      appendText(result, separator);
    appendText(result,
               toText(isGiven(bound[1]) ? attributeAt(item, *bound[1]) : item,
                      maxText));
  }
  return result;
}

static Value firstOf(const Value &input, const Arguments &arguments) {
  arguments.bind("first", {});
  std::vector<Value> items = input.elements();
  return items.empty() ? Value::undefined("first") : items.front();
}

static void refuseGenerator(const Value &input, std::string_view filter) {
  if (input.list() && input.list()->kind == ListKind::Generator)
    throw TemplateError("a generator is given to '" + std::string(filter) +
                        "'; make it a list first");
}

static Value lastOf(const Value &input, const Arguments &arguments) {
  arguments.bind("last", {});
  refuseGenerator(input, "last");
  std::vector<Value> items = input.elements();
  return items.empty() ? Value::undefined("last") : items.back();
}

static Value list(const Value &input, const Arguments &arguments) {
  arguments.bind("list", {});
  return Value::list(input.elements());
}

static Value reverse(const Value &input, const Arguments &arguments) {
  arguments.bind("reverse", {});
  std::vector<Value> items = input.elements();
  std::reverse(items.begin(), items.end());
  if (!input.text())
    return Value::list(std::move(items), ListKind::Generator);
  std::string result;
  for (const Value &item : items)
    result += *item.text();
  return result;
}

static Value items(const Value &input, const Arguments &arguments) {
  arguments.bind("items", {});
  std::vector<Value> pairs;
  if (!input.dict() && !input.isUndefined())
    throw TemplateError("'items' takes a dictionary");
  if (const Dict *dict = input.dict())
    for (const auto &[key, value] : dict->entries)
      pairs.push_back(Value::list({key, value}, ListKind::Tuple));
  return Value::list(std::move(pairs), ListKind::Generator);
}

static Arguments without(const Arguments &arguments, size_t count) {
  Arguments rest = arguments;
  auto begin = rest.positional.begin();
  rest.positional.erase(begin, begin + static_cast<ptrdiff_t>(count));
  return rest;
}

// map(attribute=…) or map(filter, arguments…).
static Value map(const Value &input, const Arguments &arguments) {
  std::vector<Value> results;
  std::vector<Value> inputs =
      input.isTrue() ? input.elements() : std::vector<Value>();
  if (arguments.positional.empty()) {
    Bound bound = arguments.bind("map", {"attribute", "default"}, 1);
    for (const Value &item : inputs)
      results.push_back(
          attributeAt(item, *bound[0], bound[1].value_or(Value())));
  } else {
    const std::string &name = textArgument(arguments.positional[0]);
    Arguments rest = without(arguments, 1);
    for (const Value &item : inputs)
      results.push_back(applyFilter(name, item, rest));
  }
  return Value::list(std::move(results), ListKind::Generator);
}

// select, reject, selectattr, rejectattr: by a test, or by being true.
template <bool byAttribute, bool wanted>
static Value choose(const Value &input, const Arguments &arguments) {
  size_t skipped = byAttribute ? 1 : 0;
  if (arguments.positional.size() < skipped)
    throw TemplateError("an attribute's name is missing");
  bool byTest = arguments.positional.size() > skipped;
  Arguments rest = without(arguments, skipped + (byTest ? 1 : 0));
  std::vector<Value> results;
  if (!input.isTrue())
    return Value::list({}, ListKind::Generator);
  for (const Value &item : input.elements()) {
    Value seen =
        byAttribute ? attributeAt(item, arguments.positional[0]) : item;
    bool holds = byTest ? applyTest(textArgument(arguments.positional[skipped]),
                                    seen, rest)
                        : seen.isTrue();
    if (holds == wanted)
      results.push_back(item);
  }
  return Value::list(std::move(results), ListKind::Generator);
}

// What items are ordered by: an attribute, texts without regard to case.
static std::vector<std::pair<Value, Value>>
withKeys(const Value &input, const std::optional<Value> &attribute,
         bool caseSensitive) {
  std::vector<std::pair<Value, Value>> keyed;
  if (attribute && attribute->text() &&
      attribute->text()->find(',') != std::string::npos)
    throw TemplateError("several attributes to sort by are not supported");
  for (const Value &item : input.elements()) {
    Value key = isGiven(attribute) ? attributeAt(item, *attribute) : item;
    if (key.text() && !caseSensitive)
      key = Value(toLower(*key.text()));
    keyed.emplace_back(key, item);
  }
  return keyed;
}

static Value sort(const Value &input, const Arguments &arguments) {
  Bound bound =
      arguments.bind("sort", {"reverse", "case_sensitive", "attribute"});
  auto keyed = withKeys(input, bound[2], bound[1] && bound[1]->isTrue());
  sortByFirst(keyed, bound[0] && bound[0]->isTrue());
  std::vector<Value> results;
  for (auto &entry : keyed)
    results.push_back(std::move(entry.second));
  return Value::list(std::move(results));
}

static Value unique(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("unique", {"case_sensitive", "attribute"});
  std::vector<Value> results, seen;
  for (auto &[key, item] :
       withKeys(input, bound[1], bound[0] && bound[0]->isTrue())) {
    bool isKnown = std::any_of(seen.begin(), seen.end(), [&](const Value &one) {
      return one.equals(key);
    });
    if (isKnown)
      continue;
    seen.push_back(key);
    results.push_back(item);
  }
  return Value::list(std::move(results), ListKind::Generator);
}

template <int sign>
static Value extreme(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("min", {"case_sensitive", "attribute"});
  auto keyed = withKeys(input, bound[1], bound[0] && bound[0]->isTrue());
  if (keyed.empty())
    return Value::undefined("item");
  size_t best = 0;
  for (size_t i = 1; i < keyed.size(); ++i)
    if (sign * keyed[i].first.compare(keyed[best].first) > 0)
      best = i;
  return keyed[best].second;
}

static Value sum(const Value &input, const Arguments &arguments) {
  Bound bound = arguments.bind("sum", {"attribute", "start"});
  Value total = bound[1] ? *bound[1] : Value(int64_t(0));
  for (const Value &item : input.elements())
    total = applyBinary(
        "+", total, isGiven(bound[0]) ? attributeAt(item, *bound[0]) : item);
  return total;
}

static constexpr std::pair<std::string_view, Filter> filters[] = {
    {"first", firstOf},
    {"items", items},
    {"join", join},
    {"last", lastOf},
    {"list", list},
    {"map", map},
    {"max", extreme<1>},
    {"min", extreme<-1>},
    {"reject", choose<false, false>},
    {"rejectattr", choose<true, false>},
    {"reverse", reverse},
    {"select", choose<false, true>},
    {"selectattr", choose<true, true>},
    {"sort", sort},
    {"sum", sum},
    {"unique", unique},
};

Filter jinja::findSequenceFilter(std::string_view name) {
  for (const auto &[known, filter] : filters)
    if (known == name)
      return filter;
  return nullptr;
}
