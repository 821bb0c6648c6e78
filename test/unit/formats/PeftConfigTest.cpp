// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/PeftConfig.h"
#include "SampleAdapters.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

PeftConfig parsed(const SampleFields &changes) {
  return PeftConfig::parse(sampleAdapterConfig(changes), "adapter_config.json");
}

std::string parseError(const SampleFields &changes) {
  return errorOf([&] { parsed(changes); });
}

ModelConfig threeLayers() {
  return parseModelConfig(sampleConfig({{"num_hidden_layers", "3"}}), "x");
}

/// The targeted modules, as one text.
std::string targetsOf(const SampleFields &changes) {
  PeftConfig config = parsed(changes);
  std::string text;
  for (const AdaptableModule &module : adaptableModules(threeLayers()))
    if (config.targets(module))
      text += (text.empty() ? "" : " ") + module.path;
  return text;
}

constexpr const char *q0 = "model.layers.0.self_attn.q_proj";
constexpr const char *down1 = "model.layers.1.mlp.down_proj";

TEST(PeftConfigTest, ScalingIsAlphaByRank) {
  PeftConfig config = parsed({});
  EXPECT_EQ(config.rankOf(q0), 2);
  EXPECT_EQ(config.scalingOf(q0), 2.0);
  EXPECT_EQ(parsed({{"r", "12"}, {"lora_alpha", "16"}}).scalingOf(q0),
            16.0 / 12.0);
  EXPECT_EQ(parsed({{"lora_alpha", "0.5"}}).scalingOf(q0), 0.25);
  EXPECT_EQ(parsed({{"r", "3"}, {"use_rslora", "true"}}).scalingOf(q0),
            4 / std::sqrt(3.0));
}

TEST(PeftConfigTest, PatternsAreSuffixesOrRegexes) {
  PeftConfig config = parsed(
      {{"rank_pattern", R"({"layers.1.mlp.down_proj": 16, "q_proj": 4})"},
       {"alpha_pattern", R"({".*\\.1\\.mlp\\..*": 5})"}});
  EXPECT_EQ(config.rankOf(q0), 4);
  EXPECT_EQ(config.rankOf(down1), 16);
  EXPECT_EQ(config.rankOf("model.layers.2.mlp.down_proj"), 2);
  EXPECT_EQ(config.scalingOf(down1), 5.0 / 16);
  EXPECT_EQ(config.scalingOf(q0), 4.0 / 4);
  // Only after a dot, and only to the end.
  EXPECT_EQ(config.rankOf("model.layers.0.self_attn.xq_proj"), 2);
  EXPECT_EQ(config.rankOf("model.layers.0.self_attn.q_proj_x"), 2);
}

TEST(PeftConfigTest, AnchoredPatternsMatchTheWholePath) {
  PeftConfig config =
      parsed({{"rank_pattern",
               R"({"^model\\.layers\\.[02]\\.self_attn\\.(q|k)_proj": 3})"}});
  EXPECT_EQ(config.rankOf(q0), 3);
  EXPECT_EQ(config.rankOf("model.layers.1.self_attn.q_proj"), 2);
}

TEST(PeftConfigTest, TheFirstPatternOfTheFileWins) {
  PeftConfig config =
      parsed({{"rank_pattern", R"({"z.*|.*q_proj": 5, "q_proj": 6, "a": 7})"}});
  EXPECT_EQ(config.rankOf(q0), 5);
  config = parsed({{"rank_pattern", R"({"q_proj": 6, ".*q_proj": 5})"}});
  EXPECT_EQ(config.rankOf(q0), 6);
}

TEST(PeftConfigTest, RankAndAlphaPatternsAreLookedUpSeparately) {
  PeftConfig config = parsed({{"rank_pattern", R"({"self_attn.q_proj": 8})"},
                              {"alpha_pattern", R"({"q_proj": 32})"},
                              {"use_rslora", "true"}});
  EXPECT_EQ(config.scalingOf(q0), 32 / std::sqrt(8.0));
}

TEST(PeftConfigTest, TargetsByList) {
  EXPECT_EQ(targetsOf({{"target_modules", R"(["q_proj"])"}}),
            "model.layers.0.self_attn.q_proj model.layers.1.self_attn.q_proj "
            "model.layers.2.self_attn.q_proj");
  EXPECT_EQ(
      targetsOf({{"target_modules",
                  R"(["model.layers.1.mlp.up_proj", "1.self_attn.k_proj"])"}}),
      "model.layers.1.self_attn.k_proj model.layers.1.mlp.up_proj");
  EXPECT_EQ(targetsOf({{"target_modules", R"(["lm_head", "embed_tokens"])"}}),
            "model.embed_tokens lm_head");
  // An entry matches after a dot only.
  EXPECT_EQ(targetsOf({{"target_modules", R"(["_proj", "proj"])"}}), "");
}

