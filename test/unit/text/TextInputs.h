// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs of the text library's parsers, which hostile tests and fuzzers start
// from, and what is done with each.

#ifndef LORI_TEST_UNIT_TEXT_TEXTINPUTS_H
#define LORI_TEST_UNIT_TEXT_TEXTINPUTS_H

#include "runtime/text/Tokenizer.h"

#include <utility>

namespace lori::test {

/// Valid inputs as (fuzzer, bytes).
std::vector<std::pair<std::string, std::string>> textInputs();

/// A tokenizer.json of few tokens with most of the components there are.
std::string tinyTokenizerJson();

/// Puts a SentencePiece .model file together.
class ModelSample {
public:
  /// `type` as in sentencepiece_model.proto.
  ModelSample &piece(const std::string &text, float score, int type = 1);
  /// A number in trainer_spec, and in normalizer_spec.
  ModelSample &trainer(int field, uint64_t value);
  ModelSample &normalizer(int field, uint64_t value);
  ModelSample &normalizer(int field, const std::string &text);
  std::string bytes() const;

private:
  std::string pieces, trainerFields, normalizerFields;
};

/// Unknown, BOS, EOS and the pieces for "▁ab".
ModelSample tinyModel();

/// Parses `bytes` as `fuzzer` does and uses what comes out. Throws Error where
/// they are refused; throws std::logic_error if a promise is broken.
void useTextInput(const std::string &fuzzer, const std::string &bytes);

/// Checks what holds for every tokenizer, whatever its tables: ids exist, texts
/// are UTF-8, streaming and packing change nothing.
void useTokenizer(const Tokenizer &tokenizer, std::string_view text);

} // namespace lori::test

#endif // LORI_TEST_UNIT_TEXT_TEXTINPUTS_H
