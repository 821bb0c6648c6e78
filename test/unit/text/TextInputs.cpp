// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "TextInputs.h"
#include "GgufTokenizers.h"
#include "runtime/formats/Gguf.h"
#include "runtime/text/ChatTemplate.h"
#include "runtime/text/SentencePiece.h"
#include "runtime/text/TextStream.h"
#include "runtime/text/TokenizerJson.h"
#include "runtime/text/TokenizerSources.h"
#include "runtime/text/Unicode.h"
#include "test/unit/formats/SampleFiles.h"

#include <stdexcept>

using namespace lori;
using namespace lori::test;

static std::string ownText(const std::string &name) {
  return readWhole(std::string(LORI_SOURCE_DIR) + "/test/data/text/" + name);
}

static std::string packed(const std::string &json) {
  Tokenizer tokenizer =
      buildTokenizer(readTokenizerJson(parseJson(json, "sample"), "sample"));
  auto bytes = tokenizer.serialize();
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

std::string lori::test::tinyTokenizerJson() {
  return R"({"version": "1.0", "added_tokens": [
  {"id": 0, "content": "<s>", "special": true, "normalized": false},
  {"id": 9, "content": "Tag", "special": false, "single_word": true,
   "lstrip": true, "rstrip": true}],
"normalizer": {"type": "Sequence", "normalizers": [
  {"type": "NFKC"}, {"type": "Prepend", "prepend": "_"},
  {"type": "Replace", "pattern": {"Regex": "[ \t]+"}, "content": "_"}]},
"pre_tokenizer": {"type": "Sequence", "pretokenizers": [
  {"type": "Split", "pattern": {"Regex": "(?i:'s|x+)|\\s+(?!\\S)|\\d{1,3}"},
   "behavior": "Isolated", "invert": false},
  {"type": "Metaspace", "replacement": "_", "prepend_scheme": "first"},
  {"type": "Digits", "individual_digits": true}]},
"post_processor": {"type": "TemplateProcessing", "single": [
  {"SpecialToken": {"id": "<s>", "type_id": 0}},
  {"Sequence": {"id": "A", "type_id": 0}}],
  "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}},
"decoder": {"type": "Sequence", "decoders": [
  {"type": "Replace", "pattern": {"String": "_"}, "content": " "},
  {"type": "ByteFallback"}, {"type": "Fuse"},
  {"type": "Strip", "content": " ", "start": 1, "stop": 1}]},
"model": {"type": "BPE", "unk_token": "?", "fuse_unk": true,
  "byte_fallback": true, "dropout": null, "ignore_merges": false,
  "vocab": {"<s>": 0, "?": 1, "_": 2, "a": 3, "b": 4, "_a": 5, "ab": 6,
            "_ab": 7, "<0xC3>": 8},
  "merges": ["_ a", ["a", "b"], "_a b"]}})";
}

static std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  return out += static_cast<char>(value);
}

static std::string bytesField(int field, const std::string &content) {
  return varint(static_cast<uint64_t>(field) << 3 | 2) +
         varint(content.size()) + content;
}

static std::string numberField(int field, uint64_t value) {
  return varint(static_cast<uint64_t>(field) << 3) + varint(value);
}

ModelSample &ModelSample::piece(const std::string &text, float score,
                                int type) {
  std::string piece = bytesField(1, text);
  piece += varint(2 << 3 | 5);
  put(piece, score);
  if (type != 1)
    piece += numberField(3, static_cast<uint64_t>(type));
  pieces += bytesField(1, piece);
  return *this;
}

ModelSample &ModelSample::trainer(int field, uint64_t value) {
  trainerFields += numberField(field, value);
  return *this;
}

ModelSample &ModelSample::normalizer(int field, uint64_t value) {
  normalizerFields += numberField(field, value);
  return *this;
}

ModelSample &ModelSample::normalizer(int field, const std::string &text) {
  normalizerFields += bytesField(field, text);
  return *this;
}

std::string ModelSample::bytes() const {
  return pieces + bytesField(2, trainerFields) +
         bytesField(3, normalizerFields);
}

ModelSample lori::test::tinyModel() {
  ModelSample sample;
  sample.piece("<unk>", 0, 2).piece("<s>", 0, 3).piece("</s>", 0, 3);
  sample.piece("<0x41>", 0, 6).piece("▁a", -1).piece("ab", -2).piece("▁ab", -3);
  sample.piece("a", -4).piece("b", -5).piece("▁", -6).piece("<sep>", 0, 4);
  sample.piece("bb", -7, 5);
  sample.trainer(3, 2).normalizer(1, "identity").normalizer(3, 1);
  return sample.normalizer(4, 0);
}

