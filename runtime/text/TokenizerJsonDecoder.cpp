// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The member "decoder" of tokenizer.json. What a decoder does to each token by
// itself is done here, once for each; what it does to runs of tokens or to the
// whole text is left to the Detokenizer.

#include "runtime/support/Error.h"
#include "runtime/text/ByteAlphabet.h"
#include "runtime/text/Regex.h"
#include "runtime/text/TextSteps.h"
#include "runtime/text/TokenizerJson.h"
#include "runtime/text/Unicode.h"

using namespace lori;

namespace {

class DecoderReader {
public:
  DecoderReader(const std::vector<std::string> &content, TokenizerSpec &spec)
      : spec(spec), shown(content) {}

  void read(const JsonValue *json);

private:
  // How far the chain has come: each stage allows less.
  enum class Stage { Tokens, Bytes, Text };

  void component(const std::string &type, const JsonMembers &members);
  void rewriteTokens(const NormalizerStep &step, const JsonMembers &members);
  void replace(const JsonMembers &members);
  void metaspace(const JsonMembers &members);
  void byteLevel();
  void byteFallback();
  void strip(const JsonMembers &members);
  void only(Stage last, const JsonMembers &members) const {
    if (stage > last)
      members.fail("comes too late in the decoder, after ByteFallback, Fuse "
                   "or ByteLevel");
  }

  TokenizerSpec &spec;
  std::vector<std::string> shown;
  Stage stage = Stage::Tokens;
  size_t components = 0;
  bool perTokenDone = false; ///< Metaspace was there: no other per-token step
};

} // namespace

void DecoderReader::component(const std::string &type,
                              const JsonMembers &members) {
  checkSteps(++components, "decoder", members.file());
  if (type == "Replace")
    return replace(members);
  if (type == "Metaspace")
    return metaspace(members);
  if (type == "ByteLevel") {
    only(Stage::Tokens, members);
    return byteLevel();
  }
  if (type == "ByteFallback") {
    only(Stage::Tokens, members);
    return byteFallback();
  }
  if (type == "Fuse") {
    stage = Stage::Text;
    return;
  }
  if (type == "Strip")
    return strip(members);
  members.fail("is not supported; supported are Sequence, Replace, "
               "ByteFallback, Fuse, Strip, ByteLevel and Metaspace");
}

void DecoderReader::rewriteTokens(const NormalizerStep &step,
                                  const JsonMembers &members) {
  constexpr size_t mostBytes = size_t(1) << 28;
  Normalizer replacer(std::vector<NormalizerStep>{step});
  RegexScratch scratch;
  size_t bytes = 0;
  for (std::string &text : shown) {
    try {
      text = replacer.apply(text, scratch);
    } catch (const Error &error) {
      members.fail("cannot be used: " + std::string(error.what()));
    }
    bytes += text.size();
    if (bytes > mostBytes)
      members.fail("makes the tokens longer than " + std::to_string(mostBytes) +
                   " bytes together");
  }
}

void DecoderReader::replace(const JsonMembers &members) {
  only(Stage::Tokens, members);
  if (perTokenDone)
    members.fail("comes after Metaspace, which must be the last step on "
                 "single tokens");
  NormalizerStep step;
  std::optional<std::string> literal;
  step.pattern = members.pattern(literal);
  step.kind = NormalizerKind::ReplaceRegex;
  if (literal) {
    step.kind = NormalizerKind::ReplaceText;
    step.pattern = *literal;
  }
  step.content = members.text("content");
  rewriteTokens(step, members);
}

void DecoderReader::metaspace(const JsonMembers &members) {
  only(Stage::Tokens, members);
  if (perTokenDone || shown.size() != spec.tokens.size())
    members.fail("is there twice");
  char32_t replacement = members.character("replacement");
  std::string from;
  appendUtf8(from, replacement);
  std::string scheme = members.find("prepend_scheme")
                           ? members.text("prepend_scheme")
                           : "always";
  if (scheme != "never" && members.boolean("add_prefix_space", true))
    spec.firstTokenDrops = replacement;
  rewriteTokens({NormalizerKind::ReplaceText, from, " "}, members);
  perTokenDone = true;
}

void DecoderReader::byteLevel() {
  for (std::string &text : shown)
    if (std::optional<std::string> bytes = bytesOfAlphabet(text))
      text = *bytes;
  stage = Stage::Text;
}

void DecoderReader::byteFallback() {
  spec.byteDecoding = ByteDecoding::Runs;
  for (size_t id = 0; id < shown.size(); ++id)
    if (std::optional<uint8_t> byte = byteOfTokenName(shown[id])) {
      spec.tokens[id].isByte = true;
      shown[id] = std::string(1, static_cast<char>(*byte));
    }
  stage = Stage::Bytes;
}

void DecoderReader::strip(const JsonMembers &members) {
  char32_t character = members.character("content");
  int64_t start = members.integer("start"), stop = members.integer("stop");
  if (start < 0 || stop < 0 || start > UINT16_MAX || stop > UINT16_MAX)
    members.fail("has 'start' or 'stop' outside of 0 to 65535");
  if (stage != Stage::Text)
    members.fail("comes before Fuse or ByteLevel; only the whole text can be "
                 "stripped");
  if (spec.stripStart != 0 || spec.stripStop != 0)
    members.fail("is there twice");
  spec.stripCharacter = character;
  spec.stripStart = static_cast<uint32_t>(start);
  spec.stripStop = static_cast<uint32_t>(stop);
}

void DecoderReader::read(const JsonValue *json) {
  spec.joinWithSpaces = !json || json->isNull();
  forEachComponent(json, "decoder", "decoders", spec.file,
                   [&](const std::string &type, const JsonMembers &members) {
                     component(type, members);
                   });
  for (size_t id = 0; id < shown.size(); ++id)
    spec.tokens[id].shown = std::move(shown[id]);
}

void lori::readDecoder(const JsonValue *json,
                       const std::vector<std::string> &content,
                       TokenizerSpec &spec) {
  DecoderReader(content, spec).read(json);
}
