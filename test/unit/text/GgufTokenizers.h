// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// GGUF files with the tokenizer of a tokenizer.json, as llama.cpp's converter
// lays it out.

#ifndef LORI_TEST_UNIT_TEXT_GGUFTOKENIZERS_H
#define LORI_TEST_UNIT_TEXT_GGUFTOKENIZERS_H

#include <string>

namespace lori::test {

/// Returns the bytes of a file whose tokenizer.ggml.model is gpt2.
std::string byteLevelGguf(const std::string &tokenizerJson,
                          const std::string &pre);

/// Returns the bytes of a file whose tokenizer.ggml.model is llama; the scores
/// are the pieces' ranks among the merges.
std::string sentencePieceGguf(const std::string &tokenizerJson);

} // namespace lori::test

#endif // LORI_TEST_UNIT_TEXT_GGUFTOKENIZERS_H
