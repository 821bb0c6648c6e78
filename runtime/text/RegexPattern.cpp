// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Oniguruma's Ruby syntax in PCRE2's. Most of it is the same; what differs in
// meaning is rewritten, and what has no counterpart is refused by name, so that
// no pattern splits text in another way than its author's library does.

#include "runtime/support/Error.h"
#include "runtime/text/Regex.h"
#include "runtime/text/Unicode.h"

#include <algorithm>
#include <array>

using namespace lori;

namespace {

// Bodies of character classes. PCRE2's own \s has U+180E too, and its \w lacks
// marks and has other numbers; Oniguruma's \w takes seven Latin-1 signs.
constexpr std::string_view spaceBody =
    R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029})"
    R"(\x{202f}\x{205f}\x{3000})";
constexpr std::string_view notSpaceBody =
    R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f})"
    R"(\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e})"
    R"(\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
constexpr std::string_view wordBody =
    R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";

constexpr std::array<std::string_view, 39> categories = {
    "Any", "C",  "Cc", "Cf", "Cn", "Co", "Cs", "L",  "Ll",        "Lm",
    "Lo",  "Lt", "Lu", "M",  "Mc", "Me", "Mn", "N",  "Nd",        "Nl",
    "No",  "P",  "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps",        "S",
    "Sc",  "Sk", "Sm", "So", "Z",  "Zl", "Zp", "Zs", "Alphabetic"};

class Translator {
public:
  explicit Translator(std::string_view pattern) : pattern(pattern) {}

  std::string run() {
    while (at < pattern.size())
      item();
    return std::move(out);
  }

private:
  void item();
  void escape();
  void group();
  void set();
  bool setItem();
  void interval();
  std::string property();
  std::string hexCharacter(char kind);
  std::string plainCharacter();

  bool eat(std::string_view text) {
    if (pattern.substr(at, text.size()) != text)
      return false;
    at += text.size();
    return true;
  }
  char peek() const { return at < pattern.size() ? pattern[at] : '\0'; }
  [[noreturn]] void refuse(std::string_view construct) const {
    throw Error("the pattern '" + repairUtf8(pattern.substr(0, 200)) +
                "' uses " + std::string(construct) +
                ", which is not supported; known are literals, classes, "
                "groups, lookaround, alternatives and quantifiers");
  }

  std::string_view pattern;
  size_t at = 0;
  std::string out;
};

} // namespace

static bool isDigit(char c) { return c >= '0' && c <= '9'; }
static bool isLetter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static std::string codePoint(uint32_t value) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  do
    text.insert(text.begin(), digits[value % 16]);
  while ((value /= 16) != 0);
  return "\\x{" + text + "}";
}

void Translator::item() {
  switch (peek()) {
  case '\\':
    return escape();
  case '(':
    return group();
  case '[':
    return set();
  case '{':
    return interval();
  case '?':
  case '*':
  case '+':
  case '|':
  case ')':
  case '.':
  case '^':
  case '$':
    out += pattern[at++];
    return;
  default:
    out += plainCharacter();
  }
}

// One literal character, also inside a set.
std::string Translator::plainCharacter() {
  Utf8Char next = decodeUtf8(pattern, at);
  if (!next.valid)
    refuse("bytes that are not UTF-8");
  std::string_view text = pattern.substr(at, next.size);
  at += next.size;
  return quotedPattern(text);
}

void Translator::escape() {
  auto boundary = [](std::string_view first, std::string_view second) {
    std::string word = "[" + std::string(wordBody) + "]";
    return "(?:(?<=" + word + ")(?" + std::string(first) + word + ")|(?<!" +
           word + ")(?" + std::string(second) + word + "))";
  };
  std::string text;
  switch (at + 1 < pattern.size() ? pattern[at + 1] : '\0') {
  case 's':
    text = "[" + std::string(spaceBody) + "]";
    break;
  case 'S':
    text = "[^" + std::string(spaceBody) + "]";
    break;
  case 'w':
    text = "[" + std::string(wordBody) + "]";
    break;
  case 'W':
    text = "[^" + std::string(wordBody) + "]";
    break;
  case 'b':
    text = boundary("!", "=");
    break;
  case 'B':
    text = boundary("=", "!");
    break;
  case 'A':
  case 'z':
  case 'Z':
    text = pattern.substr(at, 2);
    break;
  default:
    setItem();
    return;
  }
  out += text;
  at += 2;
}

