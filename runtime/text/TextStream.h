// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_TEXTSTREAM_H
#define LORI_RUNTIME_TEXT_TEXTSTREAM_H

#include "runtime/text/Tokenizer.h"

namespace lori {

/// Turns ids into text as they come. A piece never ends within a character,
/// and nothing of a stop string, nor behind it, ever comes out.
class TextStream {
public:
  /// `tokenizer` must outlive the stream.
  TextStream(const Tokenizer &tokenizer, std::vector<std::string> stops)
      : tokenizer(tokenizer), stops(std::move(stops)) {}

  /// Returns the text that is certain after `id`; special tokens give none.
  std::string add(int32_t id);
  /// Whether a stop string has come.
  bool stopped() const { return isStopped; }
  /// Returns what was held back, once no more ids come.
  std::string finish();

private:
  std::string release(size_t held);

  const Tokenizer &tokenizer;
  std::vector<std::string> stops;
  std::vector<int32_t> ids;
  /// Text of `ids` from the first id of the window on that is out already.
  size_t emitted = 0;
  std::string pending; ///< decoded, but maybe the start of a stop string
  bool isStopped = false;
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TEXTSTREAM_H
