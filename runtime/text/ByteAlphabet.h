// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The characters by which byte-level vocabularies write bytes (GPT-2): a byte
// that is a visible Latin-1 character stands for itself, the others are
// U+0100, U+0101, ... in their order.

#ifndef LORI_RUNTIME_TEXT_BYTEALPHABET_H
#define LORI_RUNTIME_TEXT_BYTEALPHABET_H

#include <optional>
#include <string>
#include <string_view>

namespace lori {

/// Returns the character of `byte`.
char32_t alphabetCharacter(unsigned char byte);

/// Returns the bytes that `text` writes, or nothing if it has a character that
/// writes none.
std::optional<std::string> bytesOfAlphabet(std::string_view text);

/// Returns the byte of a byte token by its name, 10 for "<0x0A>"; nothing for
/// other names.
std::optional<unsigned char> byteOfTokenName(std::string_view text);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_BYTEALPHABET_H
