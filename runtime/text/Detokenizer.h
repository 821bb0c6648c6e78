// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_DETOKENIZER_H
#define LORI_RUNTIME_TEXT_DETOKENIZER_H

#include "runtime/text/Tokenizer.h"

namespace lori {

/// Turns tokens into text as they come. What it has put out is final and never
/// ends inside a character; all of it together is `Tokenizer::decode`'s text.
class Detokenizer {
public:
  Detokenizer(const Tokenizer &tokenizer, bool skipSpecial);

  /// Appends to `out` what is certain of the text after token `id`.
  void push(int32_t id, std::string &out);
  /// Appends what was held back; `push` must not follow.
  void finish(std::string &out);

private:
  void flushWhole(bool atEnd, std::string &out);
  void flushRun(std::string &out);
  void strip(std::string_view text, std::string &out);
  std::string_view bytesOf(uint32_t symbol, std::string &buffer) const;

  std::shared_ptr<const Tokenizer::Data> data;
  bool skipSpecial;
  bool first = true;
  std::string pending;   ///< bytes that are not yet text
  uint32_t leftToStrip;  ///< at the start
  uint32_t held = 0;     ///< strip characters at the end so far
  std::string character; ///< the strip character in UTF-8
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_DETOKENIZER_H
