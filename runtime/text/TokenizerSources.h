// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_TOKENIZERSOURCES_H
#define LORI_RUNTIME_TEXT_TOKENIZERSOURCES_H

#include "runtime/formats/Checkpoint.h"
#include "runtime/text/Tokenizer.h"

namespace lori {

/// What a checkpoint says about text.
struct TextSources {
  /// Nothing if a directory has neither tokenizer.json nor tokenizer.model.
  std::optional<Tokenizer> tokenizer;
  std::optional<std::string> chatTemplate;
  /// The texts of the BOS and EOS tokens, for chat templates; may be empty.
  std::string bosToken, eosToken;
};

/// Reads tokenizer and chat template of `checkpoint`: tokenizer.json, else
/// tokenizer.model, with tokenizer_config.json and chat_template.jinja; or the
/// metadata of a GGUF file. Throws Error for what is not supported.
TextSources readTextSources(const Checkpoint &checkpoint);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TOKENIZERSOURCES_H
