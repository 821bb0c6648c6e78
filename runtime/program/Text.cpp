// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Text.h"

using namespace lori;

Text::Text(const Model &model) : info(model.info()) {
  auto blob = model.tokenizer();
  if (!blob.empty())
    loaded = Tokenizer::load(blob, "the model's tokenizer");
}

const Tokenizer &Text::tokenizer(std::string_view option) const {
  if (!loaded)
    throw Error(option, "the model was compiled without a tokenizer, give "
                        "token ids with --tokens and get them with "
                        "--print-tokens");
  return *loaded;
}

std::vector<int32_t> Text::prompt(std::string_view text,
                                  std::string_view option) const {
  std::vector<int32_t> ids =
      tokenizer(option).encode(text, /*parseSpecial=*/true);
  // A text may have it spelled out already.
  if (info.addBos && (ids.empty() || ids.front() != info.bos))
    ids.insert(ids.begin(), *info.bos);
  return ids;
}

std::string Text::render(std::span<const ChatMessage> messages,
                         bool addGenerationPrompt,
                         std::string_view option) const {
  tokenizer(option);
  if (!info.chatTemplate)
    throw Error(option, "the model has no chat template, give it whole texts "
                        "with -p");
  return renderChat(*info.chatTemplate, messages, addGenerationPrompt,
                    info.bosToken, info.eosToken);
}

std::vector<int32_t> Text::conversation(std::span<const ChatMessage> messages,
                                        std::string_view option) const {
  // Templates write the BOS themselves.
  return tokenizer(option).encode(render(messages, true, option),
                                  /*parseSpecial=*/true);
}

void lori::checkPrompt(const ModelInfo &info, std::span<const int32_t> prompt) {
  if (prompt.empty())
    throw Error("the prompt is empty, give it at least one token");
  for (int32_t token : prompt)
    if (token >= info.vocabulary)
      throw Error("token " + std::to_string(token) +
                  " is not in the vocabulary, ids are 0 to " +
                  std::to_string(info.vocabulary - 1));
  if (prompt.size() > static_cast<size_t>(info.context))
    throw Error("the prompt has " + std::to_string(prompt.size()) +
                " tokens, the context is " + std::to_string(info.context) +
                ", shorten it or compile with a larger --context");
}
