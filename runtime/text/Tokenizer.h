// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_TOKENIZER_H
#define LORI_RUNTIME_TEXT_TOKENIZER_H

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lori {

/// Text to token ids and back, by byte pair encoding: byte-level (GPT-2 and its
/// successors) or SentencePiece's. Gives the ids of the `tokenizers` library
/// for a tokenizer.json. Immutable, cheap to copy, usable by several threads.
class Tokenizer {
public:
  /// Reads the form that `serialize` writes. `bytes` must outlive the tokenizer
  /// and its copies, unless they are not aligned to 8 bytes: then they are
  /// copied. Throws Error, naming `file`, if they are damaged.
  static Tokenizer load(std::span<const std::byte> bytes,
                        std::string_view file = "tokenizer");

  /// The versioned binary form; lives as long as the tokenizer.
  std::span<const std::byte> serialize() const;

  /// Returns the ids of `text`, without a BOS; damaged UTF-8 counts as U+FFFD.
  /// Special tokens ("<|im_end|>") written out in the text count as such only
  /// with `parseSpecial`.
  std::vector<int32_t> encode(std::string_view text, bool parseSpecial) const;

  /// Returns the text of `ids`; unknown ids give nothing. With `skipSpecial`
  /// special tokens are left out.
  std::string decode(std::span<const int32_t> ids, bool skipSpecial) const;

  /// Returns the bytes one token stands for in the middle of a text, maybe a
  /// part of a character; empty for ids that do not exist.
  std::string_view tokenBytes(int32_t id) const;

  /// The number of ids, holes included: one more than the highest.
  int32_t vocabularySize() const;
  bool isSpecial(int32_t id) const;
  /// Returns the token whose whole content is `text`: one that is split off
  /// ("<|im_end|>"), or else one of the model's.
  std::optional<int32_t> findToken(std::string_view text) const;

  std::optional<int32_t> bos() const;
  std::span<const int32_t> eos() const;
  /// Whether prompts begin with the BOS token.
  bool addBos() const;

  struct Data;

private:
  friend class Detokenizer;
  friend Tokenizer buildTokenizer(const struct TokenizerSpec &spec);
  static Tokenizer own(std::vector<uint64_t> packed, std::string_view file);
  explicit Tokenizer(std::shared_ptr<const Data> data)
      : data(std::move(data)) {}
  std::shared_ptr<const Data> data;
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TOKENIZER_H
