// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/ByteAlphabet.h"
#include "runtime/text/Unicode.h"

#include <array>

using namespace lori;

static bool isVisible(unsigned byte) {
  return (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
         byte >= 0xAE;
}

static std::array<char32_t, 256> makeAlphabet() {
  std::array<char32_t, 256> alphabet = {};
  char32_t next = 0x100;
  for (unsigned byte = 0; byte < 256; ++byte)
    alphabet[byte] = isVisible(byte) ? byte : next++;
  return alphabet;
}

char32_t lori::alphabetCharacter(unsigned char byte) {
  static const std::array<char32_t, 256> alphabet = makeAlphabet();
  return alphabet[byte];
}

std::optional<std::string> lori::bytesOfAlphabet(std::string_view text) {
  // The highest character is U+0143.
  static const std::array<int16_t, 0x144> bytes = [] {
    std::array<int16_t, 0x144> table;
    table.fill(-1);
    for (unsigned byte = 0; byte < 256; ++byte)
      table[alphabetCharacter(static_cast<unsigned char>(byte))] =
          static_cast<int16_t>(byte);
    return table;
  }();
  std::string result;
  for (size_t at = 0; at < text.size();) {
    Utf8Char next = decodeUtf8(text, at);
    if (!next.valid || next.codePoint >= bytes.size() ||
        bytes[next.codePoint] < 0)
      return std::nullopt;
    result += static_cast<char>(bytes[next.codePoint]);
    at += next.size;
  }
  return result;
}

std::optional<unsigned char> lori::byteOfTokenName(std::string_view text) {
  if (text.size() != 6 || !text.starts_with("<0x") || text[5] != '>')
    return std::nullopt;
  int value = 0;
  for (char c : text.substr(3, 2)) {
    int digit = c >= '0' && c <= '9'                     ? c - '0'
                : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                         : -1;
    if (digit < 0)
      return std::nullopt;
    value = value * 16 + digit;
  }
  return static_cast<unsigned char>(value);
}
