// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Packs a TokenizerSpec into the tables of TokenizerBlob.h.

#include "runtime/support/Error.h"
#include "runtime/text/Bpe.h"
#include "runtime/text/TextSteps.h"
#include "runtime/text/TokenizerSpec.h"
#include "runtime/text/Unicode.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

using namespace lori;

namespace {

class Builder {
public:
  explicit Builder(const TokenizerSpec &spec) : spec(spec) {}

  std::vector<uint64_t> run();

private:
  void addSymbols();
  void addAdded();
  void addSteps();
  void markWholeWords();
  void fillHeader();
  BlobString intern(std::string_view text);
  template <typename Hash>
  std::vector<uint32_t> makeSlots(const std::vector<uint32_t> &entries,
                                  Hash hashOf) const;
  void checkToken(int64_t id, std::string_view role) const;
  std::vector<uint64_t> pack() const;
  [[noreturn]] void fail(const std::string &message) const {
    throw Error(spec.file, shortText(message));
  }

  const TokenizerSpec &spec;
  BlobHeader header = {};
  std::vector<BlobSymbol> symbols;
  std::vector<BlobMerge> merges;
  std::vector<uint32_t> symbolSlots, mergeSlots;
  std::vector<BlobAdded> added[2];
  std::vector<BlobNormalizer> normalizer;
  std::vector<BlobSplitter> splitters;
  std::string pool;
  std::unordered_map<std::string, uint32_t> interned;
};

} // namespace

static constexpr size_t maxSymbols = (1u << slotIndexBits) - 2;
static constexpr size_t maxAddedSize = 1024;

BlobString Builder::intern(std::string_view text) {
  auto [entry, isNew] = interned.try_emplace(
      std::string(text), static_cast<uint32_t>(pool.size()));
  if (isNew) {
    if (pool.size() + text.size() > UINT32_MAX)
      fail("the vocabulary's texts are longer than 4 GB");
    pool += text;
  }
  return {entry->second, static_cast<uint32_t>(text.size())};
}

void Builder::checkToken(int64_t id, std::string_view role) const {
  if (id < 0 || static_cast<uint64_t>(id) >= spec.tokens.size() ||
      !spec.tokens[static_cast<size_t>(id)].exists)
    fail("the " + std::string(role) + " is token " + std::to_string(id) +
         ", which does not exist");
}

void Builder::addSymbols() {
  if (spec.tokens.size() + spec.extraSymbols.size() > maxSymbols ||
      spec.merges.size() > maxSymbols)
    fail("the vocabulary is too large, at most " + std::to_string(maxSymbols) +
         " tokens and as many merges are supported");
  auto add = [&](std::string_view text, std::string_view shown,
                 uint16_t flags) {
    if (text.size() > UINT16_MAX || shown.size() > UINT16_MAX)
      fail("token " + std::to_string(symbols.size()) +
           " is longer than 65535 bytes");
    BlobString textPart = intern(text), shownPart = intern(shown);
    symbols.push_back({textPart.offset, static_cast<uint16_t>(textPart.size),
                       flags, shownPart.offset,
                       static_cast<uint16_t>(shownPart.size), 0});
  };
  for (const TokenSpec &token : spec.tokens)
    add(token.text, token.shown,
        static_cast<uint16_t>((token.exists ? SymbolExists : 0) |
                              (token.inModel ? SymbolInModel : 0) |
                              (token.special ? SymbolSpecial : 0) |
                              (token.isByte ? SymbolIsByte : 0) |
                              (token.unused ? SymbolUnused : 0)));
  for (const std::string &text : spec.extraSymbols)
    add(text, text, SymbolInModel);
}

// Open addressing, half full; grows where too many keys fall together.
template <typename Hash>
std::vector<uint32_t> Builder::makeSlots(const std::vector<uint32_t> &entries,
                                         Hash hashOf) const {
  for (size_t count = entries.size() * 2 + 1; count <= entries.size() * 64 + 64;
       count *= 2) {
    std::vector<uint32_t> slots(count, emptySlot);
    bool fits =
        std::all_of(entries.begin(), entries.end(), [&](uint32_t entry) {
          uint64_t hash = hashOf(entry);
          bool placed = false;
          probe(hash, count, [&](size_t slot) {
            if (slots[slot] == emptySlot) {
              slots[slot] = slotTag(hash) | entry;
              placed = true;
            }
            return placed;
          });
          return placed;
        });
    if (fits)
      return slots;
  }
  fail("the vocabulary has too many entries of equal hash");
}

void Builder::addAdded() {
  for (const AddedTokenSpec &token : spec.added) {
    checkToken(token.id, "added token '" + token.content + "'");
    if (token.content.empty())
      continue;
    if (token.content.size() > maxAddedSize)
      fail("an added token is " + std::to_string(token.content.size()) +
           " bytes long, at most " + std::to_string(maxAddedSize) +
           " are supported");
    uint32_t flags = (token.special ? AddedSpecial : 0u) |
                     (token.singleWord ? AddedSingleWord : 0u) |
                     (token.stripLeft ? AddedStripLeft : 0u) |
                     (token.stripRight ? AddedStripRight : 0u);
    added[token.normalized].push_back(
        {static_cast<uint32_t>(token.id), flags, intern(token.content)});
  }
  auto content = [&](const BlobAdded &token) {
    return std::string_view(pool).substr(token.content.offset,
                                         token.content.size);
  };
  for (std::vector<BlobAdded> &list : added) {
    std::sort(list.begin(), list.end(),
              [&](const BlobAdded &left, const BlobAdded &right) {
                return content(left) < content(right);
              });
    auto twice =
        std::adjacent_find(list.begin(), list.end(),
                           [&](const BlobAdded &left, const BlobAdded &right) {
                             return content(left) == content(right);
                           });
    if (twice != list.end())
      fail("the added token '" + std::string(content(*twice)) +
           "' is there twice");
  }
}

