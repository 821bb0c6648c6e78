// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_GENERATION_H
#define LORI_RUNTIME_PROGRAM_GENERATION_H

#include "runtime/program/Options.h"
#include "runtime/program/Text.h"
#include "runtime/text/Sampler.h"
#include "runtime/text/TextStream.h"

#include <functional>

namespace lori {

/// The growing answer to one prompt: picks tokens until one of the ends that
/// the options set.
class Generation {
public:
  /// A seed gives the same choices to every prompt, alone or among others; with
  /// none, each has choices of its own. Without a tokenizer there is no text.
  Generation(const ModelInfo &info, const Tokenizer *tokenizer,
             const Options &options, int64_t newTokens);

  /// Called with text as soon as it is certain; whole characters only.
  std::function<void(std::string_view)> onText;
  /// Called with each token.
  std::function<void(int32_t)> onToken;

  /// Takes the token after `logits`; none if the answer ends there.
  std::optional<int32_t> pick(std::span<const float> logits);
  /// Gives out the text that was held back. Called once, at the end.
  void finish();

  /// All tokens, the one that ended the answer included.
  const std::vector<int32_t> &tokens() const { return picked; }
  /// The text, without the token or the stop text that ended it.
  const std::string &text() const { return answer; }

private:
  void addText(std::string_view text);
  bool isEnd(int32_t token) const;

  const ModelInfo &info;
  const Options &options;
  int64_t limit;
  Sampler sampler;
  std::optional<TextStream> stream;
  std::vector<int32_t> picked;
  std::string answer;
};

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_GENERATION_H
