// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/TensorValues.h"
#include "test/unit/formats/SampleAdapters.h"
#include "tools/adapter/MaskFiles.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

int64_t kept(const Mask &mask) { return std::ranges::count(mask.keep, 1); }

class MasksTest : public testing::Test {
protected:
  AdapterInput
  open(const std::vector<SampleTensor> &tensors = sampleAdapterTensors()) {
    return AdapterInput::open(
        writeSampleAdapter(folder, "adapter", {}, tensors));
  }

  int64_t total(const Masks &masks) {
    int64_t sum = 0;
    for (const auto &[module, mask] : masks)
      sum += kept(mask);
    return sum;
  }

  /// B of every module set to 1, 2, 3, ... in model order.
  std::vector<SampleTensor> counted() {
    auto tensors = sampleAdapterTensors();
    float next = 1;
    for (SampleTensor &tensor : tensors)
      if (contains(tensor.name, "lora_B"))
        for (size_t i = 0; i < tensor.data.size(); i += 4, next += 1)
          std::memcpy(tensor.data.data() + i, &next, 4);
    return tensors;
  }

  TemporaryFolder folder;
};

TEST_F(MasksTest, TheLargestOfTheModel) {
  // B's of 32, 16, 32, 16 entries: 96, of which int(0.5 * 96) are kept.
  Masks masks = makeMasks(open(counted()), {.sparsity = 0.5});
  EXPECT_EQ(kept(masks.at("model.layers.0.self_attn.q_proj")), 0);
  EXPECT_EQ(kept(masks.at("model.layers.0.self_attn.v_proj")), 0);
  EXPECT_EQ(kept(masks.at("model.layers.1.self_attn.q_proj")), 32);
  EXPECT_EQ(kept(masks.at("model.layers.1.self_attn.v_proj")), 16);
}

TEST_F(MasksTest, TheLargestOfEachGroup) {
  AdapterInput adapter = open(counted());
  using enum MaskGranularity;
  auto sizes = [&](MaskGranularity granularity) {
    std::vector<int64_t> counts;
    for (const auto &[module, mask] :
         makeMasks(adapter, {.sparsity = 0.5, .granularity = granularity}))
      counts.push_back(kept(mask));
    return counts; // q and v of layer 0, of layer 1
  };
  EXPECT_EQ(sizes(Module), (std::vector<int64_t>{0, 0, 32, 16}));
  EXPECT_EQ(sizes(Projection), (std::vector<int64_t>{0, 0, 32, 16}));
  EXPECT_EQ(sizes(Layer), (std::vector<int64_t>{8, 16, 8, 16}));
  EXPECT_EQ(sizes(Matrix), (std::vector<int64_t>{16, 8, 16, 8}));
}

TEST_F(MasksTest, SizeIsTheOneOfFloatingPoint) {
  // int((1 - 0.9) * 30) is 2, since 1 - 0.9 is below 0.1.
  std::vector<SampleTensor> tensors =
      sampleHalves("model.layers.0.self_attn.q_proj", 16, 15, 2);
  for (size_t i = 0; i < 30; ++i) {
    auto value = static_cast<float>(i + 1);
    std::memcpy(tensors[1].data.data() + i * 4, &value, 4);
  }
  EXPECT_EQ(total(makeMasks(open(tensors), {.sparsity = 0.9})), 2);
}

TEST_F(MasksTest, TiesAreAllKept) {
  auto tensors = sampleAdapterTensors();
  for (SampleTensor &tensor : tensors)
    if (contains(tensor.name, "lora_B"))
      for (size_t i = 0; i < tensor.data.size(); i += 4) {
        float value = i % 8 ? -1.0f : 1.0f;
        std::memcpy(tensor.data.data() + i, &value, 4);
      }
  EXPECT_EQ(total(makeMasks(open(tensors), {.sparsity = 0.5})), 96);
}

TEST_F(MasksTest, RefusesWhatKeepsNothingOrEverything) {
  EXPECT_SAYS(errorOf([&] { makeMasks(open(), {.sparsity = 0.999}); }),
              "keeps none of the 96 entries");
  auto tensors = sampleAdapterTensors();
  for (SampleTensor &tensor : tensors)
    if (contains(tensor.name, "lora_B"))
      tensor.data.assign(tensor.data.size(), '\0');
  EXPECT_SAYS(errorOf([&] { makeMasks(open(tensors), {.sparsity = 0.5}); }),
              "a mask is taken from a dense B");
}

