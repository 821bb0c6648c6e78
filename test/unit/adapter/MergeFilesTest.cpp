// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Merging directories: what goes together, and what the result says of itself.

#include "tools/adapter/MergeFiles.h"
#include "runtime/formats/JsonWriter.h"
#include "test/unit/formats/SampleAdapters.h"

#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

class MergeFilesTest : public testing::Test {
protected:
  std::string
  adapter(const std::string &name, const SampleFields &changes = {},
          const std::vector<SampleTensor> &tensors = sampleAdapterTensors()) {
    return writeSampleAdapter(folder, name, changes, tensors);
  }

  static std::vector<SampleTensor> ofRank(int64_t rank) {
    std::vector<SampleTensor> tensors;
    for (const char *module :
         {"model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"})
      for (SampleTensor &half : sampleHalves(module, 16, 16, rank))
        tensors.push_back(std::move(half));
    return tensors;
  }

  MergePlan plan(const std::vector<std::string> &paths) {
    inputs.clear();
    for (const std::string &path : paths)
      inputs.push_back(AdapterInput::open(path));
    return planMerge(inputs, options);
  }

  std::string planError(const std::vector<std::string> &paths) {
    return errorOf([&] { plan(paths); });
  }

  void merge(const std::vector<std::string> &paths) {
    MergePlan merged = plan(paths);
    std::filesystem::remove_all(folder / "out");
    mergeToDirectory(inputs, merged, dropMasks, folder / "out", 2);
  }

  std::string field(const MergePlan &merged, const std::string &key) {
    return jsonText(*merged.config.find(key));
  }

  TemporaryFolder folder;
  std::vector<AdapterInput> inputs;
  MergeOptions options{.type = MergeType::Cat, .weights = {0.5, 0.25}};
  std::string dropMasks;
};

TEST_F(MergeFilesTest, ResultLoadsAndIsTheSum) {
  merge({adapter("a"), adapter("b", {{"lora_alpha", "8"}})});
  AdapterInput result = AdapterInput::open(folder / "out");
  ASSERT_EQ(result.modules().size(), 4u);
  const AdapterModule &module = result.modules()[1];
  EXPECT_EQ(module.rank, 4);
  EXPECT_EQ(module.scaling, 1.0);
  std::vector<float> a = inputs[0].a(inputs[0].modules()[1]);
  std::vector<float> merged = result.a(module);
  for (size_t i = 0; i < a.size(); ++i) {
    EXPECT_FLOAT_EQ(merged[i], a[i] * 0.5f * 2);             // scaling 4/2
    EXPECT_FLOAT_EQ(merged[a.size() + i], a[i] * 0.25f * 4); // 8/2
  }
}

TEST_F(MergeFilesTest, OutputIsNotOverwritten) {
  merge({adapter("a"), adapter("b")});
  MergePlan again = plan({folder / "a", folder / "b"});
  EXPECT_SAYS(
      errorOf([&] { mergeToDirectory(inputs, again, "", folder / "out", 1); }),
      "is there already");
}

TEST_F(MergeFilesTest, FailureLeavesNothing) {
  options.type = MergeType::DareLinear;
  options.density = 0.5;
  dropMasks = folder.write("draws.safetensors",
                           safetensorsBytes(std::vector<SampleTensor>()));
  EXPECT_SAYS(errorOf([&] { merge({adapter("a"), adapter("b")}); }),
              "draws.safetensors: holds 0 tensors, the merge draws 16");
  std::vector<SampleTensor> draws;
  draws.reserve(16);
  for (int i = 0; i < 16; ++i)
    draws.push_back(
        {"bernoulli.00" + std::string(i < 10 ? "0" : "") + std::to_string(i),
         "U8",
         {2, 16},
         std::string(32, '\1')});
  dropMasks = folder.write("draws.safetensors", safetensorsBytes(draws));
  EXPECT_SAYS(errorOf([&] { merge({folder / "a", folder / "b"}); }),
              "expected U8 [16, 2]"); // of B
  for (const auto &entry : std::filesystem::directory_iterator(folder.path))
    EXPECT_FALSE(contains(entry.path().filename(), "out")) << entry.path();
}

