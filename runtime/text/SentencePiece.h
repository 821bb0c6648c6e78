// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// SentencePiece's BPE (github.com/google/sentencepiece): of all adjacent pairs
// whose text is a piece, the one of highest score merges, of equal scores the
// leftmost. The model comes as a `.model` file or inside a GGUF file.

#ifndef LORI_RUNTIME_TEXT_SENTENCEPIECE_H
#define LORI_RUNTIME_TEXT_SENTENCEPIECE_H

#include "runtime/text/TokenizerSpec.h"

namespace lori {

/// Numbered as in sentencepiece_model.proto and in tokenizer.ggml.token_type.
enum class PieceType : int32_t {
  Normal = 1,
  Unknown,
  Control,
  UserDefined,
  Unused,
  Byte,
};

struct SentencePiece {
  std::string text;
  float score = 0;
  PieceType type = PieceType::Normal;
};

struct SentencePieceOptions {
  bool addDummyPrefix = true;
  bool removeExtraWhitespaces = false;
  bool escapeWhitespaces = true;
  /// Whether user-defined pieces are looked for in the text with its dummy
  /// prefix (as the library does), or before the text is touched at all.
  bool userDefinedAfterPrefix = true;
};

/// Fills in all of `spec` but `file`, BOS and EOS. Throws Error if pieces are
/// there twice, too long or of unknown type.
void fillSentencePiece(const std::vector<SentencePiece> &pieces,
                       const SentencePieceOptions &options,
                       TokenizerSpec &spec);

/// Reads a `.model` file whose whole content is `bytes`. Throws Error, with
/// `file`, for damage, for models other than BPE and for normalization rules
/// other than identity.
TokenizerSpec readSentencePieceModel(std::span<const std::byte> bytes,
                                     const std::string &file);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_SENTENCEPIECE_H
