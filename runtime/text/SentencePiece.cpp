// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/SentencePiece.h"
#include "runtime/support/Error.h"
#include "runtime/text/ByteAlphabet.h"
#include "runtime/text/TokenizerBlob.h"
#include "runtime/text/Unicode.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

using namespace lori;

static constexpr std::string_view spaceSymbol = "\xE2\x96\x81"; // U+2581
// Every division of a piece is looked up.
static constexpr size_t maxPieceSize = 512;

namespace {

class SpecFiller {
public:
  SpecFiller(const std::vector<SentencePiece> &pieces, TokenizerSpec &spec)
      : pieces(pieces), spec(spec) {}

  void addTokens(const SentencePieceOptions &options);
  void addMerges();
  void addSteps(const SentencePieceOptions &options);

private:
  void addToken(const SentencePiece &piece, int32_t id,
                const SentencePieceOptions &options);
  void addMergesOf(uint32_t id);
  std::unordered_map<float, uint32_t> ranks() const;
  uint32_t symbolOf(std::string_view text);
  [[noreturn]] void fail(int32_t id, const std::string &message) const {
    throw Error(spec.file, "piece " + std::to_string(id) + " " + message);
  }

  const std::vector<SentencePiece> &pieces;
  TokenizerSpec &spec;
  /// The pieces that merging can lead to, and the characters that are none.
  std::unordered_map<std::string_view, uint32_t> symbols;
  std::unordered_map<float, uint32_t> rankOf;
};

} // namespace

static bool canMerge(const SentencePiece &piece) {
  return piece.type == PieceType::Normal || piece.type == PieceType::Unused;
}

static std::string withSpaces(std::string_view text) {
  std::string result;
  for (size_t at = 0; at < text.size();) {
    bool space = text.substr(at).starts_with(spaceSymbol);
    result += space ? ' ' : text[at];
    at += space ? spaceSymbol.size() : 1;
  }
  return repairUtf8(result);
}

void SpecFiller::addToken(const SentencePiece &piece, int32_t id,
                          const SentencePieceOptions &options) {
  TokenSpec token;
  token.exists = true;
  token.text = piece.text;
  token.shown = withSpaces(piece.text);
  AddedTokenSpec added;
  added.id = id;
  added.content = piece.text;
  switch (piece.type) {
  case PieceType::Unused:
    token.unused = true;
    [[fallthrough]];
  case PieceType::Normal:
    token.inModel = true;
    if (piece.text.size() > maxPieceSize)
      fail(id, "is longer than " + std::to_string(maxPieceSize) + " bytes");
    if (!isUtf8(piece.text) || piece.text.empty())
      token.inModel = false; // no text leads to it
    break;
  case PieceType::Unknown:
    spec.unknown = id;
    [[fallthrough]];
  case PieceType::Control:
    token.special = added.special = true;
    spec.added.push_back(added);
    break;
  case PieceType::UserDefined:
    added.normalized = options.userDefinedAfterPrefix;
    spec.added.push_back(added);
    break;
  case PieceType::Byte: {
    std::optional<unsigned char> byte = byteOfTokenName(piece.text);
    if (!byte)
      fail(id, "is of type byte, but is called '" + repairUtf8(piece.text) +
                   "' instead of, say, '<0x0A>'");
    token.isByte = true;
    token.shown = std::string(1, static_cast<char>(*byte));
    spec.byteTokens[*byte] = id;
    break;
  }
  default:
    fail(id, "is of the unknown type " +
                 std::to_string(static_cast<int32_t>(piece.type)));
  }
  spec.tokens.push_back(std::move(token));
}

