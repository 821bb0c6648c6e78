// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/Error.h"
#include "runtime/text/Regex.h"
#include "runtime/text/TokenizerJson.h"
#include "runtime/text/Unicode.h"

using namespace lori;

void lori::checkSteps(size_t count, std::string_view role,
                      const std::string &file) {
  if (count > maxTokenizerSteps)
    throw Error(file, "the " + std::string(role) + " has " +
                          std::to_string(count) + " steps, at most " +
                          std::to_string(maxTokenizerSteps) + " are supported");
}

JsonMembers::JsonMembers(const JsonValue &json, const std::string &file,
                         std::string name)
    : json(json), filePath(file), name(std::move(name)) {
  if (!json.object())
    fail("is " + std::string(json.kindName()) + " instead of an object");
}

void JsonMembers::fail(const std::string &message) const {
  throw Error(filePath, shortText(name + " " + message));
}

void JsonMembers::failKind(std::string_view key, const JsonValue &value,
                           std::string_view wanted) const {
  fail("has " + std::string(value.kindName()) + " as '" + std::string(key) +
       "' instead of " + std::string(wanted));
}

const JsonValue *JsonMembers::find(std::string_view key) const {
  const JsonValue *value = json.find(key);
  return value && !value->isNull() ? value : nullptr;
}

const JsonValue &JsonMembers::require(std::string_view key) const {
  const JsonValue *value = find(key);
  if (!value)
    fail("has no '" + std::string(key) + "'");
  return *value;
}

std::string JsonMembers::text(std::string_view key) const {
  const JsonValue &value = require(key);
  if (!value.text())
    failKind(key, value, "a string");
  return *value.text();
}

int64_t JsonMembers::integer(std::string_view key) const {
  const JsonValue &value = require(key);
  std::optional<int64_t> number = value.integer();
  if (!number)
    failKind(key, value, "an integer");
  return *number;
}

bool JsonMembers::boolean(std::string_view key, bool otherwise) const {
  const JsonValue *value = find(key);
  if (!value)
    return otherwise;
  if (!value->boolean())
    failKind(key, *value, "true or false");
  return *value->boolean();
}

const JsonValue::Array &JsonMembers::array(std::string_view key) const {
  const JsonValue &value = require(key);
  if (!value.array())
    failKind(key, value, "an array");
  return *value.array();
}

const JsonValue::Object &JsonMembers::object(std::string_view key) const {
  const JsonValue &value = require(key);
  if (!value.object())
    failKind(key, value, "an object");
  return *value.object();
}

char32_t JsonMembers::character(std::string_view key) const {
  std::string value = text(key);
  Utf8Char first;
  if (!value.empty())
    first = decodeUtf8(value, 0);
  if (!first.valid || first.size != value.size())
    fail("has '" + value + "' as '" + std::string(key) +
         "' instead of one character");
  return first.codePoint;
}

std::string JsonMembers::pattern(std::optional<std::string> &literal) const {
  JsonMembers inner(require("pattern"), filePath, name);
  if (inner.find("String")) {
    literal = inner.text("String");
    return quotedPattern(*literal);
  }
  std::string source = inner.text("Regex");
  try {
    std::string pattern = translatePattern(source);
    Regex compiles(pattern);
    return pattern;
  } catch (const Error &error) {
    fail(std::string("cannot be used: ") + error.what());
  }
}
