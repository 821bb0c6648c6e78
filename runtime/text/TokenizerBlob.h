// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The packed form of a tokenizer, version 1: a header and tables that are used
// where they lie, so that loading is one pass of checks. Little-endian. The
// tables follow the header in the order of BlobView's members, each at a
// multiple of 8 bytes; their sizes follow from the header's counts.

#ifndef LORI_RUNTIME_TEXT_TOKENIZERBLOB_H
#define LORI_RUNTIME_TEXT_TOKENIZERBLOB_H

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace lori {

static_assert(std::endian::native == std::endian::little);

inline constexpr char blobMagic[8] = {'L', 'o', 'R', 'I', 't', 'o', 'k', 0};
inline constexpr uint32_t blobVersion = 1;

/// Table slots hold an index below 2^24 and seven bits of the key's hash above
/// it, or this.
inline constexpr uint32_t emptySlot = 0xFFFFFFFF;
inline constexpr uint32_t slotIndexBits = 24;
/// No more slots than this are looked at for one key.
inline constexpr uint32_t maxProbes = 128;

enum BlobFlags : uint32_t {
  BlobByteLevel = 1,
  BlobFuseUnknown = 2,
  BlobAddBos = 4,
  BlobJoinWithSpaces = 8,
};

struct BlobHeader {
  char magic[8];
  uint32_t version;
  uint32_t flags;
  uint64_t size; ///< of the whole blob
  uint32_t tokenCount;
  uint32_t symbolCount; ///< tokens, then characters that are none
  uint32_t mergeCount;
  uint32_t symbolSlotCount;
  uint32_t mergeSlotCount;
  uint32_t addedCount[2]; ///< looked for before, after normalization
  uint32_t normalizerCount;
  uint32_t splitterCount;
  uint32_t eosCount;
  uint32_t byteCount;
  int32_t bos;     ///< -1 for none
  int32_t unknown; ///< -1 for none
  uint32_t byteDecoding;
  uint32_t stripCharacter, stripStart, stripStop;
  uint32_t firstTokenDrops;
  int32_t byteTokens[256]; ///< -1 for none
};

/// A string in the byte pool.
struct BlobString {
  uint32_t offset, size;
};

enum SymbolFlags : uint16_t {
  SymbolExists = 1,
  SymbolInModel = 2,
  SymbolSpecial = 4,
  SymbolIsByte = 8, ///< `shown` is one byte
  SymbolUnused = 16,
  SymbolWhole = 32, ///< a word of this text is this token
};

struct BlobSymbol {
  uint32_t text;
  uint16_t textSize;
  uint16_t flags;
  uint32_t shown;
  uint16_t shownSize;
  uint16_t reserved;
};

struct BlobMerge {
  uint32_t left, right, rank, result;
};

enum AddedFlags : uint32_t {
  AddedSpecial = 1,
  AddedSingleWord = 2,
  AddedStripLeft = 4,
  AddedStripRight = 8,
};

struct BlobAdded {
  uint32_t id, flags;
  BlobString content;
};

struct BlobNormalizer {
  uint32_t kind;
  BlobString pattern, content;
};

struct BlobSplitter {
  uint32_t kind, behavior, prepend, invert;
  BlobString pattern;
};

/// The tables of a blob whose every offset, index and count has been checked.
struct BlobView {
  const BlobHeader *header = nullptr;
  std::span<const BlobSymbol> symbols;
  std::span<const BlobMerge> merges;
  std::span<const uint32_t> symbolSlots; ///< by hash of the text
  std::span<const uint32_t> mergeSlots;  ///< by hash of (left, right)
  std::span<const BlobAdded> added[2];   ///< sorted by content, as bytes
  std::span<const BlobNormalizer> normalizer;
  std::span<const BlobSplitter> splitters;
  std::span<const int32_t> eos;
  std::span<const char> pool;

  bool has(BlobFlags flag) const { return (header->flags & flag) != 0; }
  std::string_view string(BlobString part) const {
    return {pool.data() + part.offset, part.size};
  }
  std::string_view text(uint32_t symbol) const {
    return string({symbols[symbol].text, symbols[symbol].textSize});
  }
  std::string_view shown(uint32_t symbol) const {
    return string({symbols[symbol].shown, symbols[symbol].shownSize});
  }

  /// Returns the symbol of the model with this text, or emptySlot.
  uint32_t findSymbol(std::string_view text) const;
  /// Returns the merge of two symbols, or null.
  const BlobMerge *findMerge(uint32_t left, uint32_t right) const;
};

/// Lays the tables out over `bytes`, which begin at a multiple of 8. Throws
/// Error, with `file`, if anything in them points out of them.
BlobView viewBlob(std::span<const std::byte> bytes, std::string_view file);

uint64_t hashText(std::string_view text);
uint64_t hashPair(uint32_t left, uint32_t right);

/// Calls `visit(slot)` for the slots a key may be in, until it returns true.
template <typename Visitor>
void probe(uint64_t hash, size_t slotCount, Visitor visit) {
  if (slotCount == 0)
    return;
  auto slot = static_cast<size_t>(
      (static_cast<unsigned __int128>(hash) * slotCount) >> 64);
  for (uint32_t i = 0; i < maxProbes; ++i) {
    if (visit(slot))
      return;
    if (++slot == slotCount)
      slot = 0;
  }
}

inline uint32_t slotTag(uint64_t hash) {
  return static_cast<uint32_t>(hash & 0x7F) << slotIndexBits;
}

} // namespace lori

#endif // LORI_RUNTIME_TEXT_TOKENIZERBLOB_H
