// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tokenizer in a GGUF file's metadata (tokenizer.ggml.*; ggml,
// docs/gguf.md).

#ifndef LORI_RUNTIME_TEXT_GGUFTOKENIZER_H
#define LORI_RUNTIME_TEXT_GGUFTOKENIZER_H

#include "runtime/formats/Gguf.h"
#include "runtime/text/TokenizerSpec.h"

namespace lori {

/// Returns nothing if the file has no tokenizer. Throws Error, with the file's
/// name, for damage and for models and pre-tokenizers that are not known.
std::optional<TokenizerSpec> readGgufTokenizer(const Gguf &gguf);

/// How the models of one tokenizer.ggml.pre cut text into words. GGUF only
/// names it; these are the patterns of the models' own tokenizer.json.
struct NamedPreTokenizer {
  std::vector<std::string_view> patterns; ///< one after another, isolating
  bool normalizes = false;                ///< to NFC
  bool ignoreMerges = false;
  bool addBos = false; ///< unless the file says otherwise
};

/// Throws Error that lists the known names for another one.
const NamedPreTokenizer &findPreTokenizer(std::string_view name,
                                          const std::string &file);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_GGUFTOKENIZER_H
