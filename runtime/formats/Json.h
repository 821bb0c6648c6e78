// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// JSON from untrusted files: members keep the order of the file, a duplicate
// key is an error, and memory stays proportional to the text.

#ifndef LORI_RUNTIME_FORMATS_JSON_H
#define LORI_RUNTIME_FORMATS_JSON_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace lori {

class JsonValue {
public:
  using Array = std::vector<JsonValue>;
  using Object = std::vector<std::pair<std::string, JsonValue>>;

  JsonValue() = default;
  explicit JsonValue(bool value) : value(value) {}
  explicit JsonValue(int64_t value) : value(value) {}
  explicit JsonValue(double value) : value(value) {}
  explicit JsonValue(std::string text) : value(std::move(text)) {}
  explicit JsonValue(Array items) : value(std::move(items)) {}
  explicit JsonValue(Object members) : value(std::move(members)) {}

  bool isNull() const { return std::holds_alternative<std::monostate>(value); }
  /// A number with a point or an exponent, or beyond 64 bits.
  bool isDouble() const { return std::holds_alternative<double>(value); }
  /// Each returns null (or nothing) if the value is of another kind.
  const bool *boolean() const { return std::get_if<bool>(&value); }
  const std::string *text() const { return std::get_if<std::string>(&value); }
  const Array *array() const { return std::get_if<Array>(&value); }
  const Object *object() const { return std::get_if<Object>(&value); }
  Array *array() { return std::get_if<Array>(&value); }
  Object *object() { return std::get_if<Object>(&value); }
  /// An integer that fits; 8.0 counts as one.
  std::optional<int64_t> integer() const;
  /// Any finite number.
  std::optional<double> number() const;

  /// Returns the member `key` of an object, or null.
  const JsonValue *find(std::string_view key) const;

  /// Names the kind for messages: "a string".
  std::string_view kindName() const;
  /// A short rendering for messages, cut off after some 40 characters.
  std::string excerpt() const;

private:
  std::variant<std::monostate, bool, int64_t, double, std::string, Array,
               Object>
      value;
};

/// Parses `text`. Malformed text, a duplicate key or nesting deeper than 64
/// throws an Error that names `path` and, if only a part of that file is meant,
/// the `part` ("header").
JsonValue parseJson(std::string_view text, std::string_view path,
                    std::string_view part = "file");

/// Parses a whole file of at most 64 MB.
JsonValue parseJsonFile(const std::string &path);

/// Returns `text` as a JSON string with its quotes.
std::string jsonQuoted(std::string_view text);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_JSON_H
