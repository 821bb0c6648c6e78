// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Checkpoint.h"
#include "SampleModels.h"
#include "runtime/formats/ModelTensors.h"

#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

class CheckpointTest : public testing::Test {
protected:
  std::string openError(const std::string &path) {
    return errorOf([&] { Checkpoint::open(path); });
  }
  /// The message for the tiny model with other tensors.
  std::string errorWith(const std::vector<SampleTensor> &tensors,
                        const SampleFields &changes = {}) {
    folder.write("m/config.json", sampleConfig(changes));
    folder.write("m/model.safetensors", safetensorsBytes(tensors));
    return openError(folder / "m");
  }
  std::string ggufError(const GgufSample &sample) {
    return openError(folder.write("x.gguf", sample.bytes()));
  }
  TemporaryFolder folder;
};

std::vector<SampleTensor> with(const SampleTensor &tensor) {
  auto tensors = sampleModelTensors();
  for (SampleTensor &each : tensors)
    if (each.name == tensor.name) {
      each = tensor;
      return tensors;
    }
  tensors.push_back(tensor);
  return tensors;
}

std::vector<SampleTensor> without(const std::string &name) {
  auto tensors = sampleModelTensors();
  std::erase_if(tensors, [&](auto &each) { return each.name == name; });
  return tensors;
}

TEST_F(CheckpointTest, OpensADirectory) {
  Checkpoint model =
      Checkpoint::open(writeSampleModel(folder, "m", {}, "BF16"));
  EXPECT_EQ(model.config().layers, 2);
  EXPECT_EQ(model.gguf(), nullptr);
  ASSERT_EQ(model.tensors().size(), 20u);
  EXPECT_EQ(model.tensors()[0].name, "model.embed_tokens.weight");
  EXPECT_EQ(model.tensors().back().name, "model.norm.weight");
  const StoredTensor *tensor =
      model.find("model.layers.1.mlp.down_proj.weight");
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->type, StorageType::BF16);
  EXPECT_EQ(tensor->shape, (std::vector<int64_t>{16, 24}));
  auto bytes = model.bytes(*tensor);
  std::string expected;
  for (const SampleTensor &each : sampleModelTensors("BF16"))
    if (each.name == tensor->name)
      expected = each.data;
  EXPECT_EQ(
      std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size()),
      expected);
  EXPECT_EQ(model.find("lm_head.weight"), nullptr);
}

TEST_F(CheckpointTest, UntiedModelsHaveAHead) {
  Checkpoint model = Checkpoint::open(
      writeSampleModel(folder, "m", {{"tie_word_embeddings", "false"}}));
  EXPECT_EQ(model.tensors().back().name, "lm_head.weight");
  EXPECT_SAYS(
      errorWith(sampleModelTensors(), {{"tie_word_embeddings", "false"}}),
      "m: lacks the tensor 'lm_head.weight' of shape [24, 16]");
}

class ShardedTest : public CheckpointTest {
protected:
  void SetUp() override {
    folder.write("m/config.json", sampleConfig());
    auto tensors = sampleModelTensors();
    std::vector<SampleTensor> first(tensors.begin(), tensors.begin() + 7);
    std::vector<SampleTensor> second(tensors.begin() + 7, tensors.end());
    folder.write("m/a.safetensors", safetensorsBytes(first));
    folder.write("m/b.safetensors", safetensorsBytes(second));
    for (size_t i = 0; i < tensors.size(); ++i)
      map["\"" + tensors[i].name + "\""] = i < 7 ? "a" : "b";
    writeIndex();
  }
  void writeIndex() {
    std::string text;
    for (const auto &[name, file] : map)
      text +=
          (text.empty() ? "" : ",") + name + ":\"" + file + ".safetensors\"";
    folder.write("m/model.safetensors.index.json",
                 "{\"metadata\": {}, \"weight_map\": {" + text + "}}");
  }
  std::map<std::string, std::string> map;
};

TEST_F(ShardedTest, OpensShards) {
  Checkpoint model = Checkpoint::open(folder / "m");
  EXPECT_EQ(model.files().size(), 2u);
  EXPECT_EQ(model.find("model.norm.weight")->file, 1u);
}

TEST_F(ShardedTest, AMissingShardIsNamed) {
  std::filesystem::remove(folder.path / "m" / "b.safetensors");
  EXPECT_SAYS(openError(folder / "m"), "m/b.safetensors: cannot be opened");
}

TEST_F(ShardedTest, ATensorMissingFromItsShardIsNamed) {
  map["\"model.norm.weight\""] = "a";
  writeIndex();
  EXPECT_SAYS(openError(folder / "m"),
              "m/a.safetensors: lacks the tensor 'model.norm.weight'");
}

TEST_F(ShardedTest, ATensorInTwoShardsIsRefused) {
  folder.write("m/a.safetensors", safetensorsBytes(sampleModelTensors()));
  EXPECT_SAYS(openError(folder / "m"), "holds, too, remove one");
}