// One member of a set, or an escape that means the same outside of one. Returns
// whether it is a single character.
bool Translator::setItem() {
  if (peek() != '\\') {
    out += plainCharacter();
    return true;
  }
  if (++at == pattern.size())
    refuse("a '\\' at its end");
  char c = pattern[at++];
  switch (c) {
  case 's':
    out += spaceBody;
    return false;
  case 'S':
    out += notSpaceBody;
    return false;
  case 'w':
    out += wordBody;
    return false;
  case 'd':
    out += "\\p{Nd}";
    return false;
  case 'D':
    out += "\\P{Nd}";
    return false;
  case 'p':
  case 'P':
    (out += '\\') += c;
    out += property();
    return false;
  case 'r':
    out += "\\x{d}";
    return true;
  case 'n':
    out += "\\x{a}";
    return true;
  case 't':
    out += "\\x{9}";
    return true;
  case 'f':
    out += "\\x{c}";
    return true;
  case 'v':
    out += "\\x{b}";
    return true;
  case 'x':
  case 'u':
    out += hexCharacter(c);
    return true;
  default:
    if (isLetter(c) || isDigit(c) || static_cast<uint8_t>(c) >= 0x80)
      refuse(std::string("'\\") + c + "'");
    out += quotedPattern({&c, 1});
    return true;
  }
}

// \xHH, \x{H...}, \uHHHH
std::string Translator::hexCharacter(char kind) {
  bool braces = kind == 'x' && eat("{");
  size_t most = braces ? 8 : kind == 'u' ? 4 : 2;
  uint32_t value = 0;
  size_t count = 0;
  for (; count < most; ++count, ++at) {
    char c = peek();
    if (isDigit(c))
      value = value * 16 + static_cast<uint32_t>(c - '0');
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
      value = value * 16 + static_cast<uint32_t>((c | 0x20) - 'a') + 10;
    else
      break;
  }
  bool complete = braces ? count > 0 && eat("}") : count == most;
  // Below U+0080 \xHH is a character; above it, Oniguruma means a raw byte.
  if (!complete || value > 0x10FFFF || (!braces && kind == 'x' && value > 0x7F))
    refuse("a malformed hexadecimal escape");
  return codePoint(value);
}

std::string Translator::property() {
  size_t close = pattern.find('}', at);
  if (peek() != '{' || close == std::string_view::npos)
    refuse("a property without {}");
  std::string name(pattern.substr(at + 1, close - at - 1));
  at = close + 1;
  bool negated = !name.empty() && name[0] == '^';
  std::string plain = name.substr(negated);
  if (plain.empty() || !std::all_of(plain.begin(), plain.end(), [](char c) {
        return isLetter(c) || c == '_';
      }))
    refuse("the property '" + repairUtf8(name) + "'");
  bool known = std::find(categories.begin(), categories.end(), plain) !=
               categories.end();
  // A bare script name would mean its extensions too.
  return std::string("{") + (negated ? "^" : "") + (known ? "" : "sc:") +
         plain + "}";
}

void Translator::group() {
  constexpr std::array<std::string_view, 8> openings = {
      "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?>", "(?i:", "(?-i:"};
  for (std::string_view opening : openings)
    if (eat(opening)) {
      out += opening;
      return;
    }
  if (at == 0 && eat("(?i)")) {
    out += "(?i)";
    return;
  }
  if (pattern.substr(at, 2) == "(?")
    refuse("the group '" + repairUtf8(pattern.substr(at, 4)) + "'");
  ++at;
  out += "(?:"; // groups capture nothing here
}

void Translator::interval() {
  size_t close = pattern.find('}', at);
  std::string_view body = close == std::string_view::npos
                              ? std::string_view()
                              : pattern.substr(at + 1, close - at - 1);
  size_t comma = std::min(body.find(','), body.size());
  std::string_view low = body.substr(0, comma);
  std::string_view high = comma < body.size() ? body.substr(comma + 1) : low;
  bool digits = std::all_of(low.begin(), low.end(), isDigit) &&
                std::all_of(high.begin(), high.end(), isDigit);
  if (!digits || (low.empty() && high.empty())) {
    out += plainCharacter();
    return;
  }
  at = close + 1;
  // {n,m}+ repeats the interval in Ruby and is possessive in Perl; {n}? is
  // optional in the one and lazy in the other.
  if (peek() == '+' || (peek() == '?' && comma == body.size()))
    refuse("'" + std::string(body) + "}" + peek() +
           "', whose meaning depends on the library");
  out += "{";
  out += low.empty() ? "0" : low;
  if (comma < body.size())
    (out += ",") += high;
  out += "}";
}

void Translator::set() {
  ++at;
  out += "[";
  if (eat("^"))
    out += "^";
  if (peek() == ']')
    refuse("an empty set");
  while (peek() != ']') {
    if (at >= pattern.size())
      refuse("a set without its ']'");
    if (peek() == '[')
      refuse("a set inside a set");
    if (pattern.substr(at, 2) == "&&")
      refuse("'&&' in a set");
    if (peek() == '-' || !setItem()) {
      if (eat("-"))
        out += "\\-";
      continue;
    }
    if (peek() != '-' || pattern.substr(at, 2) == "-]")
      continue;
    ++at;
    out += "-";
    if (at >= pattern.size() || peek() == '[' || !setItem())
      refuse("a range without a last character");
  }
  ++at;
  out += "]";
}

std::string lori::translatePattern(std::string_view pattern) {
  return Translator(pattern).run();
}

std::string lori::wordsAndSignsPattern() {
  std::string word = R"(\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\x{200c}\x{200d})";
  return "[" + word + "]+|[^" + word + std::string(spaceBody) + "]+";
}
