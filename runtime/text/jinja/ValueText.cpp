// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values as text: str(), repr() and json.dumps().

#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Value.h"

#include <charconv>
#include <cmath>
#include <utf8proc.h>

using namespace lori;
using namespace lori::jinja;

// The shortest digits that read back as `value`, as a power of ten where its
// exponent is below -4 or from 16 on.
std::string jinja::floatText(double value) {
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  char buffer[64];
  auto end = std::to_chars(buffer, std::end(buffer), value,
                           std::chars_format::scientific)
                 .ptr;
  std::string digits(buffer, end);
  int exponent = 0;
  size_t at = digits.find('e');
  std::from_chars(digits.data() + at + (digits[at + 1] == '+' ? 2 : 1),
                  digits.data() + digits.size(), exponent);
  if (exponent < -4 || exponent >= 16)
    return digits; // to_chars too writes at least two digits of exponent
  end = std::to_chars(buffer, std::end(buffer), value, std::chars_format::fixed)
            .ptr;
  std::string text(buffer, end);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

static bool isPrintable(char32_t codePoint) {
  if (codePoint == ' ')
    return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(codePoint))) {
  case UTF8PROC_CATEGORY_CC:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_CS:
  case UTF8PROC_CATEGORY_CO:
  case UTF8PROC_CATEGORY_CN:
  case UTF8PROC_CATEGORY_ZS:
  case UTF8PROC_CATEGORY_ZL:
  case UTF8PROC_CATEGORY_ZP:
    return false;
  default:
    return true;
  }
}

static std::string hex(char32_t value, size_t width) {
  std::string text(width, '0');
  for (size_t i = width; i-- > 0; value /= 16)
    text[i] = "0123456789abcdef"[value % 16];
  return text;
}

namespace {

// Writes one value, and never more than the limit.
class Writer {
public:
  Writer(size_t limit, const JsonStyle *json) : json(json), limit(limit) {}

  void value(const Value &value, int depth);
  std::string out;

private:
  void put(std::string_view text) {
    if (text.size() > limit - out.size())
      throw TemplateError("a text becomes too long");
    spend(text.size());
    out += text;
  }
  void quoted(std::string_view text);
  void jsonQuoted(std::string_view text);
  void key(const Value &key, int depth);
  void items(const List &list, int depth);
  void entries(const Dict &dict, int depth);
  void newLine(int depth);

  const JsonStyle *json; ///< null for repr()
  const size_t limit;
};

} // namespace

void Writer::quoted(std::string_view text) {
  bool doubles = text.find('\'') != std::string_view::npos &&
                 text.find('"') == std::string_view::npos;
  std::string result(1, doubles ? '"' : '\'');
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    char32_t c = next.codePoint;
    if (c == '\\' || c == static_cast<char32_t>(result[0]))
      (result += '\\') += static_cast<char>(c);
    else if (c == '\n')
      result += "\\n";
    else if (c == '\r')
      result += "\\r";
    else if (c == '\t')
      result += "\\t";
    else if (isPrintable(c))
      result += text.substr(at, next.size);
    else
      result += c < 0x100     ? "\\x" + hex(c, 2)
                : c < 0x10000 ? "\\u" + hex(c, 4)
                              : "\\U" + hex(c, 8);
    at += next.size;
  }
  put(result += result[0]);
}

void Writer::jsonQuoted(std::string_view text) {
  std::string result = "\"";
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    char32_t c = next.codePoint;
    static constexpr std::string_view from = "\"\\\n\r\t\b\f", to = "\"\\nrtbf";
    size_t known = c < 0x80 ? from.find(static_cast<char>(c)) : from.npos;
    if (known != from.npos) {
      (result += '\\') += to[known];
    } else if (c < 0x20 || (json->ascii && c > 0x7E)) {
      if (c < 0x10000)
        result += "\\u" + hex(c, 4);
      else
        result += "\\u" + hex(0xD800 + ((c - 0x10000) >> 10), 4) + "\\u" +
                  hex(0xDC00 + ((c - 0x10000) & 0x3FF), 4);
    } else {
      result += text.substr(at, next.size);
    }
    at += next.size;
  }
  put(result += '"');
}

void Writer::newLine(int depth) {
  if (!json || !json->indent)
    return;
  put("\n");
  put(std::string(
      static_cast<size_t>(*json->indent) * static_cast<size_t>(depth), ' '));
}

void Writer::items(const List &list, int depth) {
  bool isTuple = list.kind == ListKind::Tuple;
  if (list.kind != ListKind::List && !isTuple)
    throw TemplateError("a view, range or generator is written as text; make "
                        "it a list first");
  put(isTuple && !json ? "(" : "[");
  bool first = true;
  for (const Value &item : list.items) {
    if (!first)
      put(json ? json->itemSeparator : ", ");
    first = false;
    newLine(depth + 1);
    value(item, depth + 1);
  }
  if (!list.items.empty())
    newLine(depth);
  if (isTuple && !json && list.items.size() == 1)
    put(",");
  put(isTuple && !json ? ")" : "]");
}

// JSON has only texts as keys.
void Writer::key(const Value &key, int depth) {
  if (!json || key.text())
    return value(key, depth);
  if (!key.number() && !key.isNone())
    throw TemplateError("tojson meets a key of type " +
                        std::string(key.typeName()));
  put("\"");
  value(key, depth);
  put("\"");
}

void Writer::entries(const Dict &dict, int depth) {
  auto entries = dict.entries;
  if (json && json->sortKeys)
    sortByFirst(entries, false);
  put("{");
  bool first = true;
  for (const auto &[name, item] : entries) {
    if (!first)
      put(json ? json->itemSeparator : ", ");
    first = false;
    newLine(depth + 1);
    key(name, depth + 1);
    put(json ? json->keySeparator : ": ");
    value(item, depth + 1);
  }
  if (!entries.empty())
    newLine(depth);
  put("}");
}

void Writer::value(const Value &value, int depth) {
  spend(16);
  if (value.isUndefined()) {
    if (json)
      throw TemplateError("tojson meets an undefined value");
    return put("Undefined");
  }
  if (value.isNone())
    return put(json ? "null" : "None");
  if (const bool *flag = value.boolean())
    return put(json ? (*flag ? "true" : "false") : (*flag ? "True" : "False"));
  if (value.isFloat()) {
    double real = *value.number();
    if (json && !std::isfinite(real))
      return put(std::isnan(real) ? "NaN"
                 : real < 0       ? "-Infinity"
                                  : "Infinity");
    return put(floatText(real));
  }
  if (std::optional<int64_t> integer = value.integer())
    return put(std::to_string(*integer));
  if (const std::string *text = value.text())
    return json ? jsonQuoted(*text) : quoted(*text);
  if (const List *list = value.list())
    return items(*list, depth);
  if (const Dict *dict = value.dict())
    return entries(*dict, depth);
  throw TemplateError("a value of type " + std::string(value.typeName()) +
                      " is written as text");
}

std::string jinja::toText(const Value &value, size_t limit) {
  if (const std::string *text = value.text()) {
    if (text->size() > limit)
      throw TemplateError("a text becomes too long");
    spend(text->size());
    return *text;
  }
  return value.isUndefined() ? std::string() : toRepr(value, limit);
}

std::string jinja::toRepr(const Value &value, size_t limit) {
  Writer writer(limit, nullptr);
  writer.value(value, 0);
  return std::move(writer.out);
}

std::string jinja::toJson(const Value &value, const JsonStyle &style,
                          size_t limit) {
  Writer writer(limit, &style);
  writer.value(value, 0);
  return std::move(writer.out);
}