TEST_F(MasksTest, RandomMasksKeepExactlyK) {
  MaskOptions options{.sparsity = 0.7, .method = MaskMethod::Random, .seed = 3};
  Masks first = makeMasks(open(), options);
  EXPECT_EQ(total(first), 28); // int(0.3 * 96)
  Masks again = makeMasks(open(), options);
  options.seed = 4;
  Masks other = makeMasks(open(), options);
  bool differs = false;
  for (const auto &[module, mask] : first) {
    EXPECT_EQ(mask.keep, again.at(module).keep);
    differs |= mask.keep != other.at(module).keep;
  }
  EXPECT_TRUE(differs);
  options.granularity = MaskGranularity::Matrix;
  EXPECT_EQ(total(makeMasks(open(), options)), 9 + 4 + 9 + 4);
}

TEST_F(MasksTest, BothFormsOfFilesHoldTheSame) {
  Masks masks = makeMasks(open(), {.sparsity = 0.5});
  for (const char *name : {"m.pt", "m.safetensors"}) {
    writeMasks(masks, folder / name);
    Masks back = readMasks(folder / name);
    ASSERT_EQ(back.size(), masks.size());
    for (const auto &[module, mask] : masks) {
      EXPECT_EQ(back.at(module).rows, mask.rows);
      EXPECT_EQ(back.at(module).columns, mask.columns);
      EXPECT_EQ(back.at(module).keep, mask.keep);
    }
  }
}

TEST_F(MasksTest, ApplyingKeepsWhatTheMaskKeeps) {
  for (const char *type : {"F32", "BF16"}) {
    AdapterInput adapter = open(sampleAdapterTensors(type));
    Masks masks = makeMasks(adapter, {.sparsity = 0.5});
    std::filesystem::remove_all(folder / "out");
    applyToDirectory(adapter, masks, "masks", folder / "out");
    AdapterInput result = AdapterInput::open(folder / "out");
    for (const AdapterModule &module : adapter.modules()) {
      std::vector<float> before = adapter.b(module);
      const AdapterModule &masked = *result.find(module.module.path);
      std::vector<float> after = result.b(masked);
      EXPECT_EQ(result.a(masked), adapter.a(module));
      const Mask &mask = masks.at(module.module.path);
      for (size_t i = 0; i < before.size(); ++i)
        EXPECT_EQ(after[i], mask.keep[i] ? before[i] : 0.0f);
    }
  }
}

TEST_F(MasksTest, RefusesMasksOfOthers) {
  AdapterInput adapter = open();
  Masks masks = makeMasks(adapter, {.sparsity = 0.5});
  auto error = [&](const Masks &changed) {
    return errorOf([&] {
      applyToDirectory(adapter, changed, "masks.pt", folder / "out");
    });
  };
  Masks changed = masks;
  changed.erase("model.layers.0.self_attn.q_proj");
  EXPECT_SAYS(error(changed), "masks.pt: lacks a mask for the module");
  changed = masks;
  changed["other"] = {1, 1, {1}};
  EXPECT_SAYS(error(changed), "does not adapt");
  changed = masks;
  changed["model.layers.0.self_attn.q_proj"].rows = 8;
  EXPECT_SAYS(error(changed), "its B is [16, 2]");
}

TEST_F(MasksTest, RefusesFilesThatAreNoMasks) {
  EXPECT_SAYS(errorOf([&] {
                readMasks(folder.write(
                    "x.safetensors", safetensorsBytes(sampleAdapterTensors())));
              }),
              "a mask is BOOL");
  auto file = [&](const std::string &name, const std::string &data) {
    return folder.write("y.safetensors",
                        safetensorsBytes({{name, "U8", {1, 2}, data}}));
  };
  std::string good = "base_model.model.q.lora_B.weight";
  EXPECT_EQ(errorOf([&] { readMasks(file(good, {1, 0})); }), "no error");
  EXPECT_SAYS(errorOf([&] { readMasks(file(good, {1, 2})); }),
              "other values than 0 and 1");
  EXPECT_SAYS(errorOf([&] { readMasks(file("q", {1, 0})); }),
              "is not called like a mask");
}

} // namespace