std::vector<std::pair<std::string, std::string>> lori::test::textInputs() {
  std::string data = std::string(LORI_SOURCE_DIR) + "/test/data/text/";
  std::vector<std::pair<std::string, std::string>> inputs = {
      {"TokenizerJsonFuzzer", tinyTokenizerJson()},
      {"SentencePieceFuzzer", tinyModel().bytes()},
      {"SentencePieceFuzzer", ownText("spm.model")},
      {"TokenizerBlobFuzzer", packed(tinyTokenizerJson())},
      {"GgufTokenizerFuzzer", sentencePieceGguf(data + "spm.json")},
      {"GgufTokenizerFuzzer", byteLevelGguf(data + "qwen2.json", "qwen2")},
  };
  for (const char *name : {"llama3", "qwen2", "spm", "words", "metaspace"}) {
    inputs.emplace_back("TokenizerJsonFuzzer",
                        ownText(name + std::string(".json")));
    inputs.emplace_back("TokenizerBlobFuzzer", packed(inputs.back().second));
  }
  for (const char *name : {"chatml", "llama2", "llama3", "mistral1", "mistral3",
                           "qwen2", "qwen25", "qwen3"})
    inputs.emplace_back("ChatTemplateFuzzer",
                        ownText("chat/" + std::string(name) + ".jinja"));
  return inputs;
}

static void promise(bool kept, const char *what) {
  if (!kept)
    throw std::logic_error(what);
}

void lori::test::useTokenizer(const Tokenizer &tokenizer,
                              std::string_view text) {
  auto bytes = tokenizer.serialize();
  Tokenizer again = Tokenizer::load(bytes, "again");
  for (bool special : {false, true}) {
    std::vector<int32_t> ids = tokenizer.encode(text, special);
    for (int32_t id : ids)
      promise(id >= 0 && id < tokenizer.vocabularySize(), "ids exist");
    promise(again.encode(text, special) == ids, "packing keeps ids");
    std::string decoded = tokenizer.decode(ids, special);
    promise(isUtf8(decoded), "texts are UTF-8");
    promise(again.decode(ids, special) == decoded, "packing keeps texts");
    TextStream stream(tokenizer, {}, special);
    std::string streamed;
    for (int32_t id : ids)
      streamed += stream.add(id);
    promise(streamed + stream.finish() == decoded, "streaming keeps texts");
  }
  int32_t size = tokenizer.vocabularySize();
  for (int32_t id : {-1, 0, size / 2, size - 1, size, INT32_MAX}) {
    std::string whole =
        tokenizer.decode(std::span(&id, 1), tokenizer.isSpecial(id));
    promise(isUtf8(whole), "the text of one token is UTF-8");
    tokenizer.findToken(tokenizer.tokenBytes(id));
  }
  for (int32_t id : tokenizer.eos())
    promise(id >= 0 && id < size, "EOS exists");
  promise(!tokenizer.addBos() || tokenizer.bos(), "BOS exists");
}

static void renderSample(const std::string &source) {
  std::vector<ChatMessage> messages = {{"system", "S é"},
                                       {"user", " U\n"},
                                       {"assistant", "<think>a</think>A"},
                                       {"user", ""}};
  promise(isUtf8(renderChat(source, messages, true, "<s>", "</s>")),
          "chats are UTF-8");
}

void lori::test::useTextInput(const std::string &fuzzer,
                              const std::string &bytes) {
  constexpr std::string_view text =
      " aab  ab\tTag x's <s>Ä\u0301<sep> 1234\n\n bbb 🙂\xC3";
  const std::string file = "hostile";
  if (fuzzer == "ChatTemplateFuzzer") {
    renderSample(bytes);
  } else if (fuzzer == "TokenizerBlobFuzzer") {
    useTokenizer(Tokenizer::load(asBytes(bytes), file), text);
  } else if (fuzzer == "TokenizerJsonFuzzer") {
    useTokenizer(
        buildTokenizer(readTokenizerJson(parseJson(bytes, file), file)), text);
  } else if (fuzzer == "SentencePieceFuzzer") {
    useTokenizer(buildTokenizer(readSentencePieceModel(asBytes(bytes), file)),
                 text);
  } else if (fuzzer == "GgufTokenizerFuzzer") {
    TextSources sources = readTextMetadata(Gguf(asBytes(bytes), file));
    if (sources.tokenizer)
      useTokenizer(*sources.tokenizer, text);
  } else {
    throw std::logic_error("no such fuzzer");
  }
}