TEST(PeftConfigTest, TargetsByRegexMatchAllOfThePath) {
  EXPECT_EQ(
      targetsOf(
          {{"target_modules",
            R"re(".*layers\\.[12]\\.(mlp\\.up_proj|self_attn\\.v_proj)")re"}}),
      "model.layers.1.self_attn.v_proj model.layers.1.mlp.up_proj "
      "model.layers.2.self_attn.v_proj model.layers.2.mlp.up_proj");
  EXPECT_EQ(targetsOf({{"target_modules", R"("q_proj")"}}), "");
  EXPECT_EQ(targetsOf({{"target_modules", R"("lm_head|lm")"}}), "lm_head");
}

TEST(PeftConfigTest, AllLinearLeavesTheHeadOut) {
  std::string all = targetsOf({{"target_modules", R"("All-Linear")"}});
  EXPECT_EQ(std::count(all.begin(), all.end(), ' ') + 1, 21);
  EXPECT_EQ(all.find("lm_head"), all.npos);
  EXPECT_EQ(all.find("embed_tokens"), all.npos);
}

TEST(PeftConfigTest, NoTargetsMeansPeftsDefault) {
  EXPECT_EQ(targetsOf({{"target_modules", "null"}}), targetsOf({}));
}

TEST(PeftConfigTest, ExcludedAndSavedModulesAreNotTargeted) {
  std::string q = targetsOf({{"target_modules", R"(["q_proj"])"}});
  EXPECT_EQ(targetsOf({{"exclude_modules", R"(["v_proj"])"}}), q);
  EXPECT_EQ(targetsOf({{"exclude_modules", R"(".*v_proj")"}}), q);
  EXPECT_EQ(targetsOf({{"exclude_modules", R"("v_proj")"}}), targetsOf({}));
  EXPECT_EQ(targetsOf({{"target_modules", R"(["q_proj", "lm_head"])"},
                       {"modules_to_save", R"(["lm_head"])"}}),
            q);
  EXPECT_EQ(targetsOf({{"modules_to_save", R"(["layers.1", "layers.2"])"}}),
            "model.layers.0.self_attn.q_proj model.layers.0.self_attn.v_proj");
}

TEST(PeftConfigTest, LayersToTransform) {
  std::string zero =
      "model.layers.0.self_attn.q_proj model.layers.0.self_attn.v_proj";
  EXPECT_EQ(targetsOf({{"layers_to_transform", "0"}}), zero);
  EXPECT_EQ(targetsOf({{"layers_to_transform", "[0, 7]"}}), zero);
  EXPECT_EQ(targetsOf({{"layers_to_transform", "[]"}}), targetsOf({}));
  EXPECT_EQ(targetsOf({{"layers_to_transform", "[0]"},
                       {"layers_pattern", R"("layers")"}}),
            zero);
  EXPECT_EQ(targetsOf({{"layers_to_transform", "[0]"},
                       {"layers_pattern", R"(["h", "layers"])"}}),
            zero);
  EXPECT_EQ(targetsOf({{"layers_to_transform", "[0]"},
                       {"layers_pattern", R"(["h"])"}}),
            "");
  // Modules outside the layers have no index.
  EXPECT_EQ(targetsOf({{"target_modules", R"(["mlp.up_proj", "embed_tokens"])"},
                       {"layers_to_transform", "[1]"}}),
            "model.layers.1.mlp.up_proj");
  EXPECT_EQ(targetsOf({{"target_modules", R"(["lm_head"])"},
                       {"layers_to_transform", "[1]"}}),
            "lm_head");
  EXPECT_SAYS(parseError({{"target_modules", R"(".*q_proj")"},
                          {"layers_to_transform", "[1]"}}),
              "layers_to_transform is given beside a target_modules that is a "
              "string");
  EXPECT_SAYS(parseError({{"layers_to_transform", "[-1]"}}),
              "layers_to_transform is");
}

TEST(PeftConfigTest, MissingScalingIsAnError) {
  EXPECT_EQ(parseError({{"r", ""}}),
            "adapter_config.json: r is missing, add it to the file");
  EXPECT_SAYS(parseError({{"lora_alpha", ""}}), "lora_alpha is missing");
  EXPECT_SAYS(parseError({{"lora_alpha", "null"}}), "lora_alpha is missing");
  for (const char *r : {"0", "-1", "\"8\"", "1.5", "1e9"})
    EXPECT_SAYS(parseError({{"r", r}}), "r is ");
  EXPECT_SAYS(parseError({{"lora_alpha", "\"16\""}}), "expected a number");
  EXPECT_SAYS(parseError({{"rank_pattern", R"({"q_proj": 0})"}}),
              "rank_pattern gives 0 for 'q_proj', expected 1 to 65536");
  EXPECT_SAYS(parseError({{"alpha_pattern", R"({"q_proj": null})"}}),
              "alpha_pattern gives null for 'q_proj'");
  EXPECT_SAYS(parseError({{"rank_pattern", "[]"}}), "expected an object");
}

