// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upper and lower case as Python has them: the full mappings of Unicode
// (SpecialCasing.txt), which utf8proc does not offer as such.

#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Text.h"
#include "runtime/text/jinja/Value.h"

#include <algorithm>
#include <utf8proc.h>

using namespace lori;
using namespace lori::jinja;

static utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

// Modifiers in the shape of small letters (Other_Lowercase, PropList.txt).
static bool isLowerModifier(char32_t c) {
  static constexpr std::pair<char32_t, char32_t> ranges[] = {
      {0xAA, 0xAA},     {0xBA, 0xBA},     {0x2B0, 0x2B8},   {0x2C0, 0x2C1},
      {0x2E0, 0x2E4},   {0x345, 0x345},   {0x37A, 0x37A},   {0x1D2C, 0x1D6A},
      {0x1D78, 0x1D78}, {0x1D9B, 0x1DBF}, {0x2071, 0x2071}, {0x207F, 0x207F},
      {0x2090, 0x209C}, {0x2170, 0x217F}, {0x24D0, 0x24E9}, {0x2C7C, 0x2C7D},
      {0xA69C, 0xA69D}, {0xA770, 0xA770}, {0xA7F8, 0xA7F9}, {0xAB5C, 0xAB5F}};
  return std::any_of(std::begin(ranges), std::end(ranges), [&](auto range) {
    return c >= range.first && c <= range.second;
  });
}

static bool isCased(char32_t c) {
  utf8proc_category_t kind = category(c);
  auto point = static_cast<utf8proc_int32_t>(c);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL ||
         kind == UTF8PROC_CATEGORY_LT || utf8proc_toupper(point) != point ||
         utf8proc_tolower(point) != point || isLowerModifier(c);
}

// What may stand in a word without being a letter (Case_Ignorable).
static bool isCaseIgnorable(char32_t c) {
  switch (category(c)) {
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_CF:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_SK:
    return true;
  default:
    return c == '\'' || c == '.' || c == ':' || c == 0xB7 || c == 0x387 ||
           c == 0x55F || c == 0x5F4 || c == 0x2018 || c == 0x2019 ||
           c == 0x2024 || c == 0x2027 || c == 0xFE13 || c == 0xFE52 ||
           c == 0xFE55 || c == 0xFF07 || c == 0xFF0E || c == 0xFF1A;
  }
}

static void append(std::string &out, utf8proc_int32_t c) {
  appendUtf8(out, static_cast<char32_t>(c));
}

// Where the upper case of a small letter is several characters, they are those
// of its case folding in upper case.
static void appendUpper(std::string &out, char32_t c) {
  auto point = static_cast<utf8proc_int32_t>(c);
  utf8proc_int32_t folded[8];
  utf8proc_ssize_t count = 1;
  if (c >= 0x80 && category(c) != UTF8PROC_CATEGORY_LU)
    count =
        utf8proc_decompose_char(point, folded, 8, UTF8PROC_CASEFOLD, nullptr);
  if (count < 2 || count > 8)
    return append(out, utf8proc_toupper(point));
  for (utf8proc_ssize_t i = 0; i < count; ++i)
    append(out, utf8proc_toupper(folded[i]));
}

// Only the first of several characters is a capital then. Georgian has no
// capitals of words, and the apostrophe of U+0149 none of its own.
static void appendTitle(std::string &out, char32_t c) {
  auto point = static_cast<utf8proc_int32_t>(c);
  if ((c >= 0x10D0 && c <= 0x10FF) || category(c) == UTF8PROC_CATEGORY_LT)
    return append(out, point);
  // utf8proc has a capital for sharp s where Unicode has two letters.
  if (c != 0xDF && utf8proc_totitle(point) != point)
    return append(out, utf8proc_totitle(point));
  static constexpr std::u32string_view unknown =
      U"\u1FB2\u1FB4\u1FB7\u1FC2\u1FC4\u1FC7\u1FF2\u1FF4\u1FF7";
  if (unknown.find(c) != unknown.npos)
    throw TemplateError("a Greek letter with iota below is not supported as a "
                        "capital");
  std::string upper;
  appendUpper(upper, c);
  size_t first = decodeUtf8(upper, 0).size;
  out += upper.substr(0, first);
  out += c == 0x149 ? upper.substr(first) : toLower(upper.substr(first));
}

// A sigma at the end of a word has a form of its own.
static bool isFinalSigma(std::string_view text, size_t at, bool afterLetter) {
  if (!afterLetter)
    return false;
  for (size_t next = at + 2; next < text.size();) {
    Utf8Char c = decodeUtf8(text, next);
    spend(1);
    if (!isCaseIgnorable(c.codePoint))
      return !isCased(c.codePoint);
    next += c.size;
  }
  return true;
}

namespace {
enum class Case { Upper, Lower, Title };
} // namespace

// Maps each character to the case that `choose(character)` says. Whether a
// sigma is final is decided in the whole text, or in what follows a capital.
template <typename Choose>
static std::string mapCase(std::string_view text, Choose choose,
                           bool afterCapitals = false) {
  std::string out;
  bool afterLetter = false;
  spend(16 * text.size());
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    char32_t c = next.codePoint;
    Case wanted = choose(c);
    if (!next.valid)
      out += text.substr(at, next.size);
    else if (wanted == Case::Upper)
      appendUpper(out, c);
    else if (wanted == Case::Title)
      appendTitle(out, c);
    else if (c == 0x3A3)
      append(out, isFinalSigma(text, at, afterLetter) ? 0x3C2 : 0x3C3);
    else
      appendLower(out, c);
    if (!isCaseIgnorable(c))
      afterLetter = isCased(c);
    if (afterCapitals && wanted != Case::Lower)
      afterLetter = false;
    if (out.size() > maxText)
      throw TemplateError("a text becomes too long");
    at += next.size;
  }
  return out;
}

std::string jinja::toUpper(std::string_view text) {
  return mapCase(text, [](char32_t) { return Case::Upper; });
}

std::string jinja::toLower(std::string_view text) {
  return mapCase(text, [](char32_t) { return Case::Lower; });
}

std::string jinja::toTitle(std::string_view text) {
  bool inWord = false;
  return mapCase(text, [&](char32_t c) {
    Case result = inWord ? Case::Lower : Case::Title;
    inWord = isCased(c);
    return result;
  });
}

std::string jinja::capitalize(std::string_view text) {
  bool first = true;
  return mapCase(text, [&](char32_t) {
    return std::exchange(first, false) ? Case::Title : Case::Lower;
  });
}

std::string jinja::titleWords(std::string_view text) {
  bool first = true;
  return mapCase(
      text,
      [&](char32_t c) {
        bool separates = isPythonSpace(c) || c == '-' || c == '(' || c == '{' ||
                         c == '[' || c == '<';
        return std::exchange(first, separates) ? Case::Upper : Case::Lower;
      },
      /*afterCapitals=*/true);
}

// Whether there are letters, all of one case.
static bool hasOnly(std::string_view text, utf8proc_category_t wanted) {
  bool found = false;
  spend(16 * text.size());
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    at += next.size;
    if (!isCased(next.codePoint))
      continue;
    bool isLower = isLowerModifier(next.codePoint);
    if ((isLower ? UTF8PROC_CATEGORY_LL : category(next.codePoint)) != wanted)
      return false;
    found = true;
  }
  return found;
}

bool jinja::isUpper(std::string_view text) {
  return hasOnly(text, UTF8PROC_CATEGORY_LU);
}

bool jinja::isLower(std::string_view text) {
  return hasOnly(text, UTF8PROC_CATEGORY_LL);
}
