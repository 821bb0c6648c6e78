// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/TokenizerBlob.h"
#include "runtime/support/Error.h"
#include "runtime/text/TokenizerSpec.h"
#include "runtime/text/Unicode.h"

#include <cstring>

using namespace lori;

static uint64_t mixed(uint64_t value) {
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93u;
  value ^= value >> 32;
  value *= 0xD6E8FEB86659FD93u;
  return value ^ value >> 32;
}

uint64_t lori::hashText(std::string_view text) {
  uint64_t hash = text.size() * 0x9E3779B97F4A7C15u;
  while (!text.empty()) {
    uint64_t block = 0;
    size_t size = std::min(text.size(), sizeof(block));
    std::memcpy(&block, text.data(), size);
    hash = mixed(hash ^ block);
    text.remove_prefix(size);
  }
  return hash;
}

uint64_t lori::hashPair(uint32_t left, uint32_t right) {
  return mixed(static_cast<uint64_t>(left) << 32 | right);
}

static constexpr uint32_t indexMask = (1u << slotIndexBits) - 1;

uint32_t BlobView::findSymbol(std::string_view wanted) const {
  uint64_t hash = hashText(wanted);
  uint32_t tag = slotTag(hash), found = emptySlot;
  probe(hash, symbolSlots.size(), [&](size_t slot) {
    uint32_t entry = symbolSlots[slot];
    if (entry == emptySlot)
      return true;
    if ((entry & ~indexMask) == tag && text(entry & indexMask) == wanted)
      found = entry & indexMask;
    return found != emptySlot;
  });
  return found;
}

const BlobMerge *BlobView::findMerge(uint32_t left, uint32_t right) const {
  uint64_t hash = hashPair(left, right);
  uint32_t tag = slotTag(hash);
  const BlobMerge *found = nullptr;
  probe(hash, mergeSlots.size(), [&](size_t slot) {
    uint32_t entry = mergeSlots[slot];
    if (entry == emptySlot)
      return true;
    if ((entry & ~indexMask) == tag) {
      const BlobMerge &merge = merges[entry & indexMask];
      if (merge.left == left && merge.right == right)
        found = &merge;
    }
    return found != nullptr;
  });
  return found;
}

namespace {

// Takes tables off the front of the bytes and checks what they hold.
class BlobReader {
public:
  BlobReader(std::span<const std::byte> bytes, std::string_view file)
      : rest(bytes), file(file) {}

  BlobView read();

private:
  template <typename Entry> std::span<const Entry> table(uint64_t count);
  void checkHeader(const BlobHeader &header, uint64_t size) const;
  void checkSymbols(const BlobView &view) const;
  void checkMerges(const BlobView &view) const;
  void checkAdded(const BlobView &view) const;
  void checkSteps(const BlobView &view) const;
  void check(bool right, std::string_view what) const {
    if (!right)
      throw Error(file, "the packed tokenizer is damaged (" +
                            std::string(what) + "), compile the program again");
  }
  bool inPool(const BlobView &view, BlobString part) const {
    return static_cast<uint64_t>(part.offset) + part.size <= view.pool.size();
  }
  // What is put into a text, or cuts it, must leave it valid UTF-8.
  bool isText(const BlobView &view, BlobString part) const {
    return inPool(view, part) && isUtf8(view.string(part));
  }

  std::span<const std::byte> rest;
  std::string_view file;
};

} // namespace

template <typename Entry>
std::span<const Entry> BlobReader::table(uint64_t count) {
  // Counts have 32 bits and entries below 2^11 bytes: no overflow.
  uint64_t size = count * sizeof(Entry), padded = (size + 7) / 8 * 8;
  check(padded <= rest.size(), "it is too short");
  const auto *entries = reinterpret_cast<const Entry *>(rest.data());
  rest = rest.subspan(padded);
  return {entries, static_cast<size_t>(count)};
}