TEST_F(MergeFilesTest, WeightsAndDensityMustBeGiven) {
  adapter("a"), adapter("b");
  options.weights = {1};
  EXPECT_SAYS(planError({folder / "a", folder / "b"}),
              "--weights: has 1 numbers for 2 adapters");
  options.weights = {1, 1};
  options.type = MergeType::Ties;
  EXPECT_SAYS(planError({folder / "a", folder / "b"}), "add --density");
  options.density = -0.1;
  EXPECT_SAYS(planError({folder / "a", folder / "b"}), "is below 0");
  options.density = 0;
  EXPECT_EQ(planError({folder / "a", folder / "b"}), "no error");
  options.type = MergeType::DareTies;
  EXPECT_SAYS(planError({folder / "a", folder / "b"}), "divides by 0");
}

TEST_F(MergeFilesTest, PaperNamesHaveDefaultWeights) {
  adapter("a"), adapter("b");
  options.weights.clear();
  options.type = MergeType::Average;
  EXPECT_EQ(plan({folder / "a", folder / "b"}).options.weights,
            (std::vector<double>{0.5, 0.5}));
  options.type = MergeType::Sum;
  EXPECT_EQ(plan({folder / "a", folder / "b"}).options.weights,
            (std::vector<double>{1, 1}));
}

TEST_F(MergeFilesTest, OneAdapterIsLinear) {
  options.weights = {1};
  MergePlan merged = plan({adapter("a")});
  EXPECT_EQ(merged.options.type, MergeType::Linear);
  EXPECT_EQ(merged.warnings.size(), 1u);
}

TEST_F(MergeFilesTest, UnequalRanks) {
  adapter("a", {{"target_modules", R"(["q_proj"])"}}, ofRank(2));
  adapter("b", {{"target_modules", R"(["q_proj"])"}, {"r", "3"}}, ofRank(3));
  std::vector<std::string> both = {folder / "a", folder / "b"};
  EXPECT_EQ(field(plan(both), "r"), "5");
  options.type = MergeType::Svd;
  EXPECT_EQ(field(plan(both), "r"), "3");
  options.svdRank = 4;
  EXPECT_EQ(field(plan(both), "r"), "4");
  for (MergeType type : {MergeType::Linear, MergeType::Ties}) {
    options.type = type;
    options.density = 0.5;
    EXPECT_SAYS(planError(both), "adds factors of equal rank");
  }
}

TEST_F(MergeFilesTest, RankPatternsByVersion) {
  std::vector<SampleTensor> mixed = ofRank(2);
  mixed.resize(2); // layer 0 of rank 2, layer 1 of rank 3
  for (SampleTensor &half :
       sampleHalves("model.layers.1.self_attn.q_proj", 16, 16, 3))
    mixed.push_back(std::move(half));
  SampleFields q = {{"target_modules", R"(["q_proj"])"}};
  adapter("a", q, ofRank(2));
  q["rank_pattern"] = R"({"layers.1.self_attn.q_proj":3})";
  adapter("b", q, mixed);
  std::vector<std::string> both = {folder / "a", folder / "b"};
  MergePlan today = plan(both); // 2 + 3 everywhere, the rest zeros
  EXPECT_EQ(today.modules[0].rank, 5);
  EXPECT_EQ(field(today, "rank_pattern"), "{}");
  merge(both);
  EXPECT_EQ(AdapterInput::open(folder / "out").modules()[0].rank, 5);

  options.compat = {0, 12};
  EXPECT_SAYS(planError(both), "PEFT 0.12 makes room for 4");
  options.type = MergeType::Concat; // ours: no zeros
  options.compat = defaultPeftVersion;
  MergePlan exact = plan(both);
  EXPECT_EQ(exact.modules[0].rank, 4);
  EXPECT_EQ(field(exact, "rank_pattern"),
            R"({"model.layers.0.self_attn.q_proj":4})");
  merge(both);
  AdapterInput result = AdapterInput::open(folder / "out");
  EXPECT_EQ(result.modules()[1].rank, 5);
  for (const AdapterModule &module : result.modules())
    EXPECT_EQ(module.scaling, 1.0);
}

