// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/JsonFields.h"

using namespace lori;

JsonFields::JsonFields(const JsonValue &object, std::string_view path,
                       std::string_view where)
    : fields(object), filePath(path), where(where) {
  if (!object.object())
    throw Error(path,
                (where.empty() ? std::string("the file") : std::string(where)) +
                    " holds " + std::string(object.kindName()) +
                    ", expected a JSON object, fetch the file again");
}

Error JsonFields::error(std::string_view key, const std::string &what) const {
  std::string prefix = where.empty() ? "" : std::string(where) + ".";
  return Error(filePath, prefix + std::string(key) + " " + what);
}

Error JsonFields::unexpected(std::string_view key,
                             const std::string &expected) const {
  return error(key, "is " + fields.find(key)->excerpt() + ", expected " +
                        expected + ", correct the file");
}

Error JsonFields::missing(std::string_view key) const {
  return error(key, "is missing, add it to the file");
}

const JsonValue *JsonFields::find(std::string_view key) const {
  const JsonValue *value = fields.find(key);
  return value && !value->isNull() ? value : nullptr;
}

bool JsonFields::isNull(std::string_view key) const {
  const JsonValue *value = fields.find(key);
  return value && value->isNull();
}

std::optional<int64_t> JsonFields::integer(std::string_view key, int64_t least,
                                           int64_t most) const {
  const JsonValue *value = find(key);
  if (!value)
    return std::nullopt;
  auto number = value->integer();
  if (!number || *number < least || *number > most)
    throw unexpected(key, "an integer from " + std::to_string(least) + " to " +
                              std::to_string(most));
  return number;
}

int64_t JsonFields::requiredInteger(std::string_view key, int64_t least,
                                    int64_t most) const {
  if (auto value = integer(key, least, most))
    return *value;
  throw missing(key);
}

std::optional<double> JsonFields::number(std::string_view key) const {
  const JsonValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (auto number = value->number())
    return number;
  throw unexpected(key, "a number");
}

std::optional<double> JsonFields::positive(std::string_view key) const {
  auto value = number(key);
  if (value && !(*value > 0))
    throw unexpected(key, "a number above 0");
  return value;
}

double JsonFields::requiredPositive(std::string_view key) const {
  if (auto value = positive(key))
    return *value;
  throw missing(key);
}

std::optional<bool> JsonFields::boolean(std::string_view key) const {
  const JsonValue *value = find(key);
  if (!value)
    return std::nullopt;
  if (const bool *flag = value->boolean())
    return *flag;
  throw unexpected(key, "true or false");
}

const std::string *JsonFields::text(std::string_view key) const {
  const JsonValue *value = find(key);
  if (value && !value->text())
    throw unexpected(key, "a string");
  return value ? value->text() : nullptr;
}

const JsonValue::Array *JsonFields::array(std::string_view key) const {
  const JsonValue *value = find(key);
  if (value && !value->array())
    throw unexpected(key, "a list");
  return value ? value->array() : nullptr;
}

const JsonValue::Object *JsonFields::object(std::string_view key) const {
  const JsonValue *value = find(key);
  if (value && !value->object())
    throw unexpected(key, "an object");
  return value ? value->object() : nullptr;
}

std::vector<std::string> JsonFields::texts(std::string_view key) const {
  const JsonValue *value = find(key);
  if (!value)
    return {};
  if (value->text())
    return {*value->text()};
  std::vector<std::string> list;
  if (!value->array())
    throw unexpected(key, "a string or a list of strings");
  for (const JsonValue &item : *value->array()) {
    if (!item.text())
      throw error(key, "holds " + item.excerpt() +
                           ", expected strings only, correct the file");
    list.push_back(*item.text());
  }
  return list;
}
