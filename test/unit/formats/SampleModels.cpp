// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SampleModels.h"

using namespace lori;
using namespace lori::test;

std::string lori::test::jsonObject(const SampleFields &fields) {
  std::string text;
  for (const auto &[key, value] : fields)
    if (!value.empty())
      text += (text.empty() ? "\n \"" : ",\n \"") + key + "\": " + value;
  return "{" + text + "\n}";
}

std::string lori::test::sampleConfig(const SampleFields &changes) {
  SampleFields fields = {
      {"architectures", R"(["LlamaForCausalLM"])"},
      {"model_type", R"("llama")"},
      {"hidden_size", "16"},
      {"intermediate_size", "24"},
      {"num_hidden_layers", "2"},
      {"num_attention_heads", "4"},
      {"num_key_value_heads", "2"},
      {"vocab_size", "24"},
      {"max_position_embeddings", "64"},
      {"rms_norm_eps", "1e-05"},
      {"rope_theta", "10000.0"},
      {"hidden_act", R"("silu")"},
      {"tie_word_embeddings", "true"},
      {"bos_token_id", "1"},
      {"eos_token_id", "2"},
  };
  for (const auto &[key, value] : changes)
    fields[key] = value;
  return jsonObject(fields);
}

std::vector<SampleTensor>
lori::test::sampleModelTensors(const std::string &type, bool tied) {
  std::vector<SampleTensor> tensors;
  auto add = [&](const std::string &name, std::vector<int64_t> shape) {
    auto seed = static_cast<unsigned>(tensors.size() + 1);
    tensors.push_back(sampleTensor(name, std::move(shape), type, seed));
  };
  add("model.embed_tokens.weight", {24, 16});
  for (int i = 0; i < 2; ++i) {
    std::string layer = "model.layers." + std::to_string(i) + ".";
    add(layer + "input_layernorm.weight", {16});
    add(layer + "self_attn.q_proj.weight", {16, 16});
    add(layer + "self_attn.k_proj.weight", {8, 16});
    add(layer + "self_attn.v_proj.weight", {8, 16});
    add(layer + "self_attn.o_proj.weight", {16, 16});
    add(layer + "post_attention_layernorm.weight", {16});
    add(layer + "mlp.gate_proj.weight", {24, 16});
    add(layer + "mlp.up_proj.weight", {24, 16});
    add(layer + "mlp.down_proj.weight", {16, 24});
  }
  add("model.norm.weight", {16});
  if (!tied)
    add("lm_head.weight", {24, 16});
  return tensors;
}

std::string lori::test::writeSampleModel(const TemporaryFolder &folder,
                                         const std::string &name,
                                         const SampleFields &changes,
                                         const std::string &type) {
  auto tied = changes.find("tie_word_embeddings");
  bool isTied = tied == changes.end() || tied->second == "true";
  folder.write(name + "/config.json", sampleConfig(changes));
  folder.write(name + "/model.safetensors",
               safetensorsBytes(sampleModelTensors(type, isTied)));
  return folder / name;
}

GgufSample lori::test::sampleGgufMetadata(const std::string &architecture) {
  std::string key = architecture + ".";
  GgufSample sample;
  sample.text("general.architecture", architecture)
      .u32(key + "block_count", 2)
      .u32(key + "context_length", 64)
      .u32(key + "embedding_length", 32)
      .u32(key + "feed_forward_length", 64)
      .u32(key + "attention.head_count", 4)
      .u32(key + "attention.head_count_kv", 2)
      .f32(key + "attention.layer_norm_rms_epsilon", 1e-5f)
      .strings("tokenizer.ggml.tokens", {"<s>", "</s>", "a"})
      .u32("tokenizer.ggml.bos_token_id", 1)
      .u32("tokenizer.ggml.eos_token_id", 2);
  return sample;
}

GgufSample lori::test::sampleGguf(const std::string &architecture) {
  GgufSample sample = sampleGgufMetadata(architecture);
  auto norm = [&](const std::string &name, int64_t size) {
    sample.tensor(name, {size}, 0, sampleValues("F32", size));
  };
  constexpr uint32_t q8 = 8, q4 = 2;
  sample.tensor("token_embd.weight", {24, 32}, q8);
  for (int i = 0; i < 2; ++i) {
    std::string block = "blk." + std::to_string(i) + ".";
    norm(block + "attn_norm.weight", 32);
    sample.tensor(block + "attn_q.weight", {32, 32}, q4);
    sample.tensor(block + "attn_k.weight", {16, 32}, q4);
    sample.tensor(block + "attn_v.weight", {16, 32}, q8);
    sample.tensor(block + "attn_output.weight", {32, 32}, q4);
    if (architecture == "qwen3") {
      norm(block + "attn_q_norm.weight", 8);
      norm(block + "attn_k_norm.weight", 8);
    }
    norm(block + "ffn_norm.weight", 32);
    sample.tensor(block + "ffn_gate.weight", {64, 32}, q4);
    sample.tensor(block + "ffn_up.weight", {64, 32}, q4);
    sample.tensor(block + "ffn_down.weight", {32, 64}, q4);
  }
  norm("output_norm.weight", 32);
  return sample;
}
