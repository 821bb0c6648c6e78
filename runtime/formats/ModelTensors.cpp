// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/ModelTensors.h"

#include <algorithm>
#include <utility>

using namespace lori;

namespace {
/// A projection of a layer, relative to it.
struct Projection {
  const char *path;
  int64_t out, in;
  bool bias;
};
} // namespace

static std::vector<Projection> projectionsOf(const ModelConfig &c) {
  return {
      {"self_attn.q_proj", c.queryRows(), c.hiddenSize, c.qkvBias},
      {"self_attn.k_proj", c.keyRows(), c.hiddenSize, c.qkvBias},
      {"self_attn.v_proj", c.keyRows(), c.hiddenSize, c.qkvBias},
      {"self_attn.o_proj", c.hiddenSize, c.queryRows(), c.outputBias},
      {"mlp.gate_proj", c.intermediateSize, c.hiddenSize, c.mlpBias},
      {"mlp.up_proj", c.intermediateSize, c.hiddenSize, c.mlpBias},
      {"mlp.down_proj", c.hiddenSize, c.intermediateSize, c.mlpBias},
  };
}

static std::string layerPrefix(int64_t layer) {
  return "model.layers." + std::to_string(layer) + ".";
}

std::vector<ModelTensor> lori::modelTensors(const ModelConfig &config) {
  std::vector<ModelTensor> tensors;
  std::vector<Projection> projections = projectionsOf(config);
  auto add = [&](std::string name, std::vector<int64_t> shape) {
    tensors.push_back({std::move(name), std::move(shape)});
  };
  add("model.embed_tokens.weight", {config.vocabulary, config.hiddenSize});
  for (int64_t i = 0; i < config.layers; ++i) {
    std::string layer = layerPrefix(i);
    add(layer + "input_layernorm.weight", {config.hiddenSize});
    for (const auto &[path, out, in, bias] : projections) {
      if (path == std::string_view("mlp.gate_proj"))
        add(layer + "post_attention_layernorm.weight", {config.hiddenSize});
      add(layer + path + ".weight", {out, in});
      if (bias)
        add(layer + path + ".bias", {out});
    }
    if (config.qkNorm) {
      add(layer + "self_attn.q_norm.weight", {config.headDim});
      add(layer + "self_attn.k_norm.weight", {config.headDim});
    }
  }
  add("model.norm.weight", {config.hiddenSize});
  if (!config.tiedEmbeddings)
    add("lm_head.weight", {config.vocabulary, config.hiddenSize});
  return tensors;
}

// gguf-py, constants.py (MODEL_TENSOR names).
static constexpr std::pair<std::string_view, std::string_view> outside[] = {
    {"token_embd", "model.embed_tokens"},
    {"output_norm", "model.norm"},
    {"output", "lm_head"},
};
static constexpr std::pair<std::string_view, std::string_view> inLayer[] = {
    {"attn_norm", "input_layernorm"},
    {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},
    {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},
    {"attn_q_norm", "self_attn.q_norm"},
    {"attn_k_norm", "self_attn.k_norm"},
    {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},
    {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"},
};

std::string lori::canonicalTensorName(std::string_view name) {
  size_t dot = name.rfind('.');
  if (dot == name.npos)
    return "";
  std::string_view suffix = name.substr(dot); // .weight, .bias
  if (suffix != ".weight" && suffix != ".bias")
    return "";
  std::string_view module = name.substr(0, dot);
  for (auto [gguf, canonical] : outside)
    if (module == gguf)
      return std::string(canonical) + std::string(suffix);
  if (!module.starts_with("blk."))
    return "";
  module.remove_prefix(4);
  size_t digits = module.find('.');
  if (digits == module.npos || digits == 0 || digits > 9 ||
      module.find_first_not_of("0123456789") != digits ||
      (module[0] == '0' && digits > 1))
    return "";
  for (auto [gguf, canonical] : inLayer)
    if (module.substr(digits + 1) == gguf)
      return "model.layers." + std::string(module.substr(0, digits)) + "." +
             std::string(canonical) + std::string(suffix);
  return "";
}

std::vector<AdaptableModule> lori::adaptableModules(const ModelConfig &config) {
  using Kind = AdaptableModule::Kind;
  std::vector<AdaptableModule> modules;
  std::vector<Projection> projections = projectionsOf(config);
  modules.push_back({"model.embed_tokens", Kind::Embedding, -1,
                     config.vocabulary, config.hiddenSize});
  for (int64_t i = 0; i < config.layers; ++i)
    for (const auto &[path, out, in, bias] : projections)
      modules.push_back({layerPrefix(i) + path, Kind::Linear, i, in, out});
  modules.push_back(
      {"lm_head", Kind::LmHead, -1, config.hiddenSize, config.vocabulary});
  return modules;
}
