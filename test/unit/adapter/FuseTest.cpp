// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/Fuse.h"
#include "runtime/formats/TensorValues.h"
#include "test/unit/formats/SampleAdapters.h"

#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

class FuseTest : public testing::Test {
protected:
  Checkpoint fuse(const std::string &type,
                  const std::vector<std::pair<std::string, double>> &adapters,
                  bool safeMerge = false) {
    base.emplace(Checkpoint::open(writeSampleModel(folder, "base", {}, type)));
    std::vector<ScaledAdapter> scaled;
    scaled.reserve(adapters.size());
    for (const auto &[path, scale] : adapters)
      scaled.push_back({AdapterInput::open(path, *base), scale});
    std::filesystem::remove_all(folder / "out");
    fuseToDirectory(*base, scaled, folder / "out",
                    {.safeMerge = safeMerge, .threads = 2});
    return Checkpoint::open(folder / "out");
  }

  std::string adapter(const std::string &name,
                      const SampleFields &changes = {}) {
    return writeSampleAdapter(folder, name, changes, sampleAdapterTensors());
  }

  static std::vector<float> weights(const Checkpoint &model,
                                    const std::string &name) {
    const StoredTensor &tensor = *model.find(name);
    return loadFloats(tensor.type, model.bytes(tensor));
  }

  /// scaling * B A of a module, in f64.
  std::vector<double> delta(const std::string &path,
                            const std::string &modulePath) {
    AdapterInput input = AdapterInput::open(path);
    const AdapterModule &m = *input.find(modulePath);
    std::vector<float> a = input.a(m), b = input.b(m);
    std::vector<double> product(
        static_cast<size_t>(m.module.out * m.module.in));
    for (int64_t i = 0; i < m.module.out; ++i)
      for (int64_t k = 0; k < m.rank; ++k)
        for (int64_t j = 0; j < m.module.in; ++j)
          product[static_cast<size_t>(i * m.module.in + j)] +=
              m.scaling * b[static_cast<size_t>(i * m.rank + k)] *
              a[static_cast<size_t>(k * m.module.in + j)];
    return product;
  }

  const std::string q = "model.layers.1.self_attn.q_proj";
  TemporaryFolder folder;
  std::optional<Checkpoint> base;
};

TEST_F(FuseTest, AddsScaledDeltas) {
  std::string a = adapter("a"), b = adapter("b", {{"lora_alpha", "1"}});
  Checkpoint fused = fuse("F32", {{a, 0.5}, {b, -2}});
  std::vector<float> before = weights(*base, q + ".weight");
  std::vector<float> after = weights(fused, q + ".weight");
  std::vector<double> da = delta(a, q), db = delta(b, q);
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_NEAR(after[i], before[i] + 0.5 * da[i] - 2 * db[i],
                1e-5 * (1 + std::abs(before[i]) + std::abs(da[i])));
  // What no adapter touches is the same.
  for (const char *name :
       {"model.embed_tokens.weight", "model.layers.0.mlp.up_proj.weight"})
    EXPECT_EQ(weights(*base, name), weights(fused, name));
}

TEST_F(FuseTest, RoundsOnceOrTwice) {
  std::string a = adapter("a");
  std::vector<double> d = delta(a, q);
  for (bool safeMerge : {false, true}) {
    Checkpoint fused = fuse("BF16", {{a, 1}}, safeMerge);
    std::vector<float> before = weights(*base, q + ".weight");
    std::vector<float> after = weights(fused, q + ".weight");
    size_t equal = 0;
    for (size_t i = 0; i < before.size(); ++i) {
      auto step = static_cast<float>(d[i]);
      if (safeMerge)
        step = roundFloat(StorageType::BF16, step);
      equal += after[i] == roundFloat(StorageType::BF16, before[i] + step);
    }
    // All but what lies on the edge of two roundings.
    EXPECT_GE(equal, before.size() - 2) << safeMerge;
  }
}

TEST_F(FuseTest, CopiesCompanionsButNoOtherWeights) {
  writeSampleModel(folder, "base");
  for (const char *name : {"tokenizer.json", "merges.txt", "LICENSE",
                           "pytorch_model.bin", "extra.safetensors"})
    folder.write(std::string("base/") + name, "x");
  fuse("F32", {{adapter("a"), 1}});
  for (const char *name : {"config.json", "tokenizer.json", "merges.txt",
                           "LICENSE", "model.safetensors"})
    EXPECT_TRUE(std::filesystem::exists(folder / "out" + "/" + name)) << name;
  for (const char *name : {"pytorch_model.bin", "extra.safetensors"})
    EXPECT_FALSE(std::filesystem::exists(folder / "out" + "/" + name)) << name;
}

TEST_F(FuseTest, RefusesOverflowAndLeavesNothing) {
  std::string message = errorOf([&] { fuse("F16", {{adapter("a"), 1e30}}); });
  EXPECT_SAYS(message, "overflows F16");
  EXPECT_FALSE(std::filesystem::exists(folder / "out"));
}

TEST_F(FuseTest, RefusesTiedEmbeddings) {
  std::vector<SampleTensor> tensors = {
      sampleTensor("base_model.model.model.embed_tokens.lora_embedding_A",
                   {2, 24}),
      sampleTensor("base_model.model.model.embed_tokens.lora_embedding_B",
                   {16, 2})};
  std::string path = writeSampleAdapter(
      folder, "e", {{"target_modules", R"(["embed_tokens"])"}}, tensors);
  EXPECT_SAYS(errorOf([&] { fuse("F32", {{path, 1}}); }),
              "which the base shares between input and output");
}

} // namespace
