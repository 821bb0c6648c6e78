// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Unicode.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <span>
#include <tuple>
#include <utf8proc.h>
#include <vector>

using namespace lori;

// The bytes that may follow a lead byte (Unicode, table 3-7): number of
// continuation bytes, and the range of the first of them.
namespace {
struct LeadByte {
  uint8_t count = 0, low = 0x80, high = 0xBF;
};
} // namespace

static LeadByte leadByte(uint8_t byte) {
  if (byte >= 0xC2 && byte <= 0xDF)
    return {1};
  if (byte >= 0xE0 && byte <= 0xEF)
    return {2, static_cast<uint8_t>(byte == 0xE0 ? 0xA0 : 0x80),
            static_cast<uint8_t>(byte == 0xED ? 0x9F : 0xBF)};
  if (byte >= 0xF0 && byte <= 0xF4)
    return {3, static_cast<uint8_t>(byte == 0xF0 ? 0x90 : 0x80),
            static_cast<uint8_t>(byte == 0xF4 ? 0x8F : 0xBF)};
  return {};
}

Utf8Char lori::decodeUtf8(std::string_view text, size_t at) {
  auto first = static_cast<uint8_t>(text[at]);
  if (first < 0x80)
    return {first, 1, true};
  LeadByte lead = leadByte(first);
  if (lead.count == 0)
    return {};
  char32_t codePoint = first & (0x3F >> lead.count);
  for (uint32_t i = 1; i <= lead.count; ++i) {
    if (at + i >= text.size())
      return {replacementCharacter, i, false, true};
    auto byte = static_cast<uint8_t>(text[at + i]);
    if (byte < lead.low || byte > lead.high)
      return {replacementCharacter, i, false};
    lead.low = 0x80, lead.high = 0xBF;
    codePoint = codePoint << 6 | (byte & 0x3F);
  }
  return {codePoint, lead.count + 1u, true};
}

void lori::appendUtf8(std::string &text, char32_t codePoint) {
  auto put = [&](uint32_t byte) { text += static_cast<char>(byte); };
  if (codePoint < 0x80)
    return put(codePoint);
  if (codePoint < 0x800) {
    put(0xC0 | codePoint >> 6);
  } else {
    if (codePoint < 0x10000) {
      put(0xE0 | codePoint >> 12);
    } else {
      put(0xF0 | codePoint >> 18);
      put(0x80 | (codePoint >> 12 & 0x3F));
    }
    put(0x80 | (codePoint >> 6 & 0x3F));
  }
  put(0x80 | (codePoint & 0x3F));
}

// Skips ASCII eight bytes at a time.
static size_t skipAscii(std::string_view text, size_t at) {
  uint64_t block;
  for (; at + sizeof(block) <= text.size(); at += sizeof(block)) {
    std::memcpy(&block, text.data() + at, sizeof(block));
    if (block & 0x8080808080808080u)
      break;
  }
  while (at < text.size() && static_cast<uint8_t>(text[at]) < 0x80)
    ++at;
  return at;
}

bool lori::isUtf8(std::string_view text) {
  for (size_t at = skipAscii(text, 0); at < text.size();
       at = skipAscii(text, at)) {
    Utf8Char next = decodeUtf8(text, at);
    if (!next.valid)
      return false;
    at += next.size;
  }
  return true;
}

void lori::appendRepaired(std::string &out, std::string_view text) {
  for (size_t at = 0; at < text.size();) {
    size_t ascii = skipAscii(text, at);
    out.append(text, at, ascii - at);
    at = ascii;
    if (at == text.size())
      break;
    Utf8Char next = decodeUtf8(text, at);
    if (next.valid)
      out.append(text, at, next.size);
    else
      out += replacementUtf8;
    at += next.size;
  }
}

std::string lori::repairUtf8(std::string_view text) {
  std::string repaired;
  repaired.reserve(text.size());
  appendRepaired(repaired, text);
  return repaired;
}

std::string lori::shortText(std::string_view text) {
  constexpr size_t most = 300;
  if (text.size() <= most)
    return repairUtf8(text);
  return repairUtf8(text.substr(0, completePrefix(text.substr(0, most)))) +
         "...";
}

size_t lori::completePrefix(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    size_t at = text.size() - back;
    if ((static_cast<uint8_t>(text[at]) & 0xC0) == 0x80)
      continue;
    Utf8Char last = decodeUtf8(text, at);
    return last.cutOff && at + last.size == text.size() ? at : text.size();
  }
  return text.size();
}

