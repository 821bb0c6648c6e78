// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Value.h"
#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Text.h"

#include <algorithm>
#include <cmath>
#include <list>

using namespace lori;
using namespace lori::jinja;

static thread_local WorkLimit *currentLimit = nullptr;

WorkLimit::WorkLimit(size_t work) : left(work), outer(currentLimit) {
  currentLimit = this;
}

WorkLimit::~WorkLimit() { currentLimit = outer; }

void jinja::spend(size_t work) {
  if (!currentLimit)
    return;
  if (work > currentLimit->left)
    throw TemplateError("the template takes too much memory or time");
  currentLimit->left -= work;
}

static unsigned nestingAround(const Value &inner) {
  if (inner.nesting() >= maxValueNesting)
    throw TemplateError("values are nested too deep");
  return inner.nesting() + 1;
}

unsigned Value::nesting() const {
  return list() ? list()->nesting : dict() ? dict()->nesting : 0;
}

Value Value::list(std::vector<Value> items, ListKind kind) {
  spend(64 + items.size() * sizeof(Value));
  auto list = std::make_shared<List>();
  for (const Value &item : items)
    list->nesting = std::max(list->nesting, nestingAround(item));
  list->items = std::move(items);
  list->kind = kind;
  return list;
}

std::optional<int64_t> Value::integer() const {
  if (const auto *integer = std::get_if<int64_t>(&value))
    return *integer;
  if (const bool *flag = boolean())
    return *flag ? 1 : 0;
  return std::nullopt;
}

std::optional<double> Value::number() const {
  if (const auto *real = std::get_if<double>(&value))
    return *real;
  std::optional<int64_t> whole = integer();
  return whole ? std::optional(static_cast<double>(*whole)) : std::nullopt;
}

std::string_view Value::typeName() const {
  if (const List *sequence = list())
    switch (sequence->kind) {
    case ListKind::List:
      return "list";
    case ListKind::Tuple:
      return "tuple";
    case ListKind::Range:
      return "range";
    case ListKind::View:
      return "dict view";
    case ListKind::Generator:
      return "generator";
    }
  if (const Object *thing = object())
    return thing->typeName();
  static constexpr std::string_view names[] = {
      "Undefined", "NoneType", "bool", "int", "float", "str", "", "dict", ""};
  return names[value.index()];
}

bool Value::isTrue() const {
  if (isUndefined() || isNone())
    return false;
  if (std::optional<double> real = number())
    return *real != 0;
  if (const std::string *string = text())
    return !string->empty();
  if (const List *sequence = list())
    return sequence->kind == ListKind::Generator || !sequence->items.empty();
  if (const Dict *mapping = dict())
    return !mapping->entries.empty();
  return true;
}

static int64_t countCharacters(std::string_view text) {
  spend(text.size());
  return std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<uint8_t>(c) & 0xC0) != 0x80;
  });
}

int64_t Value::length() const {
  if (isUndefined())
    return 0;
  if (const std::string *string = text())
    return countCharacters(*string);
  if (const List *sequence = list())
    if (sequence->kind != ListKind::Generator)
      return static_cast<int64_t>(sequence->items.size());
  if (const Dict *mapping = dict())
    return static_cast<int64_t>(mapping->entries.size());
  throw TemplateError("a value of type " + std::string(typeName()) +
                      " has no length");
}

std::vector<Value> Value::elements() const {
  std::vector<Value> result;
  if (isUndefined())
    return result;
  if (const List *sequence = list()) {
    if (sequence->kind == ListKind::Generator &&
        std::exchange(sequence->used, true))
      return result;
    spend(sequence->items.size() * sizeof(Value));
    return sequence->items;
  }
  if (const Dict *mapping = dict()) {
    spend(mapping->entries.size() * sizeof(Value));
    for (const auto &entry : mapping->entries)
      result.push_back(entry.first);
    return result;
  }
  const std::string *string = text();
  if (!string)
    throw TemplateError("a value of type " + std::string(typeName()) +
                        " cannot be iterated over");
  for (size_t at = 0; at < string->size();) {
    size_t size = decodeUtf8(*string, at).size;
    result.push_back(string->substr(at, size));
    at += size;
  }
  return result;
}

static bool equalLists(const List &left, const List &right);

