// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attributes, items and slices.

#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Methods.h"
#include "runtime/text/jinja/Operators.h"

#include <algorithm>

using namespace lori;
using namespace lori::jinja;

// In Python this would be a method, which is true and defined.
static void refuseMethod(const Value &object, std::string_view name) {
  if (hasMethod(object, name))
    throw TemplateError("the method '" + std::string(name) +
                        "' without a call is not supported");
}

Value jinja::attributeOf(const Value &object, std::string_view name) {
  requireDefined(object);
  if (const Object *thing = object.object()) {
    std::optional<Value> found = thing->attribute(name);
    return found ? *found : Value::undefined(name);
  }
  refuseMethod(object, name);
  const Value *found = object.dict() ? object.dict()->find(name) : nullptr;
  return found ? *found : Value::undefined(name);
}

static bool hasIndexes(const List *list) {
  return list && list->kind != ListKind::View &&
         list->kind != ListKind::Generator;
}

static Value characterAt(const std::string &text, int64_t index) {
  int64_t size = Value(text).length();
  if (index < 0)
    index += size;
  if (index < 0 || index >= size)
    return Value::undefined("index");
  size_t at = 0;
  for (; index > 0; --index)
    at += decodeUtf8(text, at).size;
  return text.substr(at, decodeUtf8(text, at).size);
}

static bool isUnhashable(const Value &value) {
  return value.dict() || (value.list() && value.list()->kind == ListKind::List);
}

Value jinja::itemOf(const Value &object, const Value &index) {
  requireDefined(object);
  if (const Dict *dict = object.dict()) {
    const Value *found = isUnhashable(index) ? nullptr : dict->find(index);
    if (found)
      return *found;
  } else if (std::optional<int64_t> number = index.integer()) {
    if (object.text())
      return characterAt(*object.text(), *number);
    if (hasIndexes(object.list())) {
      const std::vector<Value> &items = object.list()->items;
      auto size = static_cast<int64_t>(items.size());
      int64_t at = *number < 0 ? *number + size : *number;
      return at < 0 || at >= size ? Value::undefined("index")
                                  : items[static_cast<size_t>(at)];
    }
  }
  const std::string *name = index.text();
  if (!name)
    return Value::undefined("index");
  if (object.object())
    return attributeOf(object, *name);
  refuseMethod(object, *name);
  return Value::undefined(*name);
}

namespace {
struct Range {
  int64_t start, count, step;
};
} // namespace

// Python's slice.indices().
static Range resolve(const Value &start, const Value &stop, const Value &step,
                     int64_t size) {
  static constexpr int64_t far = int64_t(1) << 40;
  int64_t by = std::clamp(step.integer().value_or(1), -far, far);
  if (by == 0)
    throw TemplateError("the step of a slice is 0");
  int64_t low = by > 0 ? 0 : -1, high = by > 0 ? size : size - 1;
  auto place = [&](const Value &given, int64_t otherwise) {
    if (given.isNone())
      return otherwise;
    int64_t at = std::clamp(*given.integer(), -far, far);
    return std::clamp(at < 0 ? at + size : at, low, high);
  };
  int64_t from = place(start, by > 0 ? low : high);
  int64_t to = place(stop, by > 0 ? high : low);
  int64_t distance = by > 0 ? to - from : from - to;
  int64_t width = by > 0 ? by : -by;
  return {from, distance > 0 ? (distance + width - 1) / width : 0, by};
}

static Value sliceText(const std::string &text, const Range &range) {
  std::vector<size_t> begins;
  spend((text.size() + 1) * sizeof(size_t));
  for (size_t at = 0; at < text.size(); at += decodeUtf8(text, at).size)
    begins.push_back(at);
  begins.push_back(text.size());
  std::string result;
  for (int64_t i = 0; i < range.count; ++i) {
    auto at = static_cast<size_t>(range.start + i * range.step);
    result.append(text, begins[at], begins[at + 1] - begins[at]);
  }
  return Value(std::move(result));
}

Value jinja::sliceOf(const Value &object, const Value &start, const Value &stop,
                     const Value &step) {
  requireDefined(object);
  bool isText = object.text(), isList = hasIndexes(object.list());
  for (const Value *part : {&start, &stop, &step})
    if (!part->isNone() && !part->integer())
      return Value::undefined("slice");
  if (!isText && !isList)
    return Value::undefined("slice");
  Range range = resolve(start, stop, step, object.length());
  if (isText)
    return sliceText(*object.text(), range);
  const List &list = *object.list();
  std::vector<Value> items;
  spend(static_cast<size_t>(range.count) * sizeof(Value));
  for (int64_t i = 0; i < range.count; ++i)
    items.push_back(
        list.items[static_cast<size_t>(range.start + i * range.step)]);
  return Value::list(std::move(items), list.kind);
}