TEST_F(ShardedTest, ShardsLieInTheFolder) {
  for (const char *name : {"../m/a", "/etc/a", ""}) {
    map["\"model.norm.weight\""] = name;
    if (*name) {
      writeIndex();
    } else {
      folder.write("m/model.safetensors.index.json",
                   R"({"weight_map": {"a": 3}})");
    }
    EXPECT_SAYS(openError(folder / "m"), "expected a file name");
  }
  folder.write("m/model.safetensors.index.json", "{}");
  EXPECT_SAYS(openError(folder / "m"), "weight_map is missing");
}

TEST_F(CheckpointTest, ShapesMustBeThoseOfTheConfiguration) {
  EXPECT_SAYS(errorWith(with(sampleTensor(
                  "model.layers.0.self_attn.k_proj.weight", {16, 16}))),
              "m/model.safetensors: tensor "
              "'model.layers.0.self_attn.k_proj.weight' has the shape [16, "
              "16], expected [8, 16]");
  EXPECT_SAYS(errorWith(without("model.layers.1.input_layernorm.weight")),
              "lacks the tensor 'model.layers.1.input_layernorm.weight' of "
              "shape [16]");
}

TEST_F(CheckpointTest, TypesMustBeSupported) {
  EXPECT_SAYS(
      errorWith(with({"model.norm.weight", "F64", {16}, std::string(128, 1)})),
      "'model.norm.weight' is stored as F64, supported are F32, F16, BF16,");
  EXPECT_SAYS(errorWith(with({"model.layers.0.mlp.up_proj.weight",
                              "F8_E4M3",
                              {24, 16},
                              std::string(384, 1)})),
              "is stored as F8_E4M3, supported are F32, F16, BF16, Q8_0");
  EXPECT_SAYS(errorWith(with({"model.layers.0.mlp.up_proj.weight",
                              "I8",
                              {24, 16},
                              std::string(384, 1)})),
              "is stored as I8");
}

TEST_F(CheckpointTest, TensorsThatWouldChangeTheResultsAreRefused) {
  for (const char *name :
       {"model.layers.0.self_attn.q_proj.bias", "lm_head.bias",
        "model.layers.0.mlp.up_proj.weight_scale",
        "model.layers.2.mlp.up_proj.weight",
        "model.layers.0.self_attn.q_norm.weight", "model.extra.weight"})
    EXPECT_SAYS(errorWith(with(sampleTensor(name, {16}))),
                std::string("holds the tensor '") + name + "'");
}

TEST_F(CheckpointTest, HarmlessTensorsAreIgnored) {
  for (const char *name : {"model.layers.0.self_attn.rotary_emb.inv_freq",
                           "model.rotary_emb.inv_freq", "v_head.weight"})
    EXPECT_EQ(errorWith(with(sampleTensor(name, {2}))), "no error");
}

TEST_F(CheckpointTest, ATiedHeadMayBeStoredIfItIsTheEmbedding) {
  auto head = sampleModelTensors().front();
  head.name = "lm_head.weight";
  EXPECT_EQ(errorWith(with(head)), "no error");
  head.data[5] ^= 1;
  EXPECT_SAYS(errorWith(with(head)), "differs from");
}

TEST_F(CheckpointTest, PicklesAndOtherFoldersAreRefusedWithARemedy) {
  folder.write("m/config.json", sampleConfig());
  EXPECT_SAYS(openError(folder / "m"), "m: holds neither model.safetensors nor "
                                       "model.safetensors.index.json");
  folder.write("m/pytorch_model.bin", "x");
  EXPECT_SAYS(openError(folder / "m"),
              "m/pytorch_model.bin: holds the weights as a Python pickle");
  EXPECT_SAYS(openError(folder.path), "holds no config.json");
  EXPECT_SAYS(openError(folder / "none"), "none: cannot be opened");
  EXPECT_SAYS(openError(folder.write("x.txt", "hello")),
              "x.txt: is neither a Hugging Face model directory nor a GGUF");
}

TEST_F(CheckpointTest, OpensGgufUnderHuggingFaceNames) {
  Checkpoint model =
      Checkpoint::open(folder.write("x.gguf", sampleGguf().bytes()));
  ASSERT_TRUE(model.gguf());
  EXPECT_EQ(model.gguf()->getStrings("tokenizer.ggml.tokens")->size(), 3u);
  const StoredTensor *tensor =
      model.find("model.layers.1.self_attn.q_proj.weight");
  ASSERT_TRUE(tensor);
  EXPECT_EQ(tensor->type, StorageType::Q4_0);
  EXPECT_EQ(tensor->shape, (std::vector<int64_t>{32, 32}));
  EXPECT_EQ(tensor->offset,
            model.gguf()->findTensor("blk.1.attn_q.weight")->offset);
  EXPECT_EQ(model.tensors().size(), 20u);
  Checkpoint three =
      Checkpoint::open(folder.write("y.gguf", sampleGguf("qwen3").bytes()));
  EXPECT_TRUE(three.find("model.layers.0.self_attn.k_norm.weight"));
}

