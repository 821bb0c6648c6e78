// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SampleModels.h"
#include "runtime/formats/ModelConfig.h"

#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

ModelConfig parsed(const SampleFields &changes) {
  return parseModelConfig(sampleConfig(changes), "config.json");
}

std::string parseError(const SampleFields &changes) {
  return errorOf([&] { parsed(changes); });
}

SampleFields as(const std::string &type, const std::string &name,
                SampleFields changes = {}) {
  changes["model_type"] = "\"" + type + "\"";
  changes["architectures"] = "[\"" + name + "\"]";
  return changes;
}
SampleFields mistral(const SampleFields &changes = {}) {
  return as("mistral", "MistralForCausalLM", changes);
}
SampleFields qwen2(const SampleFields &changes = {}) {
  return as("qwen2", "Qwen2ForCausalLM", changes);
}
SampleFields qwen3(const SampleFields &changes = {}) {
  return as("qwen3", "Qwen3ForCausalLM", changes);
}

TEST(HfConfigTest, ReadsALlama) {
  ModelConfig config = parsed({});
  EXPECT_EQ(config.architecture, Architecture::Llama);
  EXPECT_EQ(config.hiddenSize, 16);
  EXPECT_EQ(config.intermediateSize, 24);
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.heads, 4);
  EXPECT_EQ(config.kvHeads, 2);
  EXPECT_EQ(config.headDim, 4);
  EXPECT_EQ(config.vocabulary, 24);
  EXPECT_EQ(config.context, 64);
  EXPECT_EQ(config.normEpsilon, 1e-5);
  EXPECT_EQ(config.rope.kind, RopeConfig::Kind::Default);
  EXPECT_EQ(config.rope.theta, 10000);
  EXPECT_TRUE(config.tiedEmbeddings);
  EXPECT_FALSE(config.qkvBias || config.outputBias || config.mlpBias);
  EXPECT_FALSE(config.qkNorm || config.interleavedRope);
  EXPECT_EQ(config.windows, (std::vector<int64_t>{0, 0}));
  EXPECT_EQ(config.bosToken, 1);
  EXPECT_EQ(config.eosTokens, std::vector<int64_t>{2});
}

TEST(HfConfigTest, MissingFieldsHaveTheDefaultsOfTransformers) {
  SampleFields none = {
      {"num_key_value_heads", ""}, {"max_position_embeddings", ""},
      {"rms_norm_eps", ""},        {"rope_theta", ""},
      {"hidden_act", ""},          {"tie_word_embeddings", ""},
      {"bos_token_id", "null"},    {"eos_token_id", "null"}};
  ModelConfig config = parsed(none);
  EXPECT_EQ(config.kvHeads, 4);
  EXPECT_EQ(config.context, 2048);
  EXPECT_EQ(config.normEpsilon, 1e-6);
  EXPECT_EQ(config.rope.theta, 10000);
  EXPECT_FALSE(config.tiedEmbeddings);
  EXPECT_FALSE(config.bosToken);
  EXPECT_TRUE(config.eosTokens.empty());
  SampleFields wide = mistral({{"num_key_value_heads", ""},
                               {"num_attention_heads", "16"},
                               {"head_dim", "2"}});
  EXPECT_EQ(parsed(wide).kvHeads, 8);
  wide["num_key_value_heads"] = "null";
  EXPECT_EQ(parsed(wide).kvHeads, 16);
  EXPECT_EQ(parsed(qwen3()).headDim, 128);
}

TEST(HfConfigTest, BothSpellingsOfRopeMeanTheSame) {
  std::string scaling =
      R"("factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
         "original_max_position_embeddings": 32)";
  ModelConfig old = parsed(
      {{"rope_theta", "500000.0"},
       {"rope_scaling", "{\"rope_type\": \"llama3\", " + scaling + "}"}});
  ModelConfig older =
      parsed({{"rope_theta", "500000.0"},
              {"rope_scaling", "{\"type\": \"llama3\", " + scaling + "}"}});
  ModelConfig now =
      parsed({{"rope_theta", ""},
              {"rope_parameters",
               R"({"rope_theta": 500000.0, "rope_type": "llama3", )" + scaling +
                   "}"}});
  for (const ModelConfig &config : {old, older, now}) {
    EXPECT_EQ(config.rope.kind, RopeConfig::Kind::Llama3);
    EXPECT_EQ(config.rope.theta, 500000);
    EXPECT_EQ(config.rope.factor, 8);
    EXPECT_EQ(config.rope.lowFrequencyFactor, 1);
    EXPECT_EQ(config.rope.highFrequencyFactor, 4);
    EXPECT_EQ(config.rope.originalContext, 32);
  }
}

