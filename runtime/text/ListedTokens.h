// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tokens that a fine-tune added behind a SentencePiece model: the .model file
// does not know them, the configuration beside it lists them.

#ifndef LORI_RUNTIME_TEXT_LISTEDTOKENS_H
#define LORI_RUNTIME_TEXT_LISTEDTOKENS_H

#include "runtime/formats/Json.h"
#include "runtime/text/TokenizerSpec.h"

namespace lori {

/// Adds the entries of `added_tokens_decoder`, {"32000": {"content": "<x>",
/// "special": true, "lstrip": false, ...}}, in tokenizer_config.json. Throws
/// Error, with `file`, for ids out of reach or of other tokens.
void addDecoderTokens(const JsonValue &list, const std::string &file,
                      TokenizerSpec &spec);

/// Adds those of added_tokens.json, {"<x>": 32000}, all of them special.
void addListedTokens(const JsonValue &list, const std::string &file,
                     TokenizerSpec &spec);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_LISTEDTOKENS_H
