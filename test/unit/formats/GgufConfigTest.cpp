// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SampleModels.h"
#include "runtime/formats/Gguf.h"
#include "runtime/formats/ModelConfig.h"

#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

ModelConfig configOf(const GgufSample &sample) {
  std::string bytes = sample.bytes();
  return modelConfigFromGguf(Gguf(asBytes(bytes), "x.gguf"));
}

std::string configError(const GgufSample &sample) {
  return errorOf([&] { configOf(sample); });
}

TEST(GgufConfigTest, ReadsALlama) {
  ModelConfig config =
      configOf(sampleGguf()
                   .f32("llama.rope.freq_base", 500000)
                   .boolean("tokenizer.ggml.add_bos_token", true));
  EXPECT_EQ(config.architecture, Architecture::Llama);
  EXPECT_TRUE(config.interleavedRope);
  EXPECT_EQ(config.hiddenSize, 32);
  EXPECT_EQ(config.intermediateSize, 64);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.heads, 4);
  EXPECT_EQ(config.kvHeads, 2);
  EXPECT_EQ(config.headDim, 8);
  EXPECT_EQ(config.vocabulary, 24);
  EXPECT_EQ(config.context, 64);
  EXPECT_EQ(config.normEpsilon, static_cast<double>(1e-5f));
  EXPECT_EQ(config.rope.theta, 500000);
  EXPECT_TRUE(config.tiedEmbeddings);
  EXPECT_FALSE(config.qkvBias || config.outputBias || config.mlpBias);
  EXPECT_EQ(config.windows, (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(config.bosToken, 1);
  EXPECT_EQ(config.eosTokens, std::vector<int64_t>{2});
  EXPECT_EQ(config.addBos, true);
}

TEST(GgufConfigTest, TensorsTellTiesAndBiases) {
  GgufSample sample = sampleGguf("qwen2");
  sample.tensor("output.weight", {24, 32})
      .tensor("blk.0.attn_q.bias", {32})
      .tensor("blk.0.attn_output.bias", {32})
      .tensor("blk.0.ffn_down.bias", {32});
  ModelConfig config = configOf(sample);
  EXPECT_EQ(config.architecture, Architecture::Qwen2);
  EXPECT_FALSE(config.interleavedRope || config.tiedEmbeddings);
  EXPECT_TRUE(config.qkvBias && config.outputBias && config.mlpBias);
  EXPECT_TRUE(configOf(sampleGguf("qwen3")).qkNorm);
}

TEST(GgufConfigTest, RopeFreqsAreDivisors) {
  std::string data;
  for (float value : {1.0f, 1.0f, 2.5f, 8.0f})
    put(data, value);
  ModelConfig config =
      configOf(sampleGguf().tensor("rope_freqs.weight", {4}, 0, data));
  EXPECT_EQ(config.rope.frequencyDivisors,
            (std::vector<float>{1.0f, 1.0f, 2.5f, 8.0f}));
  EXPECT_SAYS(configError(sampleGguf().tensor("rope_freqs.weight", {3})),
              "'rope_freqs.weight' is F32 [3], expected F32 [4]");
  EXPECT_SAYS(configError(sampleGguf().tensor("rope_freqs.weight", {4})),
              "holds 0.000000, expected numbers above 0");
}

TEST(GgufConfigTest, RopeScaling) {
  auto scaled = [](const char *kind, float factor) {
    return sampleGguf()
        .text("llama.rope.scaling.type", kind)
        .f32("llama.rope.scaling.factor", factor);
  };
  EXPECT_EQ(configOf(scaled("linear", 4)).rope.kind, RopeConfig::Kind::Linear);
  EXPECT_EQ(configOf(scaled("linear", 4)).rope.factor, 4);
  EXPECT_EQ(configOf(scaled("linear", 0)).rope.kind, RopeConfig::Kind::Default);
  EXPECT_EQ(configOf(scaled("none", 4)).rope.kind, RopeConfig::Kind::Default);
  EXPECT_EQ(
      configOf(sampleGguf().f32("llama.rope.scale_linear", 2)).rope.factor, 2);
  EXPECT_SAYS(configError(scaled("yarn", 4)),
              "metadata 'llama.rope.scaling.type' is \"yarn\", which is not "
              "supported");
  EXPECT_SAYS(configError(scaled("linear", -4)), "expected a number above 0");
}

TEST(GgufConfigTest, OtherArchitecturesAndAdaptersAreRefused) {
  EXPECT_SAYS(configError(sampleGgufMetadata("gemma2")),
              "the architecture gemma2 is not supported, supported are llama "
              "(Mistral, too), qwen2 and qwen3");
  EXPECT_SAYS(configError(GgufSample().text("general.type", "adapter")),
              "is an adapter, expected a model");
  EXPECT_SAYS(configError(GgufSample()), "lacks the metadata");
}

TEST(GgufConfigTest, VariantsThatComputeOtherwiseAreRefused) {
  EXPECT_SAYS(configError(sampleGguf().u32("llama.expert_count", 8)),
              "mixture of experts");
  EXPECT_EQ(configError(sampleGguf().u32("llama.expert_count", 0)), "no error");
  EXPECT_SAYS(
      configError(sampleGguf().boolean("llama.attention.causal", false)),
      "only causal");
  EXPECT_SAYS(configError(sampleGguf().f32("llama.logit_scale", 2)),
              "logit_scale' is 2");
  EXPECT_SAYS(configError(sampleGguf().u32("llama.rope.dimension_count", 4)),
              "differs from the head dimension 8");
  EXPECT_SAYS(configError(sampleGguf().u32("llama.attention.value_length", 4)),
              "differs from the head dimension 8");
  EXPECT_SAYS(configError(sampleGguf().u32(
                  "llama.attention.sliding_window_pattern", 2)),
              "patterns of windows");
}

TEST(GgufConfigTest, SlidingWindows) {
  auto windows = [](uint32_t size) {
    return configOf(sampleGguf().u32("llama.attention.sliding_window", size))
        .windows;
  };
  EXPECT_EQ(windows(8), (std::vector<int64_t>{8, 8}));
  EXPECT_EQ(windows(64), (std::vector<int64_t>{0, 0}));
}

TEST(GgufConfigTest, MissingAndAbsurdSizesAreErrors) {
  GgufSample empty;
  empty.text("general.architecture", "llama");
  EXPECT_SAYS(configError(empty),
              "metadata 'llama.embedding_length' is missing");
  for (uint32_t value : {0u, 4000000000u}) {
    GgufSample sample;
    sample.text("general.architecture", "llama")
        .u32("llama.embedding_length", value);
    EXPECT_SAYS(configError(sample),
                "is " + std::to_string(value) + ", expected 1 to 1048576");
  }
  GgufSample layered;
  layered.text("general.architecture", "llama")
      .u32("llama.embedding_length", 32)
      .floats("llama.feed_forward_length", {1, 2});
  EXPECT_SAYS(configError(layered), "differs between layers");
}

TEST(GgufConfigTest, TheEmbeddingGivesTheVocabulary) {
  EXPECT_SAYS(configError(sampleGgufMetadata()), "lacks the tensor "
                                                 "'token_embd.weight'");
  EXPECT_SAYS(
      configError(sampleGgufMetadata().tensor("token_embd.weight", {2, 32})),
      "has 3 tokens, but 'token_embd.weight' has 2 rows");
  EXPECT_SAYS(configError(sampleGguf().u32("tokenizer.ggml.eot_token_id", 24)),
              "an EOS token is 24");
  EXPECT_EQ(
      configOf(sampleGguf().u32("tokenizer.ggml.eot_token_id", 7)).eosTokens,
      (std::vector<int64_t>{2, 7}));
}

} // namespace