TEST(HfConfigTest, LinearAndDefaultRope) {
  ModelConfig linear =
      parsed({{"rope_scaling", R"({"type": "linear", "factor": 2})"}});
  EXPECT_EQ(linear.rope.kind, RopeConfig::Kind::Linear);
  EXPECT_EQ(linear.rope.factor, 2);
  for (const char *none : {"null", "{}", R"({"rope_type": "default"})"})
    EXPECT_EQ(parsed({{"rope_scaling", none}}).rope.kind,
              RopeConfig::Kind::Default);
  EXPECT_EQ(parsed({{"rope_theta", ""},
                    {"rope_parameters", R"({"rope_theta": 5e5})"}})
                .rope.theta,
            5e5);
}

TEST(HfConfigTest, OtherRopeKindsAreRefusedByName) {
  for (std::string kind : {"yarn", "dynamic", "longrope", "su", "mrope"}) {
    std::string scaling = R"({"rope_type": ")" + kind + R"(", "factor": 2.0})";
    EXPECT_SAYS(parseError({{"rope_scaling", scaling}}),
                "config.json: rope_scaling.rope_type is \"" + kind +
                    "\", which is not supported, supported are default, linear "
                    "and llama3");
    EXPECT_SAYS(parseError({{"rope_parameters", scaling}}),
                "rope_parameters.rope_type is");
  }
  EXPECT_SAYS(parseError({{"rope_scaling", R"({"type": "yarn"})"}}),
              "rope_scaling.type is \"yarn\"");
}

TEST(HfConfigTest, RopeMustBeComplete) {
  auto rope = [](const std::string &text) {
    return parseError({{"rope_scaling", text}});
  };
  EXPECT_SAYS(rope(R"({"type": "linear"})"), "rope_scaling.factor is missing");
  EXPECT_SAYS(rope(R"({"type": "linear", "factor": 0})"),
              "factor is 0, expected a number above 0");
  EXPECT_SAYS(rope(R"({"type": "linear", "factor": "2"})"), "is \"2\"");
  EXPECT_SAYS(rope(R"({"type": 3})"), "expected a string");
  EXPECT_SAYS(rope("[]"), "rope_scaling holds an array");
  EXPECT_SAYS(rope(R"({"type": "llama3", "factor": 8, "low_freq_factor": 4,
               "high_freq_factor": 4})"),
              "high_freq_factor is 4, expected more than low_freq_factor");
  EXPECT_SAYS(
      parseError({{"rope_scaling", R"({"type": "linear", "factor": 2})"},
                  {"rope_parameters", R"({"rope_theta": 1e4})"}}),
      "rope_scaling and rope_parameters are both given");
  EXPECT_SAYS(parseError({{"rope_parameters",
                           R"({"full_attention": {"rope_theta": 1e4}})"}}),
              "differ between layers");
  EXPECT_SAYS(
      parseError({{"rope_parameters", R"({"partial_rotary_factor": 0.5})"}}),
      "partial rotary embeddings are not supported");
  EXPECT_SAYS(parseError({{"partial_rotary_factor", "0.25"}}), "is 0.25");
  EXPECT_SAYS(parseError({{"rope_theta", "-1"}}), "rope_theta is -1");
}

TEST(HfConfigTest, BiasesAndNormsFollowTheArchitecture) {
  ModelConfig llama =
      parsed({{"attention_bias", "true"}, {"mlp_bias", "true"}});
  EXPECT_TRUE(llama.qkvBias && llama.outputBias && llama.mlpBias);
  ModelConfig two = parsed(qwen2({{"attention_bias", "false"}}));
  EXPECT_TRUE(two.qkvBias);
  EXPECT_FALSE(two.outputBias || two.mlpBias || two.qkNorm);
  ModelConfig three = parsed(qwen3());
  EXPECT_TRUE(three.qkNorm);
  EXPECT_FALSE(three.qkvBias);
  EXPECT_TRUE(parsed(qwen3({{"attention_bias", "true"}})).outputBias);
  EXPECT_FALSE(parsed(mistral({{"attention_bias", "true"}})).qkvBias);
}

TEST(HfConfigTest, MistralSlidesInEveryLayer) {
  using Windows = std::vector<int64_t>;
  EXPECT_EQ(parsed(mistral({{"sliding_window", "8"}})).windows,
            (Windows{8, 8}));
  EXPECT_EQ(parsed(mistral({{"sliding_window", "null"}})).windows,
            (Windows{0, 0}));
  EXPECT_EQ(parsed(mistral()).windows, (Windows{4096, 4096}));
  EXPECT_EQ(parsed({{"sliding_window", "8"}}).windows, (Windows{0, 0}));
  EXPECT_SAYS(parseError(mistral({{"sliding_window", "0"}})),
              "sliding_window is 0");
}

