// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/GgufTokenizer.h"
#include "runtime/support/Error.h"
#include "runtime/text/ByteAlphabet.h"
#include "runtime/text/Regex.h"
#include "runtime/text/SentencePiece.h"
#include "runtime/text/Unicode.h"

#include <algorithm>

using namespace lori;

namespace {

class GgufTokenizerReader {
public:
  explicit GgufTokenizerReader(const Gguf &gguf) : gguf(gguf) {
    spec.file = gguf.path();
  }

  std::optional<TokenizerSpec> run();

private:
  void readTokens();
  void readSentencePiece();
  void readByteLevel();
  void addByteLevelToken(size_t id);
  void readMerges();
  void readEnds();
  std::optional<int32_t> tokenId(std::string_view key) const;
  [[noreturn]] void fail(const std::string &message) const {
    throw Error(gguf.path(), message);
  }

  const Gguf &gguf;
  TokenizerSpec spec;
  std::vector<SentencePiece> pieces;
  std::unordered_map<std::string_view, uint32_t> ids;
};

} // namespace

void GgufTokenizerReader::readTokens() {
  const GgufStrings *tokens = gguf.getStrings("tokenizer.ggml.tokens");
  if (!tokens || tokens->empty())
    fail("has a tokenizer, but no tokenizer.ggml.tokens");
  auto numbers = [&](const char *key) {
    const GgufNumbers *list = gguf.getNumbers(key);
    if (list && list->count != tokens->size())
      fail(std::string(key) + " has " + std::to_string(list->count) +
           " entries for " + std::to_string(tokens->size()) + " tokens");
    return list;
  };
  const GgufNumbers *types = numbers("tokenizer.ggml.token_type");
  const GgufNumbers *scores = numbers("tokenizer.ggml.scores");
  if (!scores && gguf.getText("tokenizer.ggml.model") == "llama")
    fail("has a SentencePiece tokenizer without tokenizer.ggml.scores");
  pieces.resize(tokens->size());
  for (size_t id = 0; id < pieces.size(); ++id) {
    pieces[id].text = (*tokens)[id];
    if (types)
      pieces[id].type = static_cast<PieceType>(types->asInteger(id));
    if (scores)
      pieces[id].score = static_cast<float>(scores->asNumber(id));
  }
  // Without types, the tokens with a role are known by it.
  if (!types)
    for (const char *key :
         {"tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id",
          "tokenizer.ggml.eot_token_id", "tokenizer.ggml.padding_token_id"})
      if (std::optional<int32_t> id = tokenId(key))
        pieces[static_cast<size_t>(*id)].type = PieceType::Control;
}

std::optional<int32_t>
GgufTokenizerReader::tokenId(std::string_view key) const {
  std::optional<int64_t> id = gguf.getInteger(key);
  // The format has no "none"; writers put the highest number there.
  if (!id || *id == -1 || *id == UINT32_MAX)
    return std::nullopt;
  if (*id < 0 || static_cast<uint64_t>(*id) >= pieces.size())
    fail(std::string(key) + " is " + std::to_string(*id) + ", but there are " +
         std::to_string(pieces.size()) + " tokens");
  return static_cast<int32_t>(*id);
}

void GgufTokenizerReader::readSentencePiece() {
  SentencePieceOptions options;
  options.addDummyPrefix =
      gguf.getBool("tokenizer.ggml.add_space_prefix").value_or(true);
  options.userDefinedAfterPrefix = false; // as llama.cpp
  fillSentencePiece(pieces, options, spec);
  if (!spec.unknown)
    spec.unknown = tokenId("tokenizer.ggml.unknown_token_id");
  spec.addBos = gguf.getBool("tokenizer.ggml.add_bos_token").value_or(true);
}

void GgufTokenizerReader::addByteLevelToken(size_t id) {
  const SentencePiece &piece = pieces[id];
  TokenSpec &token = spec.tokens[id];
  token.exists = true;
  token.text = piece.text;
  token.shown = repairUtf8(piece.text);
  token.special =
      piece.type == PieceType::Control || piece.type == PieceType::Unknown;
  if (token.special || piece.type == PieceType::UserDefined) {
    AddedTokenSpec added;
    added.id = static_cast<int32_t>(id);
    added.content = token.shown;
    added.special = token.special;
    spec.added.push_back(std::move(added));
    return;
  }
  std::optional<std::string> bytes = bytesOfAlphabet(piece.text);
  if (!bytes)
    return;
  token.text = token.shown = *bytes;
  if (piece.type == PieceType::Unused)
    return;
  // Of two tokens of one text the later counts.
  auto [place, isNew] = ids.try_emplace(piece.text, static_cast<uint32_t>(id));
  if (!isNew)
    spec.tokens[place->second].inModel = false;
  place->second = static_cast<uint32_t>(id);
  token.inModel = true;
  if (bytes->size() == 1)
    spec.byteTokens[static_cast<uint8_t>((*bytes)[0])] =
        static_cast<int32_t>(id);
}

