// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/JsonWriter.h"

#include <charconv>

using namespace lori;

namespace {

class Writer {
public:
  explicit Writer(int indent) : indent(indent) {}

  void write(const JsonValue &value, int depth) {
    if (const JsonValue::Object *members = value.object())
      list(members->size(), '{', '}', depth, [&](size_t i) {
        text += jsonQuoted((*members)[i].first) + (indent ? ": " : ":");
        write((*members)[i].second, depth + 1);
      });
    else if (const JsonValue::Array *items = value.array())
      list(items->size(), '[', ']', depth,
           [&](size_t i) { write((*items)[i], depth + 1); });
    else if (const std::string *string = value.text())
      text += jsonQuoted(*string);
    else if (const bool *flag = value.boolean())
      text += *flag ? "true" : "false";
    else if (value.isNull())
      text += "null";
    else
      number(value);
  }

  std::string text;

private:
  template <typename Item>
  void list(size_t count, char open, char close, int depth, Item &&item) {
    text += open;
    for (size_t i = 0; i < count; ++i) {
      if (i != 0)
        text += ',';
      newLine(depth + 1);
      item(i);
    }
    if (count != 0)
      newLine(depth);
    text += close;
  }

  void newLine(int depth) {
    if (indent != 0)
      text += '\n' + std::string(static_cast<size_t>(depth * indent), ' ');
  }

  void number(const JsonValue &value) {
    if (value.isDouble())
      text += jsonNumber(*value.number());
    else
      text += std::to_string(*value.integer());
  }

  int indent;
};

} // namespace

std::string lori::jsonNumber(double number) {
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof(digits), number).ptr;
  std::string text(digits, end);
  if (text.find_first_of(".en") == text.npos)
    text += ".0";
  return text;
}

std::string lori::jsonText(const JsonValue &value, int indent) {
  Writer writer(indent);
  writer.write(value, 0);
  return std::move(writer.text);
}

void lori::setMember(JsonValue::Object &object, std::string_view key,
                     JsonValue value) {
  for (auto &[name, member] : object)
    if (name == key) {
      member = std::move(value);
      return;
    }
  object.emplace_back(key, std::move(value));
}