TEST(HfConfigTest, QwenSlidesWhereItSays) {
  using Windows = std::vector<int64_t>;
  SampleFields on = {{"use_sliding_window", "true"},
                     {"sliding_window", "8"},
                     {"max_window_layers", "1"}};
  EXPECT_EQ(parsed(qwen2(on)).windows, (Windows{0, 8}));
  EXPECT_EQ(parsed(qwen3(on)).windows, (Windows{0, 8}));
  on["layer_types"] = R"(["sliding_attention", "full_attention"])";
  EXPECT_EQ(parsed(qwen2(on)).windows, (Windows{8, 0}));
  on["use_sliding_window"] = "false";
  EXPECT_SAYS(parseError(qwen2(on)), "no sliding_window is in use");
  on["layer_types"] = "";
  EXPECT_EQ(parsed(qwen2(on)).windows, (Windows{0, 0}));
  EXPECT_SAYS(parseError(qwen2({{"layer_types", R"(["full_attention"])"}})),
              "has 1 entries, expected one for each of the 2 layers");
  EXPECT_SAYS(
      parseError(qwen2(
          {{"layer_types", R"(["full_attention", "chunked_attention"])"}})),
      "\"chunked_attention\"");
  EXPECT_SAYS(parseError({{"layer_types",
                           R"(["full_attention", "sliding_attention"])"}}),
              "differs from the attention that LlamaForCausalLM has");
}

TEST(HfConfigTest, OtherArchitecturesAreRefusedByName) {
  EXPECT_EQ(parseError(as("gemma2", "Gemma2ForCausalLM")),
            "config.json: the architecture Gemma2ForCausalLM (gemma2) is not "
            "supported, supported are LlamaForCausalLM, MistralForCausalLM, "
            "Qwen2ForCausalLM and Qwen3ForCausalLM");
  EXPECT_SAYS(parseError(as("mixtral", "MixtralForCausalLM")), "Mixtral");
  EXPECT_SAYS(parseError(as("qwen3_moe", "Qwen3MoeForCausalLM")), "Qwen3Moe");
  EXPECT_SAYS(parseError(as("llama", "LlamaForSequenceClassification")),
              "LlamaForSequenceClassification (llama) is not supported");
  EXPECT_SAYS(parseError(as("llama", "MistralForCausalLM")), "not supported");
  EXPECT_SAYS(parseError({{"model_type", ""}, {"architectures", ""}}),
              "model_type is missing");
  EXPECT_EQ(parseError({{"architectures", ""}}), "no error");
  EXPECT_EQ(parseError({{"model_type", ""}}), "no error");
}

TEST(HfConfigTest, QuantisedCheckpointsAreRefusedByTheirMethod) {
  for (std::string method : {"gptq", "awq", "fp8", "bitsandbytes"})
    EXPECT_SAYS(parseError({{"quantization_config",
                             R"({"quant_method": ")" + method + "\"}"}}),
                "the checkpoint is quantised by " + method +
                    ", which is not supported, use the checkpoint in F32");
  EXPECT_SAYS(
      parseError({{"compression_config", R"({"format": "int-quantized"})"}}),
      "int-quantized");
  EXPECT_SAYS(parseError({{"quantization_config", "{}"}}), "quantised by");
  EXPECT_EQ(parseError({{"quantization_config", "null"}}), "no error");
}

TEST(HfConfigTest, VariantsThatComputeOtherwiseAreRefused) {
  EXPECT_SAYS(parseError({{"num_local_experts", "8"}}), "mixture of experts");
  EXPECT_SAYS(parseError({{"num_experts", "8"}}), "mixture of experts");
  EXPECT_SAYS(parseError({{"hidden_act", "\"gelu\""}}),
              "hidden_act is \"gelu\", expected \"silu\"");
  EXPECT_SAYS(parseError({{"is_encoder_decoder", "true"}}), "only decoders");
}

TEST(HfConfigTest, AbsurdSizesAreErrors) {
  for (const char *key :
       {"hidden_size", "intermediate_size", "num_hidden_layers",
        "num_attention_heads", "vocab_size", "num_key_value_heads",
        "max_position_embeddings", "head_dim"})
    for (const char *value : {"0", "-4", "1e300", "99999999999999999999", "2.5",
                              "\"16\"", "[16]", "true", "9007199254740993"})
      EXPECT_SAYS(parseError({{key, value}}),
                  std::string("config.json: ") + key + " is ");
  for (const char *key : {"hidden_size", "intermediate_size", "vocab_size",
                          "num_hidden_layers", "num_attention_heads"})
    EXPECT_SAYS(parseError({{key, ""}}), std::string(key) + " is missing");
  for (const char *value : {"0", "-1e-5", "\"1e-5\""})
    EXPECT_SAYS(parseError({{"rms_norm_eps", value}}), "rms_norm_eps is");
}