TEST(PeftConfigTest, OtherMethodsAreRefusedWithReasonAndRemedy) {
  const SampleFields variants = {
      {"use_dora", "true"},
      {"lora_bias", "true"},
      {"alora_invocation_tokens", "[1, 2]"},
      {"layer_replication", "[[0, 2], [1, 3]]"},
      {"trainable_token_indices", "[1]"},
      {"target_parameters", R"(["experts.w"])"},
      {"use_qalora", "true"},
      {"use_bdlora", R"({"nblocks": 2})"},
      {"kasa_config", R"({"beta": 1})"},
      {"arrow_config", R"({"top_k": 1})"},
  };
  for (const auto &[field, value] : variants) {
    std::string message = parseError({{field, value}});
    EXPECT_SAYS(message, field + " is set: ");
    EXPECT_SAYS(message, "which is not supported, ");
    for (const char *off : {"null", "false", "[]", "{}"})
      EXPECT_EQ(parseError({{field, off}}), "no error") << field;
  }
  for (const char *type : {"\"VERA\"", "\"IA3\"", "\"ADALORA\"", "\"lora\""})
    EXPECT_SAYS(parseError({{"peft_type", type}}),
                std::string("peft_type is ") + type);
  EXPECT_SAYS(parseError({{"peft_type", ""}}), "peft_type is missing");
}

TEST(PeftConfigTest, InitsThatChangedTheBaseAreRefused) {
  for (std::string init : {"pissa", "pissa_niter_16", "olora", "OLoRA", "corda",
                           "loftq", "lora_ga", "unheard_of"})
    EXPECT_SAYS(parseError({{"init_lora_weights", "\"" + init + "\""}}),
                "init_lora_weights is \"" + init +
                    "\", which changed the base before training");
  for (const char *init : {"true", "false", "null", R"("gaussian")", R"("eva")",
                           R"("orthogonal")"})
    EXPECT_EQ(parseError({{"init_lora_weights", init}}), "no error");
}

TEST(PeftConfigTest, UnknownFieldsWarnAndUnknownVariantsAreRefused) {
  EXPECT_SAYS(parseError({{"use_magic", "true"}}),
              "use_magic is true, a variant that is not known here");
  EXPECT_SAYS(parseError({{"magic_config", R"({"a": 1})"}}), "magic_config");
  EXPECT_EQ(parseError({{"use_magic", "false"}, {"magic_config", "null"}}),
            "no error");
  PeftConfig config = parsed({{"magic", "3"}});
  ASSERT_EQ(config.warnings().size(), 1u);
  EXPECT_EQ(config.warnings()[0],
            "adapter_config.json: the unknown field magic is ignored");
  EXPECT_TRUE(parsed({}).warnings().empty());
  EXPECT_SAYS(parsed({{"fan_in_fan_out", "true"}}).warnings().at(0),
              "fan_in_fan_out is ignored, as PEFT does");
}

TEST(PeftConfigTest, MalformedFieldsAreErrors) {
  EXPECT_SAYS(parseError({{"target_modules", "3"}}), "a list of strings");
  EXPECT_SAYS(parseError({{"target_modules", "[3]"}}), "holds 3");
  EXPECT_SAYS(parseError({{"bias", "\"some\""}}), "bias is \"some\"");
  EXPECT_SAYS(parseError({{"use_rslora", "1"}}), "expected true or false");
  EXPECT_SAYS(errorOf([] { PeftConfig::parse("nope", "x"); }),
              "not valid JSON");
  EXPECT_SAYS(errorOf([] { PeftConfig::parse("[]", "x"); }), "JSON object");
}

TEST(PeftConfigTest, MalformedRegexesAreErrors) {
  EXPECT_SAYS(parseError({{"target_modules", R"("(q_proj")"}}),
              "adapter_config.json: target_modules '(q_proj' is no regular "
              "expression (missing closing parenthesis at byte 7)");
  EXPECT_SAYS(parseError({{"rank_pattern", R"({"[": 1})"}}), "rank_pattern");
  EXPECT_SAYS(parseError({{"modules_to_save", "[\"(\"]"}}), "modules_to_save");
  std::string deep(5000, '(');
  EXPECT_SAYS(parseError({{"target_modules", "\"" + deep + "\""}}),
              "is no regular expression");
  EXPECT_SAYS(
      parseError({{"target_modules", "\"" + std::string(70000, 'a') + "\""}}),
      "is longer than 65536 bytes");
}

// Exponential in a backtracking engine without bounds.
TEST(PeftConfigTest, CatastrophicRegexesAreRefusedSoon) {
  EXPECT_SAYS(errorOf([] {
                targetsOf(
                    {{"target_modules", R"("(([a-z.0-9_]+)+)+[^a-z.0-9_]")"}});
              }),
              "takes too many steps to match");
}

} // namespace