void Builder::addSteps() {
  for (const NormalizerStep &step : spec.normalizer)
    normalizer.push_back({static_cast<uint32_t>(step.kind),
                          intern(step.pattern), intern(step.content)});
  for (const SplitterStep &step : spec.splitters)
    splitters.push_back({static_cast<uint32_t>(step.kind),
                         static_cast<uint32_t>(step.behavior),
                         static_cast<uint32_t>(step.prepend),
                         step.invert ? 1u : 0u, intern(step.pattern)});
}

void Builder::fillHeader() {
  std::memcpy(header.magic, blobMagic, sizeof(blobMagic));
  header.version = blobVersion;
  header.flags = (spec.byteLevel ? BlobByteLevel : 0u) |
                 (spec.fuseUnknown ? BlobFuseUnknown : 0u) |
                 (spec.addBos ? BlobAddBos : 0u) |
                 (spec.joinWithSpaces ? BlobJoinWithSpaces : 0u);
  header.tokenCount = static_cast<uint32_t>(spec.tokens.size());
  header.symbolCount = static_cast<uint32_t>(symbols.size());
  header.mergeCount = static_cast<uint32_t>(merges.size());
  header.symbolSlotCount = static_cast<uint32_t>(symbolSlots.size());
  header.mergeSlotCount = static_cast<uint32_t>(mergeSlots.size());
  for (int list = 0; list < 2; ++list)
    header.addedCount[list] = static_cast<uint32_t>(added[list].size());
  header.normalizerCount = static_cast<uint32_t>(normalizer.size());
  header.splitterCount = static_cast<uint32_t>(splitters.size());
  header.eosCount = static_cast<uint32_t>(spec.eos.size());
  header.byteCount = static_cast<uint32_t>(pool.size());
  header.bos = spec.bos.value_or(-1);
  header.unknown = spec.unknown.value_or(-1);
  header.byteDecoding = static_cast<uint32_t>(spec.byteDecoding);
  header.stripCharacter = spec.stripCharacter;
  header.stripStart = spec.stripStart;
  header.stripStop = spec.stripStop;
  header.firstTokenDrops = spec.firstTokenDrops;
  std::copy(spec.byteTokens.begin(), spec.byteTokens.end(), header.byteTokens);
}

std::vector<uint64_t> Builder::pack() const {
  std::vector<uint64_t> packed;
  auto append = [&](const auto *entries, size_t count) {
    size_t size = count * sizeof(*entries), at = packed.size();
    packed.resize(at + (size + 7) / 8);
    if (size != 0)
      std::memcpy(packed.data() + at, entries, size);
  };
  append(&header, 1);
  append(symbols.data(), symbols.size());
  append(merges.data(), merges.size());
  append(symbolSlots.data(), symbolSlots.size());
  append(mergeSlots.data(), mergeSlots.size());
  for (const std::vector<BlobAdded> &list : added)
    append(list.data(), list.size());
  append(normalizer.data(), normalizer.size());
  append(splitters.data(), splitters.size());
  append(spec.eos.data(), spec.eos.size());
  append(pool.data(), pool.size());
  reinterpret_cast<BlobHeader *>(packed.data())->size = packed.size() * 8;
  return packed;
}

// Most words of a text are one token each. Where the merges lead to it is found
// out here, once.
void Builder::markWholeWords() {
  if (spec.splitters.empty())
    return;
  std::vector<uint64_t> packed = pack();
  BlobView view = viewBlob(std::as_bytes(std::span(packed)), spec.file);
  Bpe bpe(view, /*useWhole=*/false);
  std::vector<int32_t> tokens;
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    if (!spec.tokens[id].inModel || spec.tokens[id].text.empty())
      continue;
    tokens.clear();
    if (!spec.ignoreMerges)
      bpe.encode(spec.tokens[id].text, tokens);
    bool whole = spec.ignoreMerges ||
                 (tokens.size() == 1 && tokens[0] == static_cast<int32_t>(id));
    if (whole)
      symbols[id].flags |= SymbolWhole;
  }
}

std::vector<uint64_t> Builder::run() {
  addSymbols();
  for (const MergeSpec &merge : spec.merges)
    merges.push_back({merge.left, merge.right, merge.rank, merge.result});
  std::vector<uint32_t> entries;
  for (size_t i = 0; i < symbols.size(); ++i)
    if ((symbols[i].flags & SymbolInModel) && symbols[i].textSize != 0)
      entries.push_back(static_cast<uint32_t>(i));
  symbolSlots = makeSlots(entries, [&](uint32_t entry) {
    return hashText(std::string_view(pool).substr(symbols[entry].text,
                                                  symbols[entry].textSize));
  });
  entries.resize(merges.size());
  for (size_t i = 0; i < merges.size(); ++i)
    entries[i] = static_cast<uint32_t>(i);
  mergeSlots = makeSlots(entries, [&](uint32_t entry) {
    return hashPair(merges[entry].left, merges[entry].right);
  });
  addAdded();
  addSteps();
  if (spec.bos)
    checkToken(*spec.bos, "BOS token");
  if (spec.unknown)
    checkToken(*spec.unknown, "unknown token");
  for (int32_t id : spec.eos)
    checkToken(id, "EOS token");
  if (spec.addBos && !spec.bos)
    fail("prompts are to begin with a BOS token, but none is named");
  fillHeader();
  markWholeWords();
  return pack();
}

Tokenizer lori::buildTokenizer(const TokenizerSpec &spec) {
  return Tokenizer::own(Builder(spec).run(), spec.file);
}
