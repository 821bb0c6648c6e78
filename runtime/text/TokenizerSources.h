// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_TOKENIZERSOURCES_H
#define LORI_RUNTIME_TEXT_TOKENIZERSOURCES_H

#include "runtime/formats/Checkpoint.h"
#include "runtime/text/Tokenizer.h"

namespace lori {

/// What a checkpoint says about text.
struct TextSources {
  /// Nothing if a directory has neither tokenizer.json nor tokenizer.model, or
  /// a GGUF file no tokenizer.
  std::optional<Tokenizer> tokenizer;
  std::optional<std::string> chatTemplate;
  /// The texts of the BOS and EOS tokens, for chat templates; may be empty.
  std::string bosToken, eosToken;
};

/// Reads tokenizer and chat template of `checkpoint`, as `readTextFolder` or
/// `readTextMetadata`. Throws Error for what is damaged or not supported.
TextSources readTextSources(const Checkpoint &checkpoint);

/// Reads tokenizer.json or else tokenizer.model (with the tokens added in
/// tokenizer_config.json or added_tokens.json), tokenizer_config.json,
/// special_tokens_map.json and chat_template.jinja of a Hugging Face directory;
/// each may be missing. `add_bos_token` of tokenizer_config.json goes before
/// the tokenizer's own word.
TextSources readTextFolder(const std::string &folder);

/// Reads the metadata tokenizer.* of a GGUF file.
TextSources readTextMetadata(const Gguf &gguf);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TOKENIZERSOURCES_H
