// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Lexer.h"
#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Value.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

using namespace lori;
using namespace lori::jinja;

void jinja::failAtLine(uint32_t line, const std::string &message) {
  throw TemplateError("line " + std::to_string(line) + ": " + message);
}

static bool isDigit(char c) { return c >= '0' && c <= '9'; }
static bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

// Line ends become \n; one at the very end goes.
static std::string normalizeLines(std::string_view source) {
  std::string text;
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i] == '\r' && i + 1 < source.size() && source[i + 1] == '\n')
      continue;
    text += source[i] == '\r' ? '\n' : source[i];
  }
  if (text.ends_with('\n'))
    text.pop_back();
  return text;
}

namespace {

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  std::vector<Token> run();

private:
  struct Opening {
    size_t at;
    char kind; ///< '{', '%' or '#'
  };
  std::optional<Opening> findOpening() const;
  void data(size_t end, char sign, bool isVariable);
  void comment();
  bool raw(size_t afterSign);
  void tag(bool isVariable);
  bool tagEnd(bool isVariable);
  void tagToken();
  void number();
  void string();
  char32_t escape(std::string_view body, size_t &at) const;
  void operatorToken();

  char at(size_t index) const { return index < text.size() ? text[index] : 0; }
  std::string_view from(size_t index) const {
    return text.substr(std::min(index, text.size()));
  }
  void advance(size_t end);
  size_t skipSpace(size_t index) const;
  void add(TokenKind kind, std::string value = "") {
    Token token;
    token.kind = kind;
    token.text = std::move(value);
    token.line = line;
    tokens.push_back(std::move(token));
  }
  [[noreturn]] void fail(const std::string &message) const {
    failAtLine(line, message);
  }

  std::string_view text;
  size_t position = 0;
  uint32_t line = 1;
  /// Whether what came before ended in a line end (or is nothing).
  bool lineStarts = true;
  std::string open; ///< the closing brackets that are due
  std::vector<Token> tokens;
};

} // namespace

void Lexer::advance(size_t end) {
  auto begin = text.begin() + static_cast<ptrdiff_t>(position);
  line += static_cast<uint32_t>(
      std::count(begin, text.begin() + static_cast<ptrdiff_t>(end), '\n'));
  if (end > position)
    lineStarts = text[end - 1] == '\n';
  position = end;
}

size_t Lexer::skipSpace(size_t index) const {
  while (index < text.size()) {
    Utf8Char next = decodeUtf8(text, index);
    if (!isPythonSpace(next.codePoint))
      break;
    index += next.size;
  }
  return index;
}

static std::string_view withoutEndSpace(std::string_view text) {
  while (!text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80)
      --at;
    if (!isPythonSpace(decodeUtf8(text, at).codePoint))
      break;
    text = text.substr(0, at);
  }
  return text;
}

std::optional<Lexer::Opening> Lexer::findOpening() const {
  for (size_t i = position; (i = text.find('{', i)) != text.npos; ++i) {
    char kind = at(i + 1);
    if (kind == '{' || kind == '%' || kind == '#')
      return Opening{i, kind};
  }
  return std::nullopt;
}

// Emits the text up to `end`, before a tag with this white space sign.
void Lexer::data(size_t end, char sign, bool isVariable) {
  std::string_view part = text.substr(position, end - position);
  if (sign == '-') {
    part = withoutEndSpace(part);
  } else if (sign != '+' && !isVariable) {
    size_t lineBegin = part.rfind('\n') + 1; // 0 if there is none
    if ((lineBegin > 0 || lineStarts) &&
        withoutEndSpace(part.substr(lineBegin)).empty())
      part = part.substr(0, lineBegin);
  }
  if (!part.empty())
    add(TokenKind::Data, std::string(part));
}

static char signOf(char c) { return c == '-' || c == '+' ? c : '\0'; }

