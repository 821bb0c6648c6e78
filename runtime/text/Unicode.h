// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// UTF-8 and the few character classes the tokenizers need.

#ifndef LORI_RUNTIME_TEXT_UNICODE_H
#define LORI_RUNTIME_TEXT_UNICODE_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace lori {

inline constexpr char32_t replacementCharacter = 0xFFFD;
inline constexpr std::string_view replacementUtf8 = "\xEF\xBF\xBD";

/// One character of a text, or one piece of damage in it.
struct Utf8Char {
  char32_t codePoint = replacementCharacter;
  uint32_t size = 1; ///< bytes; for damage those one U+FFFD stands for
  bool valid = false;
  bool cutOff = false; ///< invalid only because the text ends here
};

/// Returns the character at `text[at]`, `at < text.size()`. Damage is taken in
/// maximal subparts (Unicode, section 3.9, "U+FFFD Substitution").
Utf8Char decodeUtf8(std::string_view text, size_t at);

void appendUtf8(std::string &text, char32_t codePoint);
bool isUtf8(std::string_view text);

/// Appends `text` with U+FFFD in place of damage.
void appendRepaired(std::string &out, std::string_view text);
std::string repairUtf8(std::string_view text);

/// Returns some 300 bytes of `text` at most, for messages: valid UTF-8, with
/// "..." for the rest.
std::string shortText(std::string_view text);

/// Returns the length of the longest prefix that does not end in the beginning
/// of a character.
size_t completePrefix(std::string_view text);

/// The property White_Space.
bool isWhiteSpace(char32_t codePoint);
/// Alphabetic, Mark, Decimal_Number, Connector_Punctuation or Join_Control:
/// `\w` of UTS 18, Annex C.
bool isWordCharacter(char32_t codePoint);

/// Appends the lower case of one character, without regard to its neighbours.
void appendLower(std::string &out, char32_t codePoint);

enum class NormalForm { C, D, KC, KD };

/// Returns valid UTF-8 in a normal form (UAX 15).
std::string normalizeUnicode(std::string_view text, NormalForm form);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_UNICODE_H