TEST(HfConfigTest, SizesMustFitEachOther) {
  EXPECT_SAYS(parseError({{"num_key_value_heads", "3"}}),
              "4 attention heads cannot share 3 key and value heads");
  EXPECT_SAYS(parseError({{"num_key_value_heads", "8"}}), "cannot share 8");
  EXPECT_SAYS(parseError({{"num_attention_heads", "6"}}),
              "hidden_size is 16, which 6 heads cannot share");
  EXPECT_SAYS(parseError({{"head_dim", "5"}}), "the head dimension is 5");
  EXPECT_EQ(parsed({{"head_dim", "6"}}).queryRows(), 24);
  EXPECT_EQ(parsed({{"head_dim", "null"}}).headDim, 4);
}

TEST(HfConfigTest, TokensMustLieInTheVocabulary) {
  EXPECT_EQ(parsed({{"eos_token_id", "[3, 2, 3]"}}).eosTokens,
            (std::vector<int64_t>{3, 2}));
  EXPECT_SAYS(
      parseError({{"eos_token_id", "[2, 24]"}}),
      "an EOS token is 24, expected an id below the vocabulary size 24");
  EXPECT_SAYS(parseError({{"eos_token_id", "-1"}}), "eos_token_id is -1");
  EXPECT_SAYS(parseError({{"eos_token_id", "\"2\""}}), "a token id or a list");
  EXPECT_SAYS(parseError({{"bos_token_id", "30"}}), "the BOS token is 30");
}

TEST(HfConfigTest, GenerationConfigWinsOverConfig) {
  TemporaryFolder folder;
  folder.write("config.json", sampleConfig());
  EXPECT_EQ(readModelConfig(folder.path).eosTokens, std::vector<int64_t>{2});
  folder.write("generation_config.json", R"({"eos_token_id": [5, 6]})");
  folder.write("tokenizer_config.json", R"({"add_bos_token": false})");
  ModelConfig config = readModelConfig(folder.path);
  EXPECT_EQ(config.eosTokens, (std::vector<int64_t>{5, 6}));
  EXPECT_EQ(config.bosToken, 1);
  EXPECT_EQ(config.addBos, false);
  folder.write("generation_config.json", R"({"eos_token_id": 99})");
  EXPECT_SAYS(errorOf([&] { readModelConfig(folder.path); }),
              "generation_config.json: an EOS token is 99");
}

TEST(HfConfigTest, AMissingOrBrokenFileIsNamed) {
  TemporaryFolder folder;
  EXPECT_SAYS(errorOf([&] { readModelConfig(folder.path); }),
              "config.json: cannot be opened");
  folder.write("config.json", "{");
  EXPECT_SAYS(errorOf([&] { readModelConfig(folder.path); }),
              "config.json: the file is not valid JSON");
  folder.write("config.json", "[]");
  EXPECT_SAYS(errorOf([&] { readModelConfig(folder.path); }),
              "expected a JSON object");
}

TEST(HfConfigTest, ReferenceModels) {
  std::string shared = sharedFolder();
  if (shared.empty())
    GTEST_SKIP() << "the reference data is not beside the repository";
  std::string models = shared + "/data/models/";
  ModelConfig llama3 = readModelConfig(models + "llama3-rope-f16-oldcfg");
  EXPECT_EQ(llama3.rope.kind, RopeConfig::Kind::Llama3);
  EXPECT_EQ(llama3.rope.originalContext, 64);
  EXPECT_EQ(llama3.rope.theta, 500000);
  EXPECT_EQ(readModelConfig(models + "mistral-sw8-f32").windows,
            (std::vector<int64_t>{8, 8, 8}));
  ModelConfig qwen = readModelConfig(models + "qwen2-f32");
  EXPECT_TRUE(qwen.qkvBias);
  EXPECT_EQ(qwen.rope.theta, 1000000);
  EXPECT_EQ(qwen.windows, (std::vector<int64_t>{0, 0, 0}));
  ModelConfig stories = readModelConfig(models + "tinystories-260k");
  EXPECT_EQ(stories.headDim, 8);
  EXPECT_TRUE(stories.tiedEmbeddings);
}

} // namespace
