// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PeftAdapterFixture.h"

#include <limits>

using namespace lori;
using namespace lori::test;

namespace {

using PeftAdapterTest = PeftAdapterFixture;

std::vector<SampleTensor> without(const std::string &part) {
  auto tensors = sampleAdapterTensors();
  std::erase_if(tensors, [&](auto &each) { return contains(each.name, part); });
  return tensors;
}

/// The adapter with one tensor replaced.
std::vector<SampleTensor> replaced(const SampleTensor &tensor) {
  auto tensors = sampleAdapterTensors();
  for (SampleTensor &each : tensors)
    if (each.name == tensor.name)
      each = tensor;
  return tensors;
}

TEST_F(PeftAdapterTest, ResolvesModulesInModelOrder) {
  for (std::string type : {"F32", "F16", "BF16"}) {
    PeftAdapter adapter = openWith(sampleAdapterTensors(type));
    ASSERT_EQ(adapter.modules().size(), 4u);
    const AdapterModule &v0 = adapter.modules()[1];
    EXPECT_EQ(v0.module.path, "model.layers.0.self_attn.v_proj");
    EXPECT_EQ(v0.module.kind, AdaptableModule::Kind::Linear);
    EXPECT_EQ(v0.module.layer, 0);
    EXPECT_EQ(v0.a.shape, (std::vector<int64_t>{2, 16}));
    EXPECT_EQ(v0.b.shape, (std::vector<int64_t>{8, 2}));
    EXPECT_EQ(storageTypeName(v0.b.type), type);
    EXPECT_EQ(v0.rank, 2);
    EXPECT_EQ(v0.scaling, 2.0);
    EXPECT_EQ(v0.zeros, 0);
    auto bytes = adapter.bytes(v0.b);
    EXPECT_EQ(
        std::string(reinterpret_cast<const char *>(bytes.data()), bytes.size()),
        sampleValues(type, 16, 2));
    EXPECT_TRUE(adapter.notes().empty());
  }
}

TEST_F(PeftAdapterTest, RanksMayDifferByPattern) {
  std::vector<SampleTensor> tensors;
  for (int i = 0; i < 2; ++i) {
    std::string layer = "model.layers." + std::to_string(i) + ".self_attn.";
    tensors = with(tensors, sampleHalves(layer + "q_proj", 16, 16, 5));
    tensors = with(tensors, sampleHalves(layer + "v_proj", 16, 8, 2));
  }
  PeftAdapter adapter =
      openWith(tensors, {{"rank_pattern", R"({"q_proj": 5})"}});
  EXPECT_EQ(adapter.modules()[0].rank, 5);
  EXPECT_EQ(adapter.modules()[0].scaling, 4.0 / 5);
  EXPECT_EQ(adapter.modules()[1].rank, 2);
}

TEST_F(PeftAdapterTest, CountsExactZerosOfEitherSign) {
  auto tensors = sampleAdapterTensors();
  const float zeros[] = {0.0f, -0.0f, 0.0f};
  std::memcpy(tensors[1].data.data(), zeros, sizeof(zeros));
  PeftAdapter adapter = openWith(tensors);
  EXPECT_EQ(adapter.modules()[0].zeros, 3);
  EXPECT_EQ(adapter.modules()[0].zeroFraction(), 3.0 / 32);
  EXPECT_EQ(adapter.zeroFraction(), 3.0 / 96);
  for (SampleTensor &tensor : tensors)
    if (contains(tensor.name, "lora_B"))
      tensor.data.assign(tensor.data.size(), 0);
  EXPECT_EQ(openWith(tensors).zeroFraction(), 1.0);
}

TEST_F(PeftAdapterTest, UnalignedDataIsRead) {
  auto tensors = sampleAdapterTensors();
  for (std::string pad : {"", " ", "  ", "   "}) {
    std::string bytes = safetensorsBytes(tensors);
    uint64_t length;
    std::memcpy(&length, bytes.data(), 8);
    std::string header = bytes.substr(8, length) + pad;
    std::string path = writeSampleAdapter(folder, "adapter", {}, tensors);
    folder.write("adapter/adapter_model.safetensors",
                 safetensorsBytes(header, bytes.substr(8 + length)));
    EXPECT_EQ(openError(path), "no error");
  }
}

TEST_F(PeftAdapterTest, ShapesMustFitTheBase) {
  std::string name = std::string(q0) + ".lora_A.weight";
  EXPECT_EQ(errorWith(replaced(sampleTensor(name, {2, 15}))),
            folder / "adapter/adapter_model.safetensors" + ": tensor '" + name +
                "' has the shape [2, 15], expected [2, 16] by the base, use "
                "the base that the adapter was made for (someone/base)");
  EXPECT_SAYS(errorWith(replaced(
                  sampleTensor(std::string(q0) + ".lora_B.weight", {15, 2}))),
              "has the shape [15, 2], expected [16, 2]");
  EXPECT_SAYS(errorWith(replaced(sampleTensor(name, {32}))),
              "has the shape [32]");
}

TEST_F(PeftAdapterTest, RanksMustBeThoseOfTheConfiguration) {
  EXPECT_SAYS(errorWith(sampleAdapterTensors(), {{"r", "4"}}),
              "lora_A.weight' has rank 2, expected 4 by adapter_config.json, "
              "correct its r or rank_pattern");
  std::string name = std::string(q0) + ".lora_B.weight";
  EXPECT_SAYS(errorWith(replaced(sampleTensor(name, {16, 3}))),
              "lora_B.weight' has rank 3, expected 2");
}

TEST_F(PeftAdapterTest, BothHalvesMustBeThere) {
  EXPECT_SAYS(errorWith(without("0.self_attn.q_proj.lora_B")),
              "lacks the tensor '" + std::string(q0) +
                  ".lora_B.weight', the other half of");
  EXPECT_SAYS(errorWith(without("0.self_attn.q_proj.lora_A")),
              "lacks the tensor '" + std::string(q0) + ".lora_A.weight'");
}

TEST_F(PeftAdapterTest, TargetedModulesMustHaveTensors) {
  EXPECT_SAYS(errorWith(without("1.self_attn.v_proj")),
              "lacks the tensors of the module "
              "'model.layers.1.self_attn.v_proj', which adapter_config.json "
              "targets");
  EXPECT_SAYS(errorWith({}), "lacks the tensors of the module");
}

TEST_F(PeftAdapterTest, TensorsMustBelongToTargetedModulesOfTheBase) {
  EXPECT_SAYS(
      errorWith(sampleAdapterTensors(), {{"target_modules", R"(["q_proj"])"}}),
      "is for the module 'model.layers.0.self_attn.v_proj', which "
      "target_modules of adapter_config.json leaves out");
  EXPECT_SAYS(errorWith(with(
                  sampleAdapterTensors(),
                  sampleHalves("model.layers.2.self_attn.q_proj", 16, 16, 2))),
              "is for the module 'model.layers.2.self_attn.q_proj', which the "
              "base lacks");
  EXPECT_SAYS(
      errorWith(sampleHalves("model.layers.0.self_attn.qkv_proj", 16, 32, 2),
                {{"target_modules", R"(["qkv_proj"])"}}),
      "'model.layers.0.self_attn.qkv_proj', which the base lacks");
  EXPECT_SAYS(errorWith({}, {{"target_modules", R"(["qkv_proj"])"}}),
              "target_modules matches no module of the base");
}

TEST_F(PeftAdapterTest, UnmatchedTargetsAreAWarning) {
  PeftAdapter adapter =
      openWith(sampleAdapterTensors(),
               {{"target_modules", R"(["q_proj", "v_proj", "query"])"}});
  EXPECT_SAYS(adapter.warnings().at(0), "target_modules lists 'query', which "
                                        "the base lacks");
}

TEST_F(PeftAdapterTest, NamesMustBePefts) {
  auto tensors = sampleAdapterTensors();
  tensors[0].name = "model.layers.0.self_attn.q_proj.lora_A.weight";
  EXPECT_SAYS(errorWith(tensors), "lacks the prefix base_model.model.");
  tensors[0].name = std::string(q0) + ".lora_A.default.weight";
  EXPECT_SAYS(errorWith(tensors), "a name that plain LoRA does not use");
  tensors[0].name = std::string(q0) + ".lora_embedding_A";
  EXPECT_SAYS(errorWith(tensors), "does not fit the kind of the module");
}

TEST_F(PeftAdapterTest, TensorsOfOtherMethodsAreRefused) {
  auto extra = [&](const std::string &name) {
    return errorWith(with(sampleAdapterTensors(),
                          {sampleTensor(std::string(q0) + name, {16})}));
  };
  EXPECT_SAYS(extra(".lora_magnitude_vector"), "belongs to DoRA");
  EXPECT_SAYS(extra(".lora_magnitude_vector.weight"), "belongs to DoRA");
  EXPECT_SAYS(extra(".lora_B.bias"), "is a bias of the adapter");
  EXPECT_SAYS(extra(".lora_diag"), "a name that plain LoRA does not use");
}

TEST_F(PeftAdapterTest, NanAndInfinityAreRefused) {
  for (float bad : {std::numeric_limits<float>::quiet_NaN(),
                    -std::numeric_limits<float>::infinity()})
    for (size_t which : {0u, 1u}) {
      auto tensors = sampleAdapterTensors();
      std::memcpy(tensors[which].data.data() + 20, &bad, 4);
      EXPECT_SAYS(errorWith(tensors),
                  "tensor '" + tensors[which].name +
                      "' holds 1 entries that are NaN or infinite");
    }
  for (const char *type : {"F16", "BF16"}) {
    auto tensors = sampleAdapterTensors(type);
    tensors.back().data.back() = '\x7f'; // exponent all ones, with the next
    tensors.back().data[tensors.back().data.size() - 2] = '\xff';
    EXPECT_SAYS(errorWith(tensors), "NaN or infinite");
  }
}

TEST_F(PeftAdapterTest, TypesMustBeFloats) {
  std::string name = std::string(q0) + ".lora_B.weight";
  for (const char *type : {"I32", "U32"})
    EXPECT_SAYS(errorWith(replaced({name, type, {16, 2}, std::string(128, 1)})),
                type);
  EXPECT_SAYS(
      errorWith(replaced({name, "F8_E4M3", {16, 2}, std::string(32, 1)})),
      "has the unsupported type F8_E4M3");
}

TEST_F(PeftAdapterTest, AnotherBaseByNameIsAWarning) {
  auto warnings = [&](const std::string &name) {
    return openWith(sampleAdapterTensors(), {{"base_model_name_or_path", name}})
        .warnings();
  };
  EXPECT_TRUE(warnings(R"("someone/Base")").empty());
  EXPECT_TRUE(warnings(R"("../base/")").empty());
  EXPECT_TRUE(warnings("null").empty());
  EXPECT_TRUE(warnings(R"("")").empty());
  ASSERT_EQ(warnings(R"("meta-llama/Llama-3")").size(), 1u);
  EXPECT_SAYS(warnings(R"("meta-llama/Llama-3")")[0],
              "the adapter was made for meta-llama/Llama-3, not by name for");
}

TEST_F(PeftAdapterTest, ScalingsBeyondF32AreRefused) {
  EXPECT_SAYS(errorWith(sampleAdapterTensors(), {{"lora_alpha", "1e300"}}),
              "beyond the range of F32");
}

TEST_F(PeftAdapterTest, MissingFilesAreNamed) {
  EXPECT_SAYS(openError(folder / "none"), "none: cannot be opened");
  folder.write("empty/readme", "");
  EXPECT_SAYS(openError(folder / "empty"),
              "empty: holds no adapter_config.json");
  folder.write("empty/adapter_config.json", sampleAdapterConfig());
  EXPECT_SAYS(openError(folder / "empty"),
              "adapter_model.safetensors: cannot be opened");
  folder.write("empty/adapter_model.bin", "x");
  EXPECT_SAYS(openError(folder / "empty"),
              "empty/adapter_model.bin: holds the adapter as a Python pickle");
  EXPECT_SAYS(openError(folder.write("file", "x")),
              "file: is a file, expected");
  EXPECT_SAYS(
      openError(folder.write(
          "a.gguf", GgufSample().text("general.type", "adapter").bytes())),
      "is a GGUF adapter, expected a PEFT directory");
  EXPECT_SAYS(openError(folder.write("m.gguf", GgufSample().bytes())),
              "is a GGUF model, expected an adapter");
}

TEST_F(PeftAdapterTest, ANamedAdapterInASubFolderIsUsed) {
  writeSampleAdapter(folder, "outer/mine", {}, sampleAdapterTensors());
  folder.write("outer/README.md", "x");
  folder.write("outer/runs/log", "x");
  PeftAdapter adapter = PeftAdapter::open(folder / "outer", base);
  EXPECT_EQ(adapter.path(), folder / "outer/mine");
  EXPECT_EQ(adapter.notes().at(0),
            folder / "outer" + ": the adapter in its sub-folder mine is used");
  writeSampleAdapter(folder, "outer/yours", {}, sampleAdapterTensors());
  EXPECT_SAYS(openError(folder / "outer"),
              "holds several adapters (mine, yours), expected one");
  writeSampleAdapter(folder, "outer", {}, sampleAdapterTensors());
  EXPECT_EQ(PeftAdapter::open(folder / "outer", base).path(), folder / "outer");
}

} // namespace
