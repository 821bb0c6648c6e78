// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_TEXT_H
#define LORI_RUNTIME_PROGRAM_TEXT_H

#include "runtime/engine/Model.h"
#include "runtime/text/ChatTemplate.h"
#include "runtime/text/Tokenizer.h"

namespace lori {

/// A model's way between texts and token ids. It may have none; then each use
/// is an Error that says to use ids.
class Text {
public:
  explicit Text(const Model &model);

  bool available() const { return loaded.has_value(); }
  /// Throws Error if there is none; `option` is what needs it.
  const Tokenizer &tokenizer(std::string_view option) const;
  const Tokenizer *tokenizerOrNull() const {
    return loaded ? &*loaded : nullptr;
  }

  /// The ids of a text to continue, after a BOS where the model wants one.
  std::vector<int32_t> prompt(std::string_view text,
                              std::string_view option) const;
  /// The text that a conversation is given as.
  std::string render(std::span<const ChatMessage> messages,
                     bool addGenerationPrompt, std::string_view option) const;
  /// The ids of a conversation, ready for the answer.
  std::vector<int32_t> conversation(std::span<const ChatMessage> messages,
                                    std::string_view option) const;

private:
  const ModelInfo &info;
  std::optional<Tokenizer> loaded;
};

/// Throws Error unless `prompt` can run: it is not empty, its ids are of the
/// vocabulary, and it fits the context.
void checkPrompt(const ModelInfo &info, std::span<const int32_t> prompt);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_TEXT_H