TEST_F(CheckpointTest, GgufTensorsAreCheckedLikeTheOthers) {
  EXPECT_SAYS(ggufError(sampleGguf().tensor("blk.0.attn_qkv.weight", {32, 32})),
              "holds the tensor 'blk.0.attn_qkv.weight'");
  EXPECT_SAYS(ggufError(sampleGguf().tensor("blk.0.attn_k.bias", {16})),
              "'model.layers.0.self_attn.k_proj.bias'");
  EXPECT_SAYS(ggufError(sampleGguf().tensor("rope_factors_long.weight", {4})),
              "rope_factors_long");
  EXPECT_EQ(ggufError(sampleGguf().tensor("v.patch.weight", {4})), "no error");
  EXPECT_SAYS(
      ggufError(sampleGguf().tensor("output.weight", {24, 32}, 10, "x")),
      "'lm_head.weight' is stored as Q2_K, supported are F32, F16");
  EXPECT_SAYS(ggufError(sampleGguf().tensor("output.weight", {24, 64})),
              "has the shape [24, 64], expected [24, 32]");
  EXPECT_SAYS(
      ggufError(sampleGgufMetadata().tensor("token_embd.weight", {24, 32}, 8)),
      "lacks the tensor 'model.layers.0.input_layernorm.weight'");
}

TEST_F(CheckpointTest, GgufNormsAreNotQuantised) {
  GgufSample sample = sampleGguf();
  sample.tensor("output.weight", {24, 32}, 1);
  EXPECT_EQ(ggufError(sample), "no error");
  GgufSample bias = sampleGguf();
  for (const char *part : {"q", "k", "v"})
    for (int i = 0; i < 2; ++i)
      bias.tensor("blk." + std::to_string(i) + ".attn_" + part + ".bias",
                  {*part == 'q' ? 32 : 16}, *part == 'q' ? 8 : 0,
                  *part == 'q' ? std::string(34, 0) : "");
  // A row of 16 is no block, one of 32 is.
  EXPECT_SAYS(ggufError(bias), "q_proj.bias' is stored as Q8_0, supported are "
                               "F32, F16, BF16,");
}

TEST_F(CheckpointTest, TheFingerprintTellsModelsApart) {
  auto print = [&](const std::string &name, const SampleFields &changes,
                   const std::string &type) {
    return Checkpoint::open(writeSampleModel(folder, name, changes, type))
        .fingerprint();
  };
  std::string first = print("a", {}, "F32");
  EXPECT_EQ(first.size(), 32u);
  EXPECT_EQ(print("b", {}, "F32"), first);
  EXPECT_NE(print("c", {}, "F16"), first);
  EXPECT_NE(print("d", {{"rope_theta", "20000"}}, "F32"), first);
  EXPECT_NE(print("e", {{"rms_norm_eps", "1e-6"}}, "F32"), first);
  auto tensors = sampleModelTensors();
  tensors[3].data[0] ^= 1;
  folder.write("b/model.safetensors", safetensorsBytes(tensors));
  EXPECT_NE(Checkpoint::open(folder / "b").fingerprint(), first);
}

// Files keep fingerprints, so they may not change by accident.
TEST_F(CheckpointTest, TheFingerprintIsStable) {
  Checkpoint model = Checkpoint::open(writeSampleModel(folder, "m"));
  EXPECT_EQ(model.fingerprint(), "f48131d129112a344c8a3a902ca34b26");
}

TEST_F(ShardedTest, TheFingerprintDoesNotDependOnTheFiles) {
  TemporaryFolder other;
  EXPECT_EQ(Checkpoint::open(folder / "m").fingerprint(),
            Checkpoint::open(writeSampleModel(other, "m")).fingerprint());
}

TEST_F(CheckpointTest, GgufNamesAreTranslatedExactly) {
  EXPECT_EQ(canonicalTensorName("blk.12.ffn_down.weight"),
            "model.layers.12.mlp.down_proj.weight");
  EXPECT_EQ(canonicalTensorName("output.bias"), "lm_head.bias");
  for (const char *name :
       {"blk.1.ffn_down", "blk..ffn_down.weight", "blk.x.ffn_down.weight",
        "blk.01.ffn_down.weight", "blk.1.ffn_downs.weight",
        "blk.99999999999.ffn_down.weight", "blk.1.weight", "blk.", "", ".",
        "token_embd.scale", "blk.1"})
    EXPECT_EQ(canonicalTensorName(name), "") << name;
}

TEST_F(CheckpointTest, ReferenceModelsOpen) {
  std::string shared = sharedFolder();
  if (shared.empty())
    GTEST_SKIP() << "the reference data is not beside the repository";
  for (const auto &entry :
       std::filesystem::directory_iterator(shared + "/data/models")) {
    if (!entry.is_directory())
      continue;
    Checkpoint model = Checkpoint::open(entry.path());
    EXPECT_EQ(model.tensors().size(), modelTensors(model.config()).size());
  }
}

} // namespace
