// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_ADDEDTOKENS_H
#define LORI_RUNTIME_TEXT_ADDEDTOKENS_H

#include "runtime/text/TokenizerBlob.h"

#include <bitset>

namespace lori {

/// Finds the tokens that are split off a text before the model sees it: from
/// left to right, at each place the longest.
class AddedTokens {
public:
  /// `tokens` are sorted by content.
  AddedTokens(const BlobView &blob, std::span<const BlobAdded> tokens);

  /// Calls `onText(part)` and `onToken(id)` for the parts of `text` in order.
  /// Special tokens stay text unless `parseSpecial`.
  template <typename OnText, typename OnToken>
  void split(std::string_view text, bool parseSpecial, OnText onText,
             OnToken onToken) const {
    size_t done = 0;
    for (size_t at = 0; at < text.size();) {
      const BlobAdded *token = longestAt(text, at);
      if (!token) {
        ++at;
        continue;
      }
      size_t begin = at, end = at + token->content.size;
      at = end; // what a rejected token covers is not looked at again
      if (((token->flags & AddedSpecial) && !parseSpecial) ||
          !takes(*token, text, done, begin, end))
        continue;
      if (done < begin)
        onText(text.substr(done, begin - done));
      onToken(token->id);
      done = end;
    }
    if (done < text.size())
      onText(text.substr(done));
  }

private:
  const BlobAdded *longestAt(std::string_view text, size_t at) const;
  static bool takes(const BlobAdded &token, std::string_view text, size_t done,
                    size_t &begin, size_t &end);

  const BlobView &blob;
  std::span<const BlobAdded> tokens;
  std::bitset<256> firstBytes;
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_ADDEDTOKENS_H
