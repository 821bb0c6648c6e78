// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalizers and pre-tokenizers: what happens to a text before the model.

#ifndef LORI_RUNTIME_TEXT_TEXTSTEPS_H
#define LORI_RUNTIME_TEXT_TEXTSTEPS_H

#include "runtime/text/Regex.h"
#include "runtime/text/TokenizerBlob.h"
#include "runtime/text/TokenizerSpec.h"

#include <optional>

namespace lori {

class Normalizer {
public:
  Normalizer() = default;
  explicit Normalizer(const BlobView &blob);
  explicit Normalizer(const std::vector<NormalizerStep> &steps);

  bool empty() const { return steps.empty(); }
  std::string apply(std::string_view text, RegexScratch &scratch) const;

private:
  struct Step {
    NormalizerKind kind;
    std::string pattern, content;
    std::optional<Regex> regex;
  };
  void add(NormalizerKind kind, std::string_view pattern,
           std::string_view content);
  std::vector<Step> steps;
};

/// Cuts a text into the pieces that the model works on one by one.
class PreTokenizer {
public:
  PreTokenizer() = default;
  explicit PreTokenizer(const BlobView &blob);

  /// A part [begin, end) of the text.
  using Piece = Regex::Match;

  /// Replaces `pieces` by the pieces of `text`, which steps may rewrite.
  /// `atStart` says that nothing stands before the text.
  void apply(std::string &text, std::vector<Piece> &pieces, bool atStart,
             RegexScratch &scratch) const;

private:
  struct Step {
    SplitterKind kind;
    SplitBehavior behavior;
    PrependScheme prepend;
    bool invert;
    std::string pattern;
    std::optional<Regex> regex;
  };
  struct State;
  static void rewrite(const Step &step, State &state);
  static void split(const Step &step, State &state, RegexScratch &scratch);

  std::vector<Step> steps;
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TEXTSTEPS_H
