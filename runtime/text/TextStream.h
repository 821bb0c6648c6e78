// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_TEXTSTREAM_H
#define LORI_RUNTIME_TEXT_TEXTSTREAM_H

#include "runtime/text/Detokenizer.h"

namespace lori {

/// Turns ids into text as they come. A piece never ends within a character,
/// nothing of a stop string, nor behind it, ever comes out, and all pieces
/// together are `Tokenizer::decode`'s text up to there.
class TextStream {
public:
  /// An empty stop string stops nothing; damaged UTF-8 in one counts as U+FFFD,
  /// as it does in a text.
  explicit TextStream(const Tokenizer &tokenizer,
                      std::vector<std::string> stops = {},
                      bool skipSpecial = true);

  /// Returns the text that is certain after `id`; special tokens give none.
  std::string add(int32_t id);
  /// Whether a stop string has come.
  bool stopped() const { return isStopped; }
  /// Returns what was held back, once no more ids come.
  std::string finish();

private:
  std::string release(bool atEnd);

  Detokenizer detokenizer;
  std::vector<std::string> stops;
  std::string pending; ///< decoded, but maybe the start of a stop string
  bool isStopped = false;
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TEXTSTREAM_H
