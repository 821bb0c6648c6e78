// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/jinja/Text.h"
#include "runtime/text/Unicode.h"
#include "runtime/text/jinja/Value.h"

#include <algorithm>
#include <cstring>

using namespace lori;
using namespace lori::jinja;

// memmem() and not find(), whose time is quadratic.
std::optional<size_t> jinja::findText(std::string_view text,
                                      std::string_view part, size_t from) {
  if (from > text.size() || part.size() > text.size() - from)
    return std::nullopt;
  if (part.empty())
    return from;
  const void *found =
      memmem(text.data() + from, text.size() - from, part.data(), part.size());
  size_t at =
      found
          ? static_cast<size_t>(static_cast<const char *>(found) - text.data())
          : text.size();
  spend(at - from);
  return found ? std::optional(at) : std::nullopt;
}

std::optional<size_t> jinja::findLast(std::string_view text,
                                      std::string_view part, size_t end) {
  if (part.size() > end)
    return std::nullopt;
  for (size_t at = end - part.size() + 1; at-- > 0;) {
    bool mayBegin = part.empty() || text[at] == part[0];
    spend(mayBegin ? part.size() + 1 : 1);
    if (mayBegin && text.substr(at).starts_with(part))
      return at;
  }
  return std::nullopt;
}

void jinja::appendText(std::string &out, std::string_view part) {
  if (part.size() > maxText - std::min(out.size(), maxText))
    throw TemplateError("a text becomes too long");
  spend(part.size());
  out += part;
}

// Where the character before `end` begins.
static size_t characterBefore(std::string_view text, size_t end) {
  size_t at = end - 1;
  while (at > 0 && end - at < 4 &&
         (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80)
    --at;
  // Damage counts byte by byte.
  return at + decodeUtf8(text, at).size == end ? at : end - 1;
}

std::string_view jinja::strip(std::string_view text,
                              std::optional<std::string_view> chars,
                              Side side) {
  spend(text.size());
  std::vector<char32_t> set;
  for (size_t at = 0; chars && at < chars->size();) {
    Utf8Char next = decodeUtf8(*chars, at);
    spend(sizeof(char32_t) * 4);
    set.push_back(next.codePoint);
    at += next.size;
  }
  std::sort(set.begin(), set.end());
  auto goes = [&](size_t at) {
    char32_t c = decodeUtf8(text, at).codePoint;
    return chars ? std::binary_search(set.begin(), set.end(), c)
                 : isPythonSpace(c);
  };
  while (side != Side::Right && !text.empty() && goes(0))
    text.remove_prefix(decodeUtf8(text, 0).size);
  while (side != Side::Left && !text.empty()) {
    size_t last = characterBefore(text, text.size());
    if (!goes(last))
      break;
    text = text.substr(0, last);
  }
  return text;
}

static void addPiece(std::vector<std::string> &pieces, std::string_view piece) {
  spend(piece.size() + sizeof(std::string));
  pieces.emplace_back(piece);
}

static std::vector<std::string> splitAtSpace(std::string_view text,
                                             int64_t limit) {
  std::vector<std::string> pieces;
  text = strip(text, std::nullopt, Side::Left);
  while (!text.empty()) {
    if (limit >= 0 && static_cast<int64_t>(pieces.size()) >= limit) {
      addPiece(pieces, text);
      break;
    }
    size_t end = 0;
    while (end < text.size()) {
      Utf8Char next = decodeUtf8(text, end);
      if (isPythonSpace(next.codePoint))
        break;
      end += next.size;
    }
    addPiece(pieces, text.substr(0, end));
    text.remove_prefix(end);
    while (!text.empty() && isPythonSpace(decodeUtf8(text, 0).codePoint))
      text.remove_prefix(decodeUtf8(text, 0).size);
  }
  return pieces;
}

std::vector<std::string> jinja::split(std::string_view text,
                                      std::optional<std::string_view> separator,
                                      int64_t limit) {
  if (!separator)
    return splitAtSpace(text, limit);
  if (separator->empty())
    throw TemplateError("a text is split at an empty separator");
  std::vector<std::string> pieces;
  size_t begin = 0;
  while (limit < 0 || static_cast<int64_t>(pieces.size()) < limit) {
    std::optional<size_t> at = findText(text, *separator, begin);
    if (!at)
      break;
    addPiece(pieces, text.substr(begin, *at - begin));
    begin = *at + separator->size();
  }
  addPiece(pieces, text.substr(begin));
  return pieces;
}

std::vector<std::string> jinja::splitFromEnd(std::string_view text,
                                             std::string_view separator,
                                             int64_t limit) {
  if (separator.empty())
    throw TemplateError("a text is split at an empty separator");
  std::vector<std::string> pieces;
  size_t end = text.size();
  while (limit < 0 || static_cast<int64_t>(pieces.size()) < limit) {
    std::optional<size_t> at = findLast(text, separator, end);
    if (!at)
      break;
    size_t begin = *at + separator.size();
    addPiece(pieces, text.substr(begin, end - begin));
    end = *at;
  }
  addPiece(pieces, text.substr(0, end));
  std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

static bool endsLine(char32_t c) {
  return (c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 ||
         c == 0x2028 || c == 0x2029;
}

std::vector<std::string> jinja::splitLines(std::string_view text,
                                           bool keepEnds) {
  std::vector<std::string> lines;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    size_t after = at + next.size;
    if (endsLine(next.codePoint)) {
      if (next.codePoint == '\r' && after < text.size() && text[after] == '\n')
        ++after;
      addPiece(lines, text.substr(begin, (keepEnds ? after : at) - begin));
      begin = after;
    }
    at = after;
  }
  if (begin < text.size())
    addPiece(lines, text.substr(begin));
  return lines;
}

std::string jinja::replaceText(std::string_view text, std::string_view from,
                               std::string_view to, int64_t limit) {
  std::string result;
  size_t begin = 0, search = 0;
  for (int64_t i = 0; limit < 0 || i < limit; ++i) {
    std::optional<size_t> at = findText(text, from, search);
    if (!at)
      break;
    appendText(result, text.substr(begin, *at - begin));
    appendText(result, to);
    begin = *at + from.size();
    search = begin;
    if (!from.empty())
      continue;
    // Nothing stands around every character.
    if (begin >= text.size())
      break;
    search = begin + decodeUtf8(text, begin).size;
  }
  appendText(result, text.substr(begin));
  return result;
}

std::string jinja::repeatText(std::string_view text, int64_t count) {
  if (count <= 0 || text.empty())
    return "";
  if (static_cast<uint64_t>(count) > maxText / text.size())
    throw TemplateError("a text becomes too long");
  std::string result;
  for (int64_t i = 0; i < count; ++i)
    result += text;
  return result;
}
