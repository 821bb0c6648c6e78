// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The values of tokenizer.ggml.pre (llama.cpp, src/llama-vocab.cpp).

#include "runtime/support/Error.h"
#include "runtime/text/GgufTokenizer.h"
#include "runtime/text/Regex.h"

using namespace lori;

static constexpr std::string_view digit = R"(\p{N})";

static constexpr std::string_view llama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

static constexpr std::string_view qwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N})"
    R"(| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

static constexpr std::string_view tekken =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
    R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

static constexpr std::string_view gpt4o =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+)"
    R"([\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
    R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

static constexpr std::string_view signs = R"([\p{P}\$\+<=>\^~\|]+)";
static constexpr std::string_view signsAndGrave = R"([\p{P}\$\+<=>\^~\|`]+)";
static constexpr std::string_view digits = R"(\p{N}+)";
static constexpr std::string_view digits3 = "[0-9][0-9][0-9]";

namespace {

struct Family {
  std::vector<std::string_view> names;
  NamedPreTokenizer preTokenizer;
};

} // namespace

static const std::vector<Family> &families() {
  static const std::vector<Family> list = {
      {{"llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral",
        "midm-2.0", "lfm2"},
       {{llama3}, false, true, true}},
      {{"dbrx", "smaug-bpe", "glm4", "chatglm-bpe"}, {{llama3}}},
      {{"smollm", "starcoder", "refact", "command-r", "codeshell", "exaone",
        "minerva-7b"},
       {{digit, gpt2Pattern}}},
      {{"qwen2", "deepseek-r1-qwen", "megrez"}, {{qwen2}, true}},
      {{"stablelm2", "hunyuan", "grok-2"}, {{qwen2}}},
      {{"gpt-2", "phi-2", "mpt", "olmo", "jais", "trillion", "exaone4"},
       {{gpt2Pattern}}},
      {{"tekken"}, {{tekken}, false, true, true}},
      {{"gpt-4o", "llama4"}, {{gpt4o}}},
      {{"falcon"}, {{signsAndGrave, gpt2Pattern, digits3}}},
      {{"default"}, {{signs, gpt2Pattern, digits, digits3}}},
  };
  return list;
}

const NamedPreTokenizer &lori::findPreTokenizer(std::string_view name,
                                                const std::string &file) {
  std::string known;
  for (const Family &family : families())
    for (std::string_view candidate : family.names) {
      if (candidate == name)
        return family.preTokenizer;
      (known += known.empty() ? "" : ", ") += candidate;
    }
  throw Error(file, "has the unknown pre-tokenizer '" + std::string(name) +
                        "' (tokenizer.ggml.pre), known are " + known +
                        "; use the model's Hugging Face directory instead");
}
