// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "GgufTokenizers.h"
#include "runtime/formats/Json.h"
#include "test/unit/formats/SampleFiles.h"

#include <map>

using namespace lori;
using namespace lori::test;

namespace {

struct Parts {
  std::vector<std::string> tokens, merges;
  std::vector<int32_t> types;
};

} // namespace

static std::string numbers(uint32_t type, const std::string &data,
                           size_t count) {
  std::string bytes;
  put(bytes, type);
  put<uint64_t>(bytes, count);
  return bytes + data;
}

static Parts readParts(const std::string &path) {
  Parts parts;
  JsonValue json = parseJsonFile(path);
  auto set = [&](const std::string &text, int64_t id, int32_t type) {
    auto index = static_cast<size_t>(id);
    if (parts.tokens.size() <= index) {
      parts.tokens.resize(index + 1);
      parts.types.resize(index + 1, 1);
    }
    parts.tokens[index] = text;
    parts.types[index] = type;
  };
  for (const auto &[text, id] : *json.find("model")->find("vocab")->object()) {
    bool isByte = text.size() == 6 && text.starts_with("<0x");
    set(text, id.integer().value(), isByte ? 6 : 1);
  }
  for (const JsonValue &added : *json.find("added_tokens")->array()) {
    const std::string &text = *added.find("content")->text();
    bool special = *added.find("special")->boolean();
    set(text, added.find("id")->integer().value(),
        text == "<unk>" ? 2
        : special       ? 3
                        : 4);
  }
  for (const JsonValue &merge : *json.find("model")->find("merges")->array())
    parts.merges.push_back(*(*merge.array())[0].text() + " " +
                           *(*merge.array())[1].text());
  return parts;
}

static GgufSample sampleOf(const Parts &parts, const std::string &model) {
  std::string types;
  for (int32_t type : parts.types)
    put(types, type);
  return GgufSample()
      .text("general.architecture", "llama")
      .text("tokenizer.ggml.model", model)
      .strings("tokenizer.ggml.tokens", parts.tokens)
      .raw("tokenizer.ggml.token_type", 9,
           numbers(5, types, parts.types.size()));
}

std::string test::byteLevelGguf(const std::string &tokenizerJson,
                                const std::string &pre) {
  Parts parts = readParts(tokenizerJson);
  return sampleOf(parts, "gpt2")
      .text("tokenizer.ggml.pre", pre)
      .strings("tokenizer.ggml.merges", parts.merges)
      .boolean("tokenizer.ggml.add_bos_token", false)
      .u32("tokenizer.ggml.eos_token_id", 0)
      .bytes();
}

std::string test::sentencePieceGguf(const std::string &tokenizerJson) {
  Parts parts = readParts(tokenizerJson);
  // Every merge of one piece has its score.
  std::map<std::string, float> scores;
  for (const std::string &merge : parts.merges) {
    size_t space = merge.find(' ');
    scores.try_emplace(merge.substr(0, space) + merge.substr(space + 1),
                       -static_cast<float>(scores.size()));
  }
  std::vector<float> values;
  values.reserve(parts.tokens.size());
  for (const std::string &token : parts.tokens)
    values.push_back(scores.contains(token) ? scores[token] : -1e6f);
  return sampleOf(parts, "llama")
      .floats("tokenizer.ggml.scores", values)
      .u32("tokenizer.ggml.bos_token_id", 1)
      .u32("tokenizer.ggml.eos_token_id", 2)
      .bytes();
}