void BlobReader::checkHeader(const BlobHeader &header, uint64_t size) const {
  check(std::memcmp(header.magic, blobMagic, sizeof(blobMagic)) == 0,
        "its magic is missing");
  check(header.version == blobVersion,
        "version " + std::to_string(header.version) + " instead of " +
            std::to_string(blobVersion));
  check(header.size == size, "its size is wrong");
  check(header.tokenCount <= header.symbolCount &&
            header.symbolCount < indexMask && header.mergeCount < indexMask,
        "its counts are wrong");
  auto isToken = [&](int32_t id) {
    return id >= -1 &&
           (id < 0 || static_cast<uint32_t>(id) < header.tokenCount);
  };
  check(isToken(header.bos) && isToken(header.unknown), "a token's number");
  for (int32_t id : header.byteTokens)
    check(isToken(id), "the token of a byte");
  check(header.byteDecoding <= static_cast<uint32_t>(ByteDecoding::Characters),
        "its byte decoding");
  auto isCharacter = [](uint32_t code) {
    return code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  };
  check(isCharacter(header.stripCharacter) &&
            isCharacter(header.firstTokenDrops),
        "a character");
}

void BlobReader::checkSymbols(const BlobView &view) const {
  for (const BlobSymbol &symbol : view.symbols) {
    check(inPool(view, {symbol.text, symbol.textSize}) &&
              inPool(view, {symbol.shown, symbol.shownSize}) &&
              (!(symbol.flags & SymbolIsByte) || symbol.shownSize == 1),
          "a token");
  }
  for (uint32_t entry : view.symbolSlots)
    check(entry == emptySlot || (entry & indexMask) < view.symbols.size(),
          "the table of tokens");
}

void BlobReader::checkMerges(const BlobView &view) const {
  uint32_t count = view.header->symbolCount;
  for (const BlobMerge &merge : view.merges)
    check(merge.left < count && merge.right < count && merge.result < count,
          "a merge");
  for (uint32_t entry : view.mergeSlots)
    check(entry == emptySlot || (entry & indexMask) < view.merges.size(),
          "the table of merges");
}

void BlobReader::checkAdded(const BlobView &view) const {
  for (std::span<const BlobAdded> list : view.added) {
    std::string_view previous;
    for (const BlobAdded &added : list) {
      check(added.id < view.header->tokenCount && added.content.size != 0 &&
                isText(view, added.content),
            "an added token");
      std::string_view content = view.string(added.content);
      check(previous < content, "the order of the added tokens");
      previous = content;
    }
  }
}

void BlobReader::checkSteps(const BlobView &view) const {
  check(view.normalizer.size() <= maxTokenizerSteps &&
            view.splitters.size() <= maxTokenizerSteps,
        "the number of steps");
  for (const BlobNormalizer &step : view.normalizer)
    check(step.kind <= static_cast<uint32_t>(NormalizerKind::SqueezeSpaces) &&
              isText(view, step.pattern) && isText(view, step.content),
          "a step of the normalizer");
  for (const BlobSplitter &step : view.splitters)
    check(step.kind <= static_cast<uint32_t>(SplitterKind::AddPrefixSpace) &&
              step.behavior <=
                  static_cast<uint32_t>(SplitBehavior::MergedWithNext) &&
              step.prepend <= static_cast<uint32_t>(PrependScheme::Always) &&
              isText(view, step.pattern) &&
              (step.kind != static_cast<uint32_t>(SplitterKind::Metaspace) ||
               (step.pattern.size > 0 && step.pattern.size <= 4)),
          "a step of the pre-tokenizer");
}

BlobView BlobReader::read() {
  uint64_t size = rest.size();
  BlobView view;
  view.header = table<BlobHeader>(1).data();
  const BlobHeader &header = *view.header;
  checkHeader(header, size);
  view.symbols = table<BlobSymbol>(header.symbolCount);
  view.merges = table<BlobMerge>(header.mergeCount);
  view.symbolSlots = table<uint32_t>(header.symbolSlotCount);
  view.mergeSlots = table<uint32_t>(header.mergeSlotCount);
  for (int list = 0; list < 2; ++list)
    view.added[list] = table<BlobAdded>(header.addedCount[list]);
  view.normalizer = table<BlobNormalizer>(header.normalizerCount);
  view.splitters = table<BlobSplitter>(header.splitterCount);
  view.eos = table<int32_t>(header.eosCount);
  view.pool = table<char>(header.byteCount);
  check(rest.empty(), "bytes are left over");
  checkSymbols(view);
  checkMerges(view);
  checkAdded(view);
  checkSteps(view);
  for (int32_t id : view.eos)
    check(id >= 0 && static_cast<uint32_t>(id) < header.tokenCount,
          "an end token");
  return view;
}

BlobView lori::viewBlob(std::span<const std::byte> bytes,
                        std::string_view file) {
  return BlobReader(bytes, file).read();
}
