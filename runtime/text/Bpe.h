// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_BPE_H
#define LORI_RUNTIME_TEXT_BPE_H

#include "runtime/text/TokenizerBlob.h"

#include <unordered_map>
#include <vector>

namespace lori {

/// Byte pair encoding of single pieces of text: of all adjacent pairs that may
/// merge, the one of lowest rank does, of equal ranks the leftmost, until none
/// is left. O(n log n) in the piece's length. Keeps its memory from piece to
/// piece: one for each call of `Tokenizer::encode`.
class Bpe {
public:
  /// `useWhole` takes the precomputed answer for pieces that are one token.
  explicit Bpe(const BlobView &blob, bool useWhole = true)
      : blob(blob), useWhole(useWhole) {}

  /// Appends the tokens of `piece`.
  void encode(std::string_view piece, std::vector<int32_t> &tokens);

private:
  struct Symbol {
    uint32_t symbol;
    int32_t previous, next;
    bool removed;
  };
  struct Candidate {
    uint32_t rank, position, result;
    bool operator<(const Candidate &other) const {
      return rank != other.rank ? rank > other.rank : position > other.position;
    }
  };

  void addBytes(std::string_view piece);
  void addCharacters(std::string_view piece);
  void addUnknown();
  void addSymbol(uint32_t symbol);
  void addCandidate(int32_t left, int32_t right);
  void mergeAll();
  bool hasBytes(std::string_view text) const;
  void emitCharacter(std::string_view text, std::vector<int32_t> &tokens);
  void emit(uint32_t symbol, std::vector<int32_t> &tokens);

  const BlobView &blob;
  const bool useWhole;
  bool unknownPending = false;
  std::vector<Symbol> symbols;
  std::vector<Candidate> queue; ///< a heap
  /// The parts of SentencePiece's unused tokens, as last seen.
  std::unordered_map<uint32_t, std::pair<uint32_t, uint32_t>> partsOfUnused;
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_BPE_H