void GgufTokenizerReader::readMerges() {
  const GgufStrings *merges = gguf.getStrings("tokenizer.ggml.merges");
  if (!merges)
    fail("has a byte-level tokenizer without tokenizer.ggml.merges");
  std::unordered_map<uint64_t, size_t> seen;
  for (size_t rank = 0; rank < merges->size(); ++rank) {
    std::string_view text = (*merges)[rank];
    size_t space = std::min(text.find(' ', 1), text.size());
    std::string_view left = text.substr(0, space);
    std::string_view right = text.substr(std::min(space + 1, text.size()));
    auto leftId = ids.find(left), rightId = ids.find(right);
    auto result = ids.find(std::string(left) + std::string(right));
    if (leftId == ids.end() || rightId == ids.end() || result == ids.end())
      fail("merge " + std::to_string(rank) + " of tokenizer.ggml.merges, '" +
           repairUtf8(text.substr(0, 100)) +
           "', joins or makes a token that does not exist");
    uint64_t key =
        static_cast<uint64_t>(leftId->second) << 32 | rightId->second;
    if (seen.try_emplace(key, rank).second)
      spec.merges.push_back({leftId->second, rightId->second,
                             static_cast<uint32_t>(rank), result->second});
  }
}

void GgufTokenizerReader::readByteLevel() {
  std::optional<std::string_view> name = gguf.getText("tokenizer.ggml.pre");
  if (!name)
    fail("does not name its pre-tokenizer (tokenizer.ggml.pre), convert the "
         "model again with a newer llama.cpp");
  const NamedPreTokenizer &pre = findPreTokenizer(*name, gguf.path());
  spec.byteLevel = true;
  spec.ignoreMerges = pre.ignoreMerges;
  spec.tokens.resize(pieces.size());
  for (size_t id = 0; id < pieces.size(); ++id)
    addByteLevelToken(id);
  readMerges();
  if (pre.normalizes)
    spec.normalizer.push_back({NormalizerKind::FormC, "", ""});
  for (std::string_view pattern : pre.patterns) {
    SplitterStep step;
    step.pattern = translatePattern(pattern);
    spec.splitters.push_back(std::move(step));
  }
  spec.addBos =
      gguf.getBool("tokenizer.ggml.add_bos_token").value_or(pre.addBos);
}

void GgufTokenizerReader::readEnds() {
  spec.bos = tokenId("tokenizer.ggml.bos_token_id");
  auto addEnd = [&](std::optional<int32_t> id) {
    if (id && std::ranges::find(spec.eos, *id) == spec.eos.end())
      spec.eos.push_back(*id);
  };
  for (const char *key :
       {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
        "tokenizer.ggml.eom_token_id"})
    addEnd(tokenId(key));
  // What SentencePiece models have where nothing is said (llama.cpp).
  auto usual = [&](const char *key, size_t id) -> std::optional<int32_t> {
    bool fits = !spec.byteLevel && !gguf.find(key) && id < pieces.size() &&
                pieces[id].type == PieceType::Control;
    return fits ? std::optional(static_cast<int32_t>(id)) : std::nullopt;
  };
  if (!spec.bos)
    spec.bos = usual("tokenizer.ggml.bos_token_id", 1);
  addEnd(usual("tokenizer.ggml.eos_token_id", 2));
  if (gguf.getBool("tokenizer.ggml.add_eos_token").value_or(false))
    fail("wants an EOS token behind each prompt (tokenizer.ggml."
         "add_eos_token), which is not supported");
}

std::optional<TokenizerSpec> GgufTokenizerReader::run() {
  std::optional<std::string_view> model = gguf.getText("tokenizer.ggml.model");
  if (!model || *model == "none" || *model == "no_vocab")
    return std::nullopt;
  if (*model != "gpt2" && *model != "llama")
    fail("has a tokenizer of the model '" + std::string(*model) +
         "' (tokenizer.ggml.model), supported are gpt2 and llama");
  readTokens();
  if (*model == "gpt2")
    readByteLevel();
  else
    readSentencePiece();
  readEnds();
  return std::move(spec);
}

std::optional<TokenizerSpec> lori::readGgufTokenizer(const Gguf &gguf) {
  return GgufTokenizerReader(gguf).run();
}
