// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/ModelConfig.h"
#include "runtime/support/Error.h"

using namespace lori;

std::string_view lori::architectureName(Architecture architecture) {
  constexpr std::string_view names[] = {"llama", "mistral", "qwen2", "qwen3"};
  return names[static_cast<size_t>(architecture)];
}

static void checkToken(int64_t token, std::string_view what,
                       const ModelConfig &config, std::string_view path) {
  if (token < 0 || token >= config.vocabulary)
    throw Error(path, std::string(what) + " is " + std::to_string(token) +
                          ", expected an id below the vocabulary size " +
                          std::to_string(config.vocabulary) +
                          ", correct the model's files");
}

void lori::checkModelConfig(const ModelConfig &config, std::string_view path) {
  if (config.heads % config.kvHeads != 0)
    throw Error(path, std::to_string(config.heads) +
                          " attention heads cannot share " +
                          std::to_string(config.kvHeads) +
                          " key and value heads, expected a divisor, correct "
                          "the model's files");
  if (config.headDim % 2 != 0)
    throw Error(path, "the head dimension is " +
                          std::to_string(config.headDim) +
                          ", expected an even number, which rotary position "
                          "embeddings need, correct the model's files");
  if (config.bosToken)
    checkToken(*config.bosToken, "the BOS token", config, path);
  for (int64_t token : config.eosTokens)
    checkToken(token, "an EOS token", config, path);
}