std::vector<Token> Lexer::run() {
  while (std::optional<Opening> opening = findOpening()) {
    char sign = signOf(at(opening->at + 2));
    size_t inside = opening->at + (sign ? 3 : 2);
    bool isVariable = opening->kind == '{';
    data(opening->at, sign, isVariable);
    advance(opening->at);
    if (opening->kind == '%' && raw(inside))
      continue;
    if (opening->kind == '#') {
      advance(inside);
      comment();
      continue;
    }
    add(isVariable ? TokenKind::VariableBegin : TokenKind::BlockBegin);
    advance(inside);
    tag(isVariable);
  }
  if (position < text.size())
    add(TokenKind::Data, std::string(text.substr(position)));
  advance(text.size());
  add(TokenKind::End);
  return std::move(tokens);
}

// The end of a tag closed by `close`, with what its sign or trim_blocks
// swallows; nothing if `index` is at no such end.
static std::optional<size_t> closingEnd(std::string_view text, size_t index,
                                        std::string_view close, bool trims) {
  std::string_view rest = text.substr(index);
  char sign = rest.empty() ? '\0' : signOf(rest[0]);
  if (!rest.substr(sign ? 1 : 0).starts_with(close))
    return std::nullopt;
  size_t end = index + (sign ? 1 : 0) + close.size();
  if (trims && !sign && end < text.size() && text[end] == '\n')
    ++end;
  return end;
}

void Lexer::comment() {
  for (size_t i = position; i < text.size(); ++i)
    if (std::optional<size_t> end = closingEnd(text, i, "#}", true)) {
      advance(text[i] == '-' ? skipSpace(*end) : *end);
      return;
    }
  fail("a comment does not end");
}

// {% raw %} ... {% endraw %}
bool Lexer::raw(size_t afterSign) {
  size_t i = skipSpace(afterSign);
  if (!from(i).starts_with("raw"))
    return false;
  i = skipSpace(i + 3);
  if (from(i).starts_with("-%}"))
    i = skipSpace(i + 3);
  else if (from(i).starts_with("%}"))
    i += 2;
  else
    return false;
  advance(i);
  for (; (i = text.find("{%", i)) != text.npos; ++i) {
    char sign = signOf(at(i + 2));
    size_t name = skipSpace(i + (sign ? 3 : 2));
    if (!from(name).starts_with("endraw"))
      continue;
    size_t close = skipSpace(name + 6);
    std::optional<size_t> end = closingEnd(text, close, "%}", true);
    if (!end)
      continue;
    data(i, sign, false);
    advance(text[close] == '-' ? skipSpace(*end) : *end);
    return true;
  }
  fail("a raw block does not end");
}

void Lexer::tag(bool isVariable) {
  open.clear();
  while (true) {
    if (open.empty() && tagEnd(isVariable))
      return;
    size_t next = skipSpace(position);
    if (next != position) {
      advance(next);
      continue;
    }
    if (position >= text.size())
      fail("a tag does not end");
    tagToken();
  }
}

bool Lexer::tagEnd(bool isVariable) {
  std::optional<size_t> end =
      closingEnd(text, position, isVariable ? "}}" : "%}", !isVariable);
  bool strips = at(position) == '-';
  if (!end || (isVariable && at(position) == '+'))
    return false;
  add(isVariable ? TokenKind::VariableEnd : TokenKind::BlockEnd);
  advance(strips ? skipSpace(*end) : *end);
  return true;
}

void Lexer::tagToken() {
  char c = text[position];
  if (isDigit(c))
    return number();
  if (c == '\'' || c == '"')
    return string();
  if (!isNameStart(c))
    return operatorToken();
  size_t end = position;
  while (isNameStart(at(end)) || isDigit(at(end)))
    ++end;
  if (static_cast<uint8_t>(at(end)) >= 0x80)
    fail("a name with characters other than ASCII is not supported");
  add(TokenKind::Name, std::string(text.substr(position, end - position)));
  advance(end);
}

