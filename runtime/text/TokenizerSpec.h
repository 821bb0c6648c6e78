// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a tokenizer is, apart from its file format: the readers of
// tokenizer.json, SentencePiece models and GGUF metadata each fill one in, and
// `buildTokenizer` packs it.

#ifndef LORI_RUNTIME_TEXT_TOKENIZERSPEC_H
#define LORI_RUNTIME_TEXT_TOKENIZERSPEC_H

#include "runtime/text/Tokenizer.h"

#include <array>
#include <optional>

namespace lori {

/// No normalizer, pre-tokenizer or decoder has more steps than this: each goes
/// over the whole text.
inline constexpr size_t maxTokenizerSteps = 64;

/// A step of the normalizer, in the order of application. The numbers of this
/// and the following enumerations are part of the tokenizer blob.
enum class NormalizerKind : uint32_t {
  Prepend,      ///< `content` before a text that is not empty
  ReplaceText,  ///< every `pattern`, literally, by `content`
  ReplaceRegex, ///< every match of `pattern` (PCRE2) by `content`
  FormC,        ///< NFC, and so on
  FormD,
  FormKC,
  FormKD,
  Lowercase,
  StripLeft, ///< white space
  StripRight,
  SqueezeSpaces, ///< SentencePiece's remove_extra_whitespaces
};

struct NormalizerStep {
  NormalizerKind kind = NormalizerKind::Prepend;
  std::string pattern, content;
};

/// What becomes of the parts that a splitter's pattern matches.
enum class SplitBehavior : uint32_t {
  Isolated,
  Removed,
  Contiguous,
  MergedWithPrevious,
  MergedWithNext,
};

enum class PrependScheme : uint32_t { Never, First, Always };

enum class SplitterKind : uint32_t {
  Split,          ///< by `pattern` (PCRE2), `behavior`, `invert`
  Metaspace,      ///< spaces become `pattern`, which `prepend` puts in front
  AddPrefixSpace, ///< a space in front of each piece that has none
};

/// A step of the pre-tokenizer.
struct SplitterStep {
  SplitterKind kind = SplitterKind::Split;
  SplitBehavior behavior = SplitBehavior::Isolated;
  PrependScheme prepend = PrependScheme::Never;
  bool invert = false;
  std::string pattern;
};

/// How the bytes of single tokens become text.
enum class ByteDecoding : uint32_t {
  /// All bytes are one text; U+FFFD for each maximal damaged part.
  Whole,
  /// A run of byte tokens is a text as a whole, or else one U+FFFD per byte
  /// (`tokenizers`' ByteFallback).
  Runs,
  /// In a run of byte tokens, one U+FFFD for each byte that is part of no
  /// character (SentencePiece).
  Characters,
};

struct TokenSpec {
  /// What the model matches: raw bytes for byte-level models.
  std::string text;
  /// What the decoder makes of the token.
  std::string shown;
  bool exists = false;  ///< false for holes in the numbering
  bool inModel = false; ///< the model may produce it
  bool special = false; ///< left out of decoded text on request
  bool isByte = false;  ///< a byte token, `shown` is that byte
  bool unused = false;  ///< SentencePiece's UNUSED: only an intermediate result
};

/// Two adjacent symbols that may become one. Lower ranks come first, of equal
/// ranks the leftmost.
struct MergeSpec {
  uint32_t left = 0, right = 0, rank = 0, result = 0;
};

/// A token that is looked for in the text before the model is.
struct AddedTokenSpec {
  int32_t id = 0;
  std::string content;
  bool normalized = false; ///< looked for after normalization
  bool special = false;
  bool singleWord = false, stripLeft = false, stripRight = false;
};

struct TokenizerSpec {
  std::string file; ///< for messages

  std::vector<TokenSpec> tokens;
  /// Characters that are no token but begin one; they are numbered after the
  /// tokens.
  std::vector<std::string> extraSymbols;
  std::vector<MergeSpec> merges;
  bool byteLevel = false; ///< symbols are bytes, else characters
  bool ignoreMerges = false;
  bool fuseUnknown = false;
  std::optional<int32_t> unknown;
  /// The token of each byte, for byte-level models or characters without a
  /// token; -1 for none.
  std::array<int32_t, 256> byteTokens;

  std::vector<AddedTokenSpec> added;
  std::vector<NormalizerStep> normalizer;
  std::vector<SplitterStep> splitters;

  ByteDecoding byteDecoding = ByteDecoding::Whole;
  bool joinWithSpaces = false; ///< a tokenizer without a decoder
  char32_t stripCharacter = 0; ///< taken off the ends of the decoded text
  uint32_t stripStart = 0, stripStop = 0; ///< at most so many
  /// This character is left out of the first token (Metaspace); 0 for none.
  char32_t firstTokenDrops = 0;

  std::optional<int32_t> bos;
  std::vector<int32_t> eos;
  bool addBos = false;

  TokenizerSpec() { byteTokens.fill(-1); }
};

/// Packs `spec`. Throws Error, with the file's name, if it does not fit
/// together: ids out of range, patterns that do not compile, duplicates.
Tokenizer buildTokenizer(const TokenizerSpec &spec);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TOKENIZERSPEC_H
