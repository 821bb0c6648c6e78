// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Tokenizer.h"
#include "runtime/support/Error.h"
#include "runtime/text/Bpe.h"
#include "runtime/text/Detokenizer.h"
#include "runtime/text/TokenizerData.h"
#include "runtime/text/Unicode.h"

#include <algorithm>
#include <cstring>

using namespace lori;

// Positions in a text have 31 bits, and normalization may lengthen it.
static constexpr size_t maxTextSize = size_t(1) << 28;

Tokenizer Tokenizer::load(std::span<const std::byte> bytes,
                          std::string_view file) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint64_t) == 0)
    return Tokenizer(std::make_shared<const Data>(bytes, file));
  if (bytes.size() % sizeof(uint64_t) != 0)
    throw Error(file, "the packed tokenizer is cut off");
  std::vector<uint64_t> copy(bytes.size() / sizeof(uint64_t));
  std::memcpy(copy.data(), bytes.data(), bytes.size());
  return own(std::move(copy), file);
}

// Moving the vector leaves its bytes where they are.
Tokenizer Tokenizer::own(std::vector<uint64_t> packed, std::string_view file) {
  auto bytes = std::as_bytes(std::span(packed));
  return Tokenizer(
      std::make_shared<const Data>(bytes, file, std::move(packed)));
}

std::span<const std::byte> Tokenizer::serialize() const { return data->bytes; }

namespace {

// One call of `encode`.
class Encoder {
public:
  Encoder(const Tokenizer::Data &data, bool parseSpecial)
      : data(data), parseSpecial(parseSpecial), bpe(data.blob) {}

  std::vector<int32_t> run(std::string_view text) {
    scratch.allow(text.size());
    data.rawAdded.split(
        text, parseSpecial,
        [&](std::string_view part) {
          encodeRaw(part, part.data() == text.data());
        },
        [&](uint32_t id) { tokens.push_back(static_cast<int32_t>(id)); });
    return std::move(tokens);
  }

private:
  void encodeRaw(std::string_view part, bool atStart) {
    std::string normalized = data.normalizer.apply(part, scratch);
    data.normalizedAdded.split(
        normalized, parseSpecial,
        [&](std::string_view inner) {
          encodeNormalized(inner, atStart && inner.data() == normalized.data());
        },
        [&](uint32_t id) { tokens.push_back(static_cast<int32_t>(id)); });
  }

  void encodeNormalized(std::string_view part, bool atStart) {
    text = part;
    data.preTokenizer.apply(text, pieces, atStart, scratch);
    for (const PreTokenizer::Piece &piece : pieces)
      bpe.encode(
          std::string_view(text).substr(piece.begin, piece.end - piece.begin),
          tokens);
  }

  const Tokenizer::Data &data;
  const bool parseSpecial;
  Bpe bpe;
  RegexScratch scratch;
  std::string text;
  std::vector<PreTokenizer::Piece> pieces;
  std::vector<int32_t> tokens;
};

} // namespace

std::vector<int32_t> Tokenizer::encode(std::string_view text,
                                       bool parseSpecial) const {
  if (text.size() > maxTextSize)
    throw Error("a text of " + std::to_string(text.size()) +
                " bytes is too long to be tokenized at once, at most " +
                std::to_string(maxTextSize) + " bytes are");
  std::string repaired;
  if (!isUtf8(text))
    text = repaired = repairUtf8(text);
  return Encoder(*data, parseSpecial).run(text);
}

std::string Tokenizer::decode(std::span<const int32_t> ids,
                              bool skipSpecial) const {
  std::string text;
  Detokenizer detokenizer(*this, skipSpecial);
  for (int32_t id : ids)
    detokenizer.push(id, text);
  detokenizer.finish(text);
  return text;
}

std::string_view Tokenizer::tokenBytes(int32_t id) const {
  return data->isToken(id) ? data->blob.shown(static_cast<uint32_t>(id))
                           : std::string_view();
}

int32_t Tokenizer::vocabularySize() const {
  return static_cast<int32_t>(data->blob.header->tokenCount);
}

bool Tokenizer::isSpecial(int32_t id) const {
  return data->isToken(id) &&
         (data->blob.symbols[static_cast<size_t>(id)].flags & SymbolSpecial);
}

std::optional<int32_t> Tokenizer::findToken(std::string_view text) const {
  for (std::span<const BlobAdded> list : data->blob.added)
    for (const BlobAdded &added : list)
      if (data->blob.text(added.id) == text)
        return static_cast<int32_t>(added.id);
  uint32_t symbol = data->blob.findSymbol(text);
  if (symbol >= data->blob.header->tokenCount) // emptySlot too
    return std::nullopt;
  return static_cast<int32_t>(symbol);
}

std::optional<int32_t> Tokenizer::bos() const {
  int32_t id = data->blob.header->bos;
  return id < 0 ? std::nullopt : std::optional(id);
}

std::span<const int32_t> Tokenizer::eos() const { return data->blob.eos; }

bool Tokenizer::addBos() const { return data->blob.has(BlobAddBos); }