void SpecFiller::addTokens(const SentencePieceOptions &options) {
  for (const SentencePiece &piece : pieces)
    addToken(piece, static_cast<int32_t>(spec.tokens.size()), options);
  // A token that text can become is looked for once: of two of one name the
  // second counts, as it does for llama.cpp.
  std::unordered_map<std::string_view, size_t> last;
  for (size_t i = 0; i < spec.added.size(); ++i)
    last[spec.added[i].content] = i;
  size_t index = 0;
  std::vector<AddedTokenSpec> kept;
  for (const AddedTokenSpec &added : spec.added)
    if (last[added.content] == index++ && isUtf8(added.content))
      kept.push_back(added);
  spec.added = std::move(kept);
}

// Dense ranks, 0 for the highest score.
std::unordered_map<float, uint32_t> SpecFiller::ranks() const {
  std::vector<float> scores;
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (!canMerge(pieces[id]))
      continue;
    if (std::isnan(pieces[id].score))
      fail(static_cast<int32_t>(id), "has NaN as its score");
    scores.push_back(pieces[id].score + 0.0f); // no negative zero
  }
  std::sort(scores.begin(), scores.end(), std::greater<>());
  scores.erase(std::unique(scores.begin(), scores.end()), scores.end());
  std::unordered_map<float, uint32_t> result;
  for (float score : scores)
    result.emplace(score, static_cast<uint32_t>(result.size()));
  return result;
}

uint32_t SpecFiller::symbolOf(std::string_view text) {
  auto found = symbols.find(text);
  if (found != symbols.end())
    return found->second;
  if (decodeUtf8(text, 0).size != text.size())
    return emptySlot;
  auto symbol = static_cast<uint32_t>(pieces.size() + spec.extraSymbols.size());
  spec.extraSymbols.emplace_back(text);
  symbols.emplace(text, symbol); // `text` is a part of a piece, and stays
  return symbol;
}

void SpecFiller::addMergesOf(uint32_t id) {
  std::string_view text = pieces[id].text;
  MergeSpec merge;
  merge.result = id;
  merge.rank = rankOf.at(pieces[id].score + 0.0f);
  for (size_t at = decodeUtf8(text, 0).size; at < text.size();
       at += decodeUtf8(text, at).size) {
    merge.left = symbolOf(text.substr(0, at));
    merge.right = symbolOf(text.substr(at));
    if (merge.left != emptySlot && merge.right != emptySlot)
      spec.merges.push_back(merge);
  }
}

void SpecFiller::addMerges() {
  rankOf = ranks();
  for (size_t id = 0; id < pieces.size(); ++id) {
    if (!spec.tokens[id].inModel)
      continue;
    auto [place, isNew] =
        symbols.try_emplace(pieces[id].text, static_cast<uint32_t>(id));
    if (isNew)
      continue;
    spec.tokens[place->second].inModel = false;
    place->second = static_cast<uint32_t>(id);
  }
  for (size_t id = 0; id < pieces.size(); ++id)
    if (spec.tokens[id].inModel)
      addMergesOf(static_cast<uint32_t>(id));
}

void SpecFiller::addSteps(const SentencePieceOptions &options) {
  std::string space(options.escapeWhitespaces ? spaceSymbol : " ");
  if (options.removeExtraWhitespaces)
    spec.normalizer.push_back({NormalizerKind::SqueezeSpaces, "", ""});
  if (options.addDummyPrefix)
    spec.normalizer.push_back({NormalizerKind::Prepend, "", space});
  if (options.escapeWhitespaces)
    spec.normalizer.push_back({NormalizerKind::ReplaceText, " ", space});
  spec.fuseUnknown = true;
  spec.byteDecoding = ByteDecoding::Characters;
  spec.stripCharacter = ' ';
  if (options.removeExtraWhitespaces)
    spec.stripStart = UINT32_MAX;
  else if (options.addDummyPrefix)
    spec.stripStart = 1;
}

void lori::fillSentencePiece(const std::vector<SentencePiece> &pieces,
                             const SentencePieceOptions &options,
                             TokenizerSpec &spec) {
  SpecFiller filler(pieces, spec);
  filler.addTokens(options);
  filler.addMerges();
  filler.addSteps(options);
}
