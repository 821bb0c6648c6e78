// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Whole matrices in adapters: embeddings, modules_to_save, biases.

#include "PeftAdapterFixture.h"

using namespace lori;
using namespace lori::test;

namespace {

using AdapterTablesTest = PeftAdapterFixture;

SampleTensor modelTensor(const std::string &name, const std::string &type) {
  for (SampleTensor &each : sampleModelTensors(type))
    if (each.name == name)
      return each;
  return {};
}

/// A whole matrix of the base, as an adapter carries it.
SampleTensor whole(const std::string &name, const std::string &as = "",
                   const std::string &type = "F32") {
  SampleTensor tensor = modelTensor(name, type);
  tensor.name = "base_model.model." + (as.empty() ? name : as);
  return tensor;
}

TEST_F(AdapterTablesTest, EmbeddingAndHeadAreReportedByKind) {
  std::string embed = "base_model.model.model.embed_tokens";
  std::vector<SampleTensor> tensors =
      with(sampleHalves("lm_head", 16, 24, 2),
           {sampleTensor(embed + ".lora_embedding_A", {2, 24}),
            sampleTensor(embed + ".lora_embedding_B", {16, 2}),
            whole("model.embed_tokens.weight",
                  "model.embed_tokens.base_layer.weight"),
            whole("model.embed_tokens.weight", "lm_head.base_layer.weight")});
  SampleFields targets = {{"target_modules", R"(["lm_head", "embed_tokens"])"}};
  PeftAdapter adapter = openWith(tensors, targets);
  ASSERT_EQ(adapter.modules().size(), 2u);
  EXPECT_EQ(adapter.modules()[0].module.kind, AdaptableModule::Kind::Embedding);
  EXPECT_EQ(adapter.modules()[0].a.shape, (std::vector<int64_t>{2, 24}));
  EXPECT_EQ(adapter.modules()[1].module.kind, AdaptableModule::Kind::LmHead);
  EXPECT_TRUE(adapter.notes().empty());
  targets["ensure_weight_tying"] = "true";
  EXPECT_SAYS(errorWith(tensors, targets), "ensure_weight_tying");
  EXPECT_EQ(
      errorWith(sampleAdapterTensors(), {{"ensure_weight_tying", "true"}}),
      "no error");
}

TEST_F(AdapterTablesTest, WholeMatricesOfTheBaseAreDropped) {
  PeftAdapter adapter = openWith(
      with(sampleAdapterTensors(),
           {whole("model.embed_tokens.weight"), whole("model.norm.weight"),
            whole("model.embed_tokens.weight", "lm_head.weight")}),
      {{"modules_to_save", R"(["norm"])"}});
  EXPECT_EQ(adapter.modules().size(), 4u);
  EXPECT_TRUE(adapter.notes().empty());
}

TEST_F(AdapterTablesTest, ChangedMatricesAreRefused) {
  auto changed = [&](SampleTensor tensor, size_t entry) {
    tensor.data[entry * 4 + 2] ^= 1;
    return errorWith(with(sampleAdapterTensors(), {tensor}));
  };
  EXPECT_SAYS(changed(whole("model.embed_tokens.weight"), 16 * 5 + 3),
              "differs from the base's 'model.embed_tokens.weight' from row 5 "
              "on, replaced modules are not supported, merge the adapter");
  EXPECT_SAYS(changed(whole("model.embed_tokens.weight", "lm_head.weight"), 0),
              "from row 0 on");
  EXPECT_SAYS(changed(whole("model.norm.weight"), 7), "from row 7 on");
  EXPECT_SAYS(changed(whole("model.layers.0.self_attn.o_proj.weight"), 17),
              "from row 1 on");
}

TEST_F(AdapterTablesTest, AddedRowsAreIgnoredWithANote) {
  SampleTensor table = whole("model.embed_tokens.weight");
  table.shape[0] += 2;
  table.data += sampleValues("F32", 32, 99);
  PeftAdapter adapter = openWith(with(sampleAdapterTensors(), {table}));
  EXPECT_SAYS(
      adapter.notes().at(0),
      "has 2 rows beyond the base's vocabulary of 24, they are ignored");
  table.data[0] ^= 1;
  EXPECT_SAYS(errorWith(with(sampleAdapterTensors(), {table})), "from row 0");
  table.shape = {13, 32};
  EXPECT_SAYS(errorWith(with(sampleAdapterTensors(), {table})),
              "has the shape [13, 32], expected [24, 16]");
  SampleTensor norm = sampleTensor("base_model.model.model.norm.weight", {17});
  EXPECT_SAYS(errorWith(with(sampleAdapterTensors(), {norm})),
              "has the shape [17], expected [16]");
}

// Adapters are often saved wider than their base, sometimes narrower.
TEST_F(AdapterTablesTest, MatricesAreComparedAcrossTypes) {
  Checkpoint half =
      Checkpoint::open(writeSampleModel(folder, "half", {}, "BF16"));
  SampleTensor wide = whole("model.norm.weight");
  std::string narrow = modelTensor("model.norm.weight", "BF16").data;
  for (size_t i = 0; i < 16; ++i) {
    uint32_t bits = 0;
    std::memcpy(reinterpret_cast<char *>(&bits) + 2, &narrow[2 * i], 2);
    std::memcpy(&wide.data[4 * i], &bits, 4);
  }
  auto openOn = [&](const Checkpoint &model, const SampleTensor &tensor) {
    return errorOf([&] {
      PeftAdapter::open(
          writeSampleAdapter(folder, "adapter", {},
                             with(sampleAdapterTensors(), {tensor})),
          model);
    });
  };
  EXPECT_EQ(openOn(half, wide), "no error");
  wide.data[1] ^= 1; // below a bf16's precision, but another number
  EXPECT_SAYS(openOn(half, wide), "from row 0 on");
  EXPECT_EQ(openOn(base, whole("model.norm.weight", "", "BF16")), "no error");
  EXPECT_EQ(openOn(base, whole("model.norm.weight", "", "F16")), "no error");
}

TEST_F(AdapterTablesTest, QuantisedBasesCannotBeCompared) {
  Checkpoint gguf =
      Checkpoint::open(folder.write("x.gguf", sampleGguf().bytes()));
  std::vector<SampleTensor> tensors;
  for (int i = 0; i < 2; ++i)
    tensors = with(tensors, sampleHalves("model.layers." + std::to_string(i) +
                                             ".mlp.up_proj",
                                         32, 64, 2));
  SampleFields target = {{"target_modules", R"(["up_proj"])"}};
  std::string path = writeSampleAdapter(folder, "g", target, tensors);
  EXPECT_EQ(PeftAdapter::open(path, gguf).modules().size(), 2u);
  tensors.push_back(
      sampleTensor("base_model.model.model.embed_tokens.weight", {24, 32}));
  writeSampleAdapter(folder, "g", target, tensors);
  EXPECT_SAYS(errorOf([&] { PeftAdapter::open(path, gguf); }),
              "cannot be compared with the base's, which is stored as Q8_0");
}

TEST_F(AdapterTablesTest, SavedModulesMustBeThere) {
  EXPECT_SAYS(errorWith(sampleAdapterTensors(),
                        {{"modules_to_save", R"(["lm_head"])"}}),
              "lacks the tensors of 'lm_head', which modules_to_save");
}

TEST_F(AdapterTablesTest, TrainedBiasesAreRefused) {
  SampleTensor bias = sampleTensor(std::string(q0) + ".bias", {16});
  EXPECT_SAYS(
      errorWith(with(sampleAdapterTensors(), {bias}), {{"bias", "\"all\""}}),
      "is a trained bias for a module that has none");
  EXPECT_EQ(errorWith(sampleAdapterTensors(), {{"bias", "\"all\""}}),
            "no error");
  SampleTensor score = sampleTensor("base_model.model.score.weight", {2, 16});
  EXPECT_SAYS(errorWith(with(sampleAdapterTensors(), {score})),
              "replaces 'score.weight', which the base lacks");
}

} // namespace