static bool equalValues(const Value &left, const Value &right) {
  spend(16);
  if (left.isUndefined() || right.isUndefined())
    return left.isUndefined() && right.isUndefined();
  if (left.isNone() || right.isNone())
    return left.isNone() && right.isNone();
  if (left.integer() && right.integer())
    return *left.integer() == *right.integer();
  if (left.number() && right.number())
    return *left.number() == *right.number();
  if (left.text() && right.text()) {
    if (left.text()->size() == right.text()->size())
      spend(left.text()->size());
    return *left.text() == *right.text();
  }
  if (left.list() && right.list())
    return equalLists(*left.list(), *right.list());
  if (left.dict() && right.dict()) {
    const Dict &first = *left.dict(), &second = *right.dict();
    return first.entries.size() == second.entries.size() &&
           std::all_of(first.entries.begin(), first.entries.end(),
                       [&](const auto &entry) {
                         const Value *other = second.find(entry.first);
                         return other && equalValues(entry.second, *other);
                       });
  }
  return left.object() && left.object() == right.object();
}

static bool equalLists(const List &left, const List &right) {
  if (left.kind == ListKind::Generator || right.kind == ListKind::Generator)
    return &left == &right;
  return left.kind == right.kind && left.items.size() == right.items.size() &&
         std::equal(left.items.begin(), left.items.end(), right.items.begin(),
                    [&](const Value &first, const Value &second) {
                      return equalValues(first, second);
                    });
}

bool Value::equals(const Value &other) const {
  return equalValues(*this, other);
}

static int compareValues(const Value &left, const Value &right) {
  spend(16);
  if (left.integer() && right.integer())
    return *left.integer() < *right.integer()   ? -1
           : *left.integer() > *right.integer() ? 1
                                                : 0;
  if (left.number() && right.number()) {
    double first = *left.number(), second = *right.number();
    if (std::isnan(first) || std::isnan(second))
      throw TemplateError("NaN is compared");
    return first < second ? -1 : first > second ? 1 : 0;
  }
  if (left.text() && right.text()) {
    spend(std::min(left.text()->size(), right.text()->size()));
    return left.text()->compare(*right.text());
  }
  const List *first = left.list(), *second = right.list();
  if (first && second && first->kind == second->kind &&
      (first->kind == ListKind::List || first->kind == ListKind::Tuple)) {
    for (size_t i = 0; i < first->items.size() && i < second->items.size(); ++i)
      if (!first->items[i].equals(second->items[i]))
        return compareValues(first->items[i], second->items[i]);
    return first->items.size() < second->items.size()   ? -1
           : first->items.size() > second->items.size() ? 1
                                                        : 0;
  }
  throw TemplateError("values of type " + std::string(left.typeName()) +
                      " and " + std::string(right.typeName()) +
                      " have no order");
}

int Value::compare(const Value &other) const {
  return compareValues(*this, other);
}

bool Value::contains(const Value &item) const {
  if (const std::string *string = text()) {
    if (!item.text())
      throw TemplateError("a value of type " + std::string(item.typeName()) +
                          " is looked for in a text");
    return findText(*string, *item.text(), 0).has_value();
  }
  if (const Dict *mapping = dict())
    return mapping->find(item) != nullptr;
  std::vector<Value> all = elements();
  return std::any_of(all.begin(), all.end(), [&](const Value &element) {
    return element.equals(item);
  });
}

const Value *Dict::find(const Value &key) const {
  if (key.list() && key.list()->kind == ListKind::List)
    throw TemplateError("a list is used as a key");
  if (key.dict())
    throw TemplateError("a dictionary is used as a key");
  for (const auto &entry : entries)
    if (entry.first.equals(key))
      return &entry.second;
  return nullptr;
}

const Value *Dict::find(std::string_view key) const {
  spend(16 * entries.size());
  for (const auto &entry : entries)
    if (entry.first.text() && *entry.first.text() == key)
      return &entry.second;
  return nullptr;
}

void Dict::set(const Value &key, Value item) {
  nesting = std::max({nesting, nestingAround(key), nestingAround(item)});
  if (const Value *found = find(key))
    *const_cast<Value *>(found) = std::move(item);
  else
    spend(sizeof(entries[0])), entries.emplace_back(key, std::move(item));
}

// A merge sort: numbers of Python need not be ordered strictly.
void jinja::sortByFirst(std::vector<std::pair<Value, Value>> &pairs,
                        bool descending) {
  spend(pairs.size() * sizeof(pairs[0]));
  std::list<std::pair<Value, Value>> sorted(
      std::make_move_iterator(pairs.begin()),
      std::make_move_iterator(pairs.end()));
  sorted.sort([&](const auto &left, const auto &right) {
    int order = left.first.compare(right.first);
    return descending ? order > 0 : order < 0;
  });
  pairs.assign(std::make_move_iterator(sorted.begin()),
               std::make_move_iterator(sorted.end()));
}

bool jinja::isPythonSpace(char32_t codePoint) {
  return isWhiteSpace(codePoint) || (codePoint >= 0x1C && codePoint <= 0x1F);
}
