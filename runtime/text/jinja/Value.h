// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The values of chat templates, with Python's meaning of truth, equality, order
// and text.

#ifndef LORI_RUNTIME_TEXT_JINJA_VALUE_H
#define LORI_RUNTIME_TEXT_JINJA_VALUE_H

#include "runtime/text/jinja/Limits.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lori::jinja {

/// What goes wrong in a template, without the place.
class TemplateError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

class Value;
struct Dict;

/// Things that only have attributes or can be called: namespaces, loops,
/// macros.
class Object {
public:
  virtual ~Object() = default;
  virtual std::string_view typeName() const = 0;
  virtual std::optional<Value> attribute(std::string_view name) const = 0;
};

/// The sequences of Python differ in what may be asked of them.
enum class ListKind {
  List,
  Tuple,
  Range,
  View,      ///< of a dictionary: no indexing
  Generator, ///< always true, no length, runs once
};

struct List {
  std::vector<Value> items;
  ListKind kind = ListKind::List;
  mutable bool used = false; ///< a generator that has run
  unsigned nesting = 1;
};

class Value {
public:
  struct Undefined {
    std::string name; ///< for messages
  };
  struct None {};
  using Text = std::shared_ptr<const std::string>;

  Value() : value(None()) {}
  Value(Undefined undefined) : value(std::move(undefined)) {}
  Value(bool boolean) : value(boolean) {}
  Value(int64_t integer) : value(integer) {}
  Value(double real) : value(real) {}
  /// Throws TemplateError when the work allowed is used up.
  Value(std::string text)
      : value(std::make_shared<const std::string>(std::move(text))) {
    spend(64 + this->text()->size());
  }
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char *text) : Value(std::string(text)) {}
  Value(std::shared_ptr<List> list) : value(std::move(list)) {}
  Value(std::shared_ptr<Dict> dict) : value(std::move(dict)) {}
  Value(std::shared_ptr<Object> object) : value(std::move(object)) {}
  /// Throws TemplateError for values that nest too deep.
  static Value list(std::vector<Value> items, ListKind kind = ListKind::List);
  static Value undefined(std::string_view name) {
    return Undefined{std::string(name)};
  }

  const Undefined *undefined() const { return std::get_if<Undefined>(&value); }
  bool isUndefined() const { return std::holds_alternative<Undefined>(value); }
  bool isNone() const { return std::holds_alternative<None>(value); }
  const bool *boolean() const { return std::get_if<bool>(&value); }
  const std::string *text() const {
    const Text *found = std::get_if<Text>(&value);
    return found ? found->get() : nullptr;
  }
  const List *list() const { return pointee<List>(); }
  const Dict *dict() const { return pointee<Dict>(); }
  Object *object() const {
    const auto *found = std::get_if<std::shared_ptr<Object>>(&value);
    return found ? found->get() : nullptr;
  }
  /// An integer; True and False count as 1 and 0.
  std::optional<int64_t> integer() const;
  bool isFloat() const { return std::holds_alternative<double>(value); }
  /// Any number.
  std::optional<double> number() const;

  /// Lists and dictionaries in each other.
  unsigned nesting() const;
  /// Python's name of the type: "str".
  std::string_view typeName() const;
  bool isTrue() const;
  /// Throws TemplateError for values without a length.
  int64_t length() const;
  /// Returns the elements that a loop goes through. Throws TemplateError for
  /// values that have none.
  std::vector<Value> elements() const;
  bool equals(const Value &other) const;
  /// Returns less than, equal to or greater than 0, or throws TemplateError for
  /// values that have no order.
  int compare(const Value &other) const;
  /// The operator `in`.
  bool contains(const Value &item) const;

private:
  template <typename Type> const Type *pointee() const {
    const auto *found = std::get_if<std::shared_ptr<Type>>(&value);
    return found ? found->get() : nullptr;
  }
  std::variant<Undefined, None, bool, int64_t, double, Text,
               std::shared_ptr<List>, std::shared_ptr<Dict>,
               std::shared_ptr<Object>>
      value;
};

/// A dictionary in order of insertion.
struct Dict {
  std::vector<std::pair<Value, Value>> entries;
  unsigned nesting = 1;

  const Value *find(const Value &key) const;
  const Value *find(std::string_view key) const;
  /// Throws TemplateError for keys that Python does not take and values that
  /// nest too deep.
  void set(const Value &key, Value item);
};

/// Sorts stably. Throws TemplateError for values that have no order.
void sortByFirst(std::vector<std::pair<Value, Value>> &pairs, bool descending);

/// Python's str(): what `{{ value }}` prints. `limit` bounds the size; beyond
/// it a TemplateError is thrown.
std::string toText(const Value &value, size_t limit);
/// Python's repr().
std::string toRepr(const Value &value, size_t limit);

struct JsonStyle {
  std::optional<int64_t> indent;
  std::string itemSeparator = ", ", keySeparator = ": ";
  bool sortKeys = false, ascii = false;
};

/// Python's json.dumps().
std::string toJson(const Value &value, const JsonStyle &style, size_t limit);

/// Python's repr() of a float.
std::string floatText(double value);

/// Python's str.isspace() of one character.
bool isPythonSpace(char32_t codePoint);

} // namespace lori::jinja

#endif // LORI_RUNTIME_TEXT_JINJA_VALUE_H
