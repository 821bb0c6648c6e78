// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_JSONFIELDS_H
#define LORI_RUNTIME_FORMATS_JSONFIELDS_H

#include "runtime/formats/Json.h"
#include "runtime/support/Error.h"

namespace lori {

/// Typed access to the fields of one JSON object of a configuration file.
/// A field that is missing or null is nothing; one of another type, or out of
/// its range, is an Error that names file, field, value and expectation.
class JsonFields {
public:
  /// `where` names a nested object in messages ("rope_scaling.").
  JsonFields(const JsonValue &object, std::string_view path,
             std::string_view where = "");

  const JsonValue *find(std::string_view key) const;
  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// True if the field is there and null.
  bool isNull(std::string_view key) const;

  std::optional<int64_t> integer(std::string_view key, int64_t least,
                                 int64_t most) const;
  int64_t requiredInteger(std::string_view key, int64_t least,
                          int64_t most) const;
  std::optional<double> number(std::string_view key) const;
  /// A number above 0.
  std::optional<double> positive(std::string_view key) const;
  double requiredPositive(std::string_view key) const;
  std::optional<bool> boolean(std::string_view key) const;
  bool flag(std::string_view key) const { return boolean(key).value_or(false); }
  const std::string *text(std::string_view key) const;
  const JsonValue::Array *array(std::string_view key) const;
  const JsonValue::Object *object(std::string_view key) const;
  /// A string, or a list of strings; nothing makes no strings.
  std::vector<std::string> texts(std::string_view key) const;

  /// Returns an Error about a field: `FILE: FIELD WHAT`.
  Error error(std::string_view key, const std::string &what) const;
  /// Returns the Error of a field whose value is not what was expected.
  Error unexpected(std::string_view key, const std::string &expected) const;

  std::string_view path() const { return filePath; }

private:
  Error missing(std::string_view key) const;

  const JsonValue &fields;
  std::string_view filePath, where;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_JSONFIELDS_H