TEST_F(MergeFilesTest, RsLoraIsInheritedByPeftAndNotByUs) {
  adapter("a", {{"use_rslora", "true"}}), adapter("b");
  std::vector<std::string> both = {folder / "a", folder / "b"};
  MergePlan peft = plan(both);
  EXPECT_EQ(field(peft, "use_rslora"), "true");
  ASSERT_EQ(peft.warnings.size(), 1u);
  EXPECT_SAYS(peft.warnings[0], "sqrt(4) times too strong");
  options.type = MergeType::Concat;
  EXPECT_EQ(field(plan(both), "use_rslora"), "false");
  std::swap(both[0], both[1]);
  options.type = MergeType::Cat;
  EXPECT_TRUE(plan(both).warnings.empty());
}

TEST_F(MergeFilesTest, OldVersionsLackTypes) {
  adapter("a"), adapter("b");
  options.compat = {0, 8};
  options.density = 0.5;
  options.type = MergeType::Ties;
  EXPECT_SAYS(planError({folder / "a", folder / "b"}),
              "PEFT 0.8 has only linear, cat and svd");
}

TEST_F(MergeFilesTest, TargetsAreJoined) {
  std::vector<SampleTensor> onlyQ = ofRank(2);
  adapter("a"), adapter("b", {{"target_modules", R"(["q_proj"])"}}, onlyQ);
  std::vector<std::string> both = {folder / "a", folder / "b"};
  MergePlan merged = plan(both);
  EXPECT_EQ(field(merged, "target_modules"), R"(["q_proj","v_proj"])");
  EXPECT_EQ(merged.modules[0].parts.size(), 2u);
  EXPECT_EQ(merged.modules[1].parts.size(), 1u);

  adapter("b", {{"target_modules", R"(".*q_proj")"}}, onlyQ);
  EXPECT_SAYS(planError(both), "which PEFT refuses to merge");
  adapter("a", {{"target_modules", R"(".*[qv]_proj")"}});
  EXPECT_EQ(field(plan(both), "target_modules"),
            R"x("(.*[qv]_proj)|(.*q_proj)")x");
}

TEST_F(MergeFilesTest, OtherRulesListModules) {
  std::vector<SampleTensor> first = ofRank(2);
  first.resize(2);
  adapter("a",
          {{"target_modules", R"(["q_proj"])"}, {"layers_to_transform", "[0]"}},
          first);
  adapter("b");
  MergePlan merged = plan({folder / "a", folder / "b"});
  EXPECT_EQ(merged.modules.size(), 4u);
  EXPECT_EQ(merged.config.find("target_modules")->array()->size(), 4u);
  ASSERT_FALSE(merged.warnings.empty());
}

TEST_F(MergeFilesTest, OtherBasesAreRefused) {
  std::vector<SampleTensor> wide;
  for (SampleTensor &half :
       sampleHalves("model.layers.0.self_attn.q_proj", 32, 16, 2))
    wide.push_back(std::move(half));
  adapter("a"), adapter("b", {{"target_modules", R"(["q_proj"])"}}, wide);
  EXPECT_SAYS(planError({folder / "a", folder / "b"}),
              "merge adapters of one and the same base");
}

TEST_F(MergeFilesTest, PacksAreMergedLikeDirectories) {
  merge({adapter("a"), adapter("b")});
  std::string direct = readWhole(folder / "out/adapter_model.safetensors");
  packAdapter(*inputs[1].directory(), "", folder / "b.safetensors");
  merge({folder / "a", folder / "b.safetensors"});
  EXPECT_EQ(readWhole(folder / "out/adapter_model.safetensors"), direct);
}

} // namespace
