// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Bpe.h"
#include "runtime/text/Unicode.h"

#include <algorithm>

using namespace lori;

void Bpe::encode(std::string_view piece, std::vector<int32_t> &tokens) {
  if (piece.empty())
    return;
  if (useWhole) {
    uint32_t symbol = blob.findSymbol(piece);
    if (symbol != emptySlot && (blob.symbols[symbol].flags & SymbolWhole)) {
      tokens.push_back(static_cast<int32_t>(symbol));
      return;
    }
  }
  symbols.clear();
  unknownPending = false;
  if (blob.has(BlobByteLevel))
    addBytes(piece);
  else
    addCharacters(piece);
  if (unknownPending)
    addSymbol(static_cast<uint32_t>(blob.header->unknown));
  mergeAll();
  for (const Symbol &symbol : symbols) {
    if (symbol.removed)
      continue;
    if (symbol.symbol < blob.header->tokenCount && partsOfUnused.empty())
      tokens.push_back(static_cast<int32_t>(symbol.symbol));
    else
      emit(symbol.symbol, tokens);
  }
}

void Bpe::addSymbol(uint32_t symbol) {
  auto index = static_cast<int32_t>(symbols.size());
  if (index > 0)
    symbols.back().next = index;
  symbols.push_back({symbol, index - 1, -1, false});
}

// An unknown token waits until something known follows, so that a run of
// unknown characters can become a single one.
void Bpe::addUnknown() {
  if (blob.header->unknown < 0)
    return; // as `tokenizers` does: left out
  if (unknownPending && !blob.has(BlobFuseUnknown))
    addSymbol(static_cast<uint32_t>(blob.header->unknown));
  unknownPending = true;
}

void Bpe::addBytes(std::string_view piece) {
  for (char c : piece) {
    int32_t token = blob.header->byteTokens[static_cast<uint8_t>(c)];
    if (token < 0) {
      addUnknown();
      continue;
    }
    if (unknownPending)
      addSymbol(static_cast<uint32_t>(blob.header->unknown));
    unknownPending = false;
    addSymbol(static_cast<uint32_t>(token));
  }
}

void Bpe::addCharacters(std::string_view piece) {
  const int32_t *byteTokens = blob.header->byteTokens;
  for (size_t at = 0; at < piece.size();) {
    std::string_view character = piece.substr(at, decodeUtf8(piece, at).size);
    at += character.size();
    uint32_t symbol = blob.findSymbol(character);
    if (symbol != emptySlot) {
      if (unknownPending)
        addSymbol(static_cast<uint32_t>(blob.header->unknown));
      unknownPending = false;
      addSymbol(symbol);
      continue;
    }
    if (!hasBytes(character)) {
      addUnknown();
      continue;
    }
    for (char c : character)
      addSymbol(static_cast<uint32_t>(byteTokens[static_cast<uint8_t>(c)]));
  }
}

void Bpe::addCandidate(int32_t left, int32_t right) {
  if (left < 0 || right < 0)
    return;
  uint32_t first = symbols[static_cast<size_t>(left)].symbol;
  uint32_t second = symbols[static_cast<size_t>(right)].symbol;
  const BlobMerge *merge = blob.findMerge(first, second);
  if (!merge)
    return;
  queue.push_back({merge->rank, static_cast<uint32_t>(left), merge->result});
  std::push_heap(queue.begin(), queue.end());
  if (blob.symbols[merge->result].flags & SymbolUnused)
    partsOfUnused[merge->result] = {first, second};
}

void Bpe::mergeAll() {
  queue.clear();
  for (size_t i = 1; i < symbols.size(); ++i)
    addCandidate(static_cast<int32_t>(i) - 1, static_cast<int32_t>(i));
  while (!queue.empty()) {
    std::pop_heap(queue.begin(), queue.end());
    Candidate best = queue.back();
    queue.pop_back();
    Symbol &left = symbols[best.position];
    if (left.removed || left.next < 0)
      continue;
    Symbol &right = symbols[static_cast<size_t>(left.next)];
    // One of the two may have merged otherwise since.
    const BlobMerge *merge = blob.findMerge(left.symbol, right.symbol);
    if (!merge || merge->result != best.result)
      continue;
    left.symbol = best.result;
    left.next = right.next;
    right.removed = true;
    if (left.next >= 0)
      symbols[static_cast<size_t>(left.next)].previous =
          static_cast<int32_t>(best.position);
    addCandidate(left.previous, static_cast<int32_t>(best.position));
    addCandidate(static_cast<int32_t>(best.position), left.next);
  }
}

bool Bpe::hasBytes(std::string_view text) const {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return blob.header->byteTokens[static_cast<uint8_t>(c)] >= 0;
  });
}

// Appends a character that begins tokens but is none.
void Bpe::emitCharacter(std::string_view text, std::vector<int32_t> &tokens) {
  if (hasBytes(text)) {
    for (char c : text)
      tokens.push_back(blob.header->byteTokens[static_cast<uint8_t>(c)]);
    return;
  }
  int32_t unknown = blob.header->unknown;
  bool fused =
      blob.has(BlobFuseUnknown) && !tokens.empty() && tokens.back() == unknown;
  if (unknown >= 0 && !fused)
    tokens.push_back(unknown);
}

void Bpe::emit(uint32_t symbol, std::vector<int32_t> &tokens) {
  std::vector<uint32_t> open = {symbol};
  while (!open.empty()) {
    uint32_t next = open.back();
    open.pop_back();
    auto parts = partsOfUnused.find(next);
    size_t size = blob.symbols[next].textSize;
    if (parts != partsOfUnused.end()) {
      auto [left, right] = parts->second;
      size_t leftSize = blob.symbols[left].textSize;
      size_t rightSize = blob.symbols[right].textSize;
      // Holds but in damaged tables, which could run in circles.
      if (leftSize < size && rightSize < size && leftSize + rightSize <= size) {
        open.push_back(right);
        open.push_back(left);
        continue;
      }
    }
    if (next < blob.header->tokenCount)
      tokens.push_back(static_cast<int32_t>(next));
    else
      emitCharacter(blob.text(next), tokens);
  }
}
