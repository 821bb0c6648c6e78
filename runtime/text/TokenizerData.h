// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The inside of a Tokenizer: the checked tables and what is compiled from them.

#ifndef LORI_RUNTIME_TEXT_TOKENIZERDATA_H
#define LORI_RUNTIME_TEXT_TOKENIZERDATA_H

#include "runtime/text/AddedTokens.h"
#include "runtime/text/TextSteps.h"
#include "runtime/text/Tokenizer.h"

namespace lori {

struct Tokenizer::Data {
  /// Takes `bytes`, which begin at a multiple of 8; `owned` keeps them if they
  /// are the tokenizer's own.
  Data(std::span<const std::byte> bytes, std::string_view file,
       std::vector<uint64_t> owned = {})
      : owned(std::move(owned)), bytes(bytes), blob(viewBlob(bytes, file)),
        normalizer(blob), preTokenizer(blob), rawAdded(blob, blob.added[0]),
        normalizedAdded(blob, blob.added[1]) {}
  Data(const Data &) = delete;
  Data &operator=(const Data &) = delete;

  const std::vector<uint64_t> owned;
  const std::span<const std::byte> bytes;
  const BlobView blob;
  const Normalizer normalizer;
  const PreTokenizer preTokenizer;
  const AddedTokens rawAdded, normalizedAdded;

  bool isToken(int32_t id) const {
    return id >= 0 && static_cast<uint32_t>(id) < blob.header->tokenCount;
  }
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TOKENIZERDATA_H