void Lexer::number() {
  size_t end = position;
  auto digits = [&] {
    while (isDigit(at(end)))
      ++end;
  };
  digits();
  bool isFloat = false;
  if (at(end) == '.' && isDigit(at(end + 1))) {
    isFloat = true;
    ++end;
    digits();
  }
  size_t sign = at(end + 1) == '+' || at(end + 1) == '-' ? 1 : 0;
  if ((at(end) | 0x20) == 'e' && isDigit(at(end + 1 + sign))) {
    isFloat = true;
    end += 1 + sign;
    digits();
  }
  std::string body(text.substr(position, end - position));
  bool leadingZero =
      !isFloat && body[0] == '0' && body.find_first_not_of('0') != body.npos;
  if (isNameStart(at(end)) || leadingZero)
    fail("a number other than decimal is not supported");
  Token token;
  token.line = line;
  token.kind = isFloat ? TokenKind::Float : TokenKind::Integer;
  const char *stop = body.data() + body.size();
  auto result = isFloat ? std::from_chars(body.data(), stop, token.real)
                        : std::from_chars(body.data(), stop, token.integer);
  if (result.ec != std::errc())
    fail("the number " + body.substr(0, 40) + " is out of range");
  tokens.push_back(token);
  advance(end);
}

// Python's escapes of one character; `at` is behind the backslash.
char32_t Lexer::escape(std::string_view body, size_t &at) const {
  char c = body[at++];
  static constexpr std::string_view from = "abfnrtv\\'\"",
                                    to = "\a\b\f\n\r\t\v\\'\"";
  if (size_t known = from.find(c); known != from.npos)
    return static_cast<char32_t>(to[known]);
  size_t width = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
  int base = 16;
  if (width == 0) { // octal
    --at;
    base = 8;
    while (width < 3 && at + width < body.size() && body[at + width] >= '0' &&
           body[at + width] <= '7')
      ++width;
  }
  uint32_t value = 0;
  const char *begin = body.data() + at;
  if (width == 0 || at + width > body.size() ||
      std::from_chars(begin, begin + width, value, base).ptr != begin + width ||
      value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
    fail("a string has an escape that is not supported");
  at += width;
  return value;
}

void Lexer::string() {
  char quote = text[position];
  size_t end = position + 1;
  while (end < text.size() && text[end] != quote)
    end += text[end] == '\\' ? 2 : 1;
  if (end >= text.size())
    fail("a string does not end");
  std::string_view body = text.substr(position + 1, end - position - 1);
  std::string value;
  for (size_t i = 0; i < body.size();) {
    if (body[i] != '\\') {
      value += body[i++];
      continue;
    }
    ++i;
    static constexpr std::string_view known = "abfnrtv\\'\"xuU01234567";
    if (body[i] == '\n')
      ++i; // a line goes on
    else if (known.find(body[i]) != known.npos)
      appendUtf8(value, escape(body, i));
    else if (body[i] == 'N' || static_cast<uint8_t>(body[i]) >= 0x80)
      fail("a string has an escape that is not supported");
    else
      value += '\\'; // Python leaves unknown escapes as they are
  }
  add(TokenKind::String, std::move(value));
  advance(end + 1);
}

void Lexer::operatorToken() {
  static constexpr std::array<std::string_view, 25> operators = {
      "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[",
      "]",  "(",  ")",  "{",  "}",  ">",  "<", "=", ".", ":", "|", ","};
  for (std::string_view known : operators) {
    if (!from(position).starts_with(known))
      continue;
    static constexpr std::string_view opening = "([{", closing = ")]}";
    if (size_t kind = opening.find(known); kind != opening.npos) {
      open += closing[kind];
    } else if (closing.find(known) != closing.npos) {
      if (open.empty() || open.back() != known[0])
        fail("'" + std::string(known) + "' closes nothing");
      open.pop_back();
    }
    add(TokenKind::Operator, std::string(known));
    advance(position + known.size());
    return;
  }
  fail("the character '" +
       std::string(from(position).substr(0, decodeUtf8(text, position).size)) +
       "' stands where none should");
}

std::vector<Token> jinja::tokenize(std::string_view source) {
  std::string text = normalizeLines(source);
  return Lexer(text).run();
}