bool lori::isWhiteSpace(char32_t codePoint) {
  return (codePoint >= 0x9 && codePoint <= 0xD) || codePoint == 0x20 ||
         codePoint == 0x85 || codePoint == 0xA0 || codePoint == 0x1680 ||
         (codePoint >= 0x2000 && codePoint <= 0x200A) || codePoint == 0x2028 ||
         codePoint == 0x2029 || codePoint == 0x202F || codePoint == 0x205F ||
         codePoint == 0x3000;
}

bool lori::isWordCharacter(char32_t codePoint) {
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(codePoint))) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_PC:
    return true;
  case UTF8PROC_CATEGORY_SO: // Other_Alphabetic: letters in circles, squares
    return (codePoint >= 0x24B6 && codePoint <= 0x24E9) ||
           (codePoint >= 0x1F130 && codePoint <= 0x1F149) ||
           (codePoint >= 0x1F150 && codePoint <= 0x1F169) ||
           (codePoint >= 0x1F170 && codePoint <= 0x1F189);
  default:
    return codePoint == 0x200C || codePoint == 0x200D;
  }
}

void lori::appendLower(std::string &out, char32_t codePoint) {
  // The only character whose lower case is two (SpecialCasing.txt).
  if (codePoint == 0x130) {
    out += "i\xCC\x87";
    return;
  }
  appendUtf8(out, static_cast<char32_t>(utf8proc_tolower(
                      static_cast<utf8proc_int32_t>(codePoint))));
}

static utf8proc_option_t optionsOf(NormalForm form) {
  int options = UTF8PROC_STABLE;
  if (form == NormalForm::C || form == NormalForm::KC)
    options |= UTF8PROC_COMPOSE;
  else
    options |= UTF8PROC_DECOMPOSE;
  if (form == NormalForm::KC || form == NormalForm::KD)
    options |= UTF8PROC_COMPAT;
  return static_cast<utf8proc_option_t>(options);
}

// Below U+0300 every character stands composed and none combines.
static bool isQuickC(std::string_view text) {
  for (char c : text)
    if (static_cast<uint8_t>(c) >= 0xCC)
      return false;
  return true;
}

static bool isMark(utf8proc_int32_t codePoint) {
  return utf8proc_get_property(codePoint)->combining_class != 0;
}

// Canonical order: marks by class, equal ones as they came. The library's own
// is quadratic in a run of marks, which a hostile text makes as long as it
// likes.
static void orderMarks(std::vector<utf8proc_int32_t> &codePoints) {
  std::vector<std::tuple<utf8proc_propval_t, size_t, utf8proc_int32_t>> marks;
  for (auto at = codePoints.begin(); at != codePoints.end();) {
    at = std::find_if(at, codePoints.end(), isMark);
    auto end = std::find_if_not(at, codePoints.end(), isMark);
    marks.clear();
    for (auto mark = at; mark != end; ++mark)
      marks.emplace_back(utf8proc_get_property(*mark)->combining_class,
                         marks.size(), *mark);
    std::sort(marks.begin(), marks.end());
    for (const auto &mark : marks)
      *at++ = std::get<2>(mark);
  }
}

std::string lori::normalizeUnicode(std::string_view text, NormalForm form) {
  if (skipAscii(text, 0) == text.size() ||
      (form == NormalForm::C && isQuickC(text)))
    return std::string(text);
  utf8proc_option_t options = optionsOf(form);
  std::vector<utf8proc_int32_t> codePoints;
  codePoints.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    at += next.size;
    utf8proc_int32_t parts[32]; // the longest decomposition has 18
    int bound = 0;
    auto count =
        utf8proc_decompose_char(static_cast<utf8proc_int32_t>(next.codePoint),
                                parts, std::size(parts), options, &bound);
    assert(count >= 0 && count <= std::ssize(parts));
    codePoints.insert(codePoints.end(), parts, parts + count);
  }
  orderMarks(codePoints);
  auto size = utf8proc_normalize_utf32(
      codePoints.data(), static_cast<utf8proc_ssize_t>(codePoints.size()),
      options);
  assert(size >= 0);
  std::string result;
  for (auto codePoint : std::span(codePoints).first(static_cast<size_t>(size)))
    appendUtf8(result, static_cast<char32_t>(codePoint));
  return result;
}
