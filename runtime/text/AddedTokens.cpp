// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/AddedTokens.h"
#include "runtime/text/Unicode.h"

#include <algorithm>

using namespace lori;

AddedTokens::AddedTokens(const BlobView &blob,
                         std::span<const BlobAdded> tokens)
    : blob(blob), tokens(tokens) {
  for (const BlobAdded &token : tokens)
    firstBytes.set(static_cast<uint8_t>(blob.string(token.content)[0]));
}

// Narrows the sorted list byte by byte; an entry that ends at the current depth
// comes first in what is left.
const BlobAdded *AddedTokens::longestAt(std::string_view text,
                                        size_t at) const {
  if (!firstBytes[static_cast<uint8_t>(text[at])])
    return nullptr;
  const BlobAdded *longest = nullptr;
  auto low = tokens.begin(), high = tokens.end();
  for (size_t depth = 0; low != high && at + depth < text.size(); ++depth) {
    auto byte = static_cast<uint8_t>(text[at + depth]);
    auto byteOf = [&](const BlobAdded &token) {
      return static_cast<uint8_t>(blob.string(token.content)[depth]);
    };
    low = std::partition_point(low, high, [&](const BlobAdded &token) {
      return byteOf(token) < byte;
    });
    high = std::partition_point(low, high, [&](const BlobAdded &token) {
      return byteOf(token) == byte;
    });
    if (low != high && low->content.size == depth + 1)
      longest = &*low++;
  }
  return longest;
}

static char32_t lastCharacter(std::string_view text) {
  size_t at = text.size() - 1;
  while (at > 0 && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80)
    --at;
  return decodeUtf8(text, at).codePoint;
}

static std::string_view withoutEndSpace(std::string_view text) {
  while (!text.empty() && isWhiteSpace(lastCharacter(text))) {
    while ((static_cast<uint8_t>(text.back()) & 0xC0) == 0x80)
      text.remove_suffix(1);
    text.remove_suffix(1);
  }
  return text;
}

// Applies the token's conditions to text[begin, end), and widens it to the
// white space that the token swallows, but not over what is `done`.
bool AddedTokens::takes(const BlobAdded &token, std::string_view text,
                        size_t done, size_t &begin, size_t &end) {
  if (token.flags & AddedSingleWord) {
    if (begin > 0 && isWordCharacter(lastCharacter(text.substr(0, begin))))
      return false;
    if (end < text.size() && isWordCharacter(decodeUtf8(text, end).codePoint))
      return false;
  }
  if (token.flags & AddedStripLeft)
    begin = std::max(done, withoutEndSpace(text.substr(0, begin)).size());
  if (token.flags & AddedStripRight)
    while (end < text.size()) {
      Utf8Char next = decodeUtf8(text, end);
      if (!isWhiteSpace(next.codePoint))
        break;
      end += next.size;
    }
  return true;
}
