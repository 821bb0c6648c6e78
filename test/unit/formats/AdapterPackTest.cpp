// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/AdapterPack.h"
#include "PeftAdapterFixture.h"
#include "runtime/formats/DetachedBase.h"
#include "runtime/formats/JsonWriter.h"
#include "runtime/formats/MaskedRows.h"

#include <random>

using namespace lori;
using namespace lori::test;

namespace {

/// Zeroes all but every `keep`-th entry of the B's.
std::vector<SampleTensor> sparse(std::vector<SampleTensor> tensors,
                                 size_t keep) {
  for (SampleTensor &tensor : tensors)
    if (contains(tensor.name, "lora_B")) {
      size_t size = tensor.type == "F32" ? 4 : 2;
      for (size_t i = 0; i * size < tensor.data.size(); ++i)
        if (i % keep != 0)
          tensor.data.replace(i * size, size, size, '\0');
    }
  return tensors;
}

class AdapterPackTest : public PeftAdapterFixture {
protected:
  std::string packOf(const std::vector<SampleTensor> &tensors,
                     const std::string &fingerprint = "") {
    packAdapter(openWith(tensors), fingerprint, packPath);
    return packPath;
  }

  /// Packs and unpacks, and compares with what was packed.
  void expectSameAfterUnpacking(const std::vector<SampleTensor> &tensors) {
    std::filesystem::remove_all(folder / "back");
    unpackAdapter(AdapterPack(packOf(tensors)), folder / "back");
    EXPECT_EQ(readWhole(folder / "back/adapter_config.json"),
              readWhole(folder / "adapter/adapter_config.json"));
    SafetensorsFile before(folder / "adapter/adapter_model.safetensors");
    SafetensorsFile after(folder / "back/adapter_model.safetensors");
    EXPECT_EQ(before.header().metadata, after.header().metadata);
    ASSERT_EQ(before.tensors().size(), after.tensors().size());
    for (const StoredTensor &tensor : before.tensors()) {
      const StoredTensor &same = after.get(tensor.name);
      EXPECT_EQ(same.type, tensor.type);
      EXPECT_EQ(same.shape, tensor.shape);
      EXPECT_TRUE(std::ranges::equal(before.bytes(tensor), after.bytes(same)))
          << tensor.name;
    }
  }

  std::string readError(const std::string &bytes) {
    folder.write("hostile.safetensors", bytes);
    return errorOf([&] {
      AdapterPack pack(folder / "hostile.safetensors");
      for (const PackedModule &module : pack.modules())
        pack.expandB(module);
      pack.originalMetadata();
      pack.checkSums();
    });
  }

  std::string packPath = folder / "pack.safetensors";
};

TEST_F(AdapterPackTest, UnpackingGivesTheSameTensors) {
  for (const char *type : {"F32", "F16", "BF16"})
    for (size_t keep : {1, 3, 10, 1000000})
      expectSameAfterUnpacking(sparse(sampleAdapterTensors(type), keep));
}

TEST_F(AdapterPackTest, MinusZeroIsKept) {
  auto tensors = sparse(sampleAdapterTensors(), 10);
  for (SampleTensor &tensor : tensors)
    if (contains(tensor.name, "lora_B"))
      tensor.data.replace(4, 4, std::string("\0\0\0\x80", 4));
  expectSameAfterUnpacking(tensors);
}

TEST_F(AdapterPackTest, SparseBIsStoredAsMaskAndValues) {
  AdapterPack pack(packOf(sparse(sampleAdapterTensors(), 10)));
  const PackedModule &q = pack.modules().front();
  EXPECT_EQ(q.module.path, "model.layers.0.self_attn.q_proj");
  EXPECT_EQ(q.rank, 2);
  EXPECT_EQ(q.scaling, 2.0);
  ASSERT_TRUE(q.mask && q.values && !q.dense);
  EXPECT_EQ(q.mask->shape, (std::vector<int64_t>{16, 1}));
  EXPECT_EQ(q.values->shape, (std::vector<int64_t>{4})); // 0, 10, 20, 30
  EXPECT_EQ(q.zeros, 28);
  EXPECT_EQ(pack.modules()[1].module.path, "model.layers.0.self_attn.v_proj");
}

TEST_F(AdapterPackTest, DenseBIsStoredAsItWas) {
  AdapterPack pack(packOf(sampleAdapterTensors()));
  for (const PackedModule &module : pack.modules())
    EXPECT_TRUE(module.dense && !module.mask && !module.values);
}

TEST_F(AdapterPackTest, KnowsItsBase) {
  AdapterPack pack(packOf(sampleAdapterTensors(), base.fingerprint()));
  EXPECT_EQ(pack.baseFingerprint(), base.fingerprint());
  pack.checkAgainst(base);
  packAdapter(openWith(sampleAdapterTensors()), std::string(32, '0'), packPath);
  EXPECT_SAYS(errorOf([&] { AdapterPack(packPath).checkAgainst(base); }),
              "was packed for a base with the fingerprint 000");
}

TEST_F(AdapterPackTest, RefusesAnotherBase) {
  auto missing = sampleAdapterTensors();
  missing.resize(6); // both layers' q and one v
  packAdapter(
      PeftAdapter::open(
          writeSampleAdapter(folder, "part", {}, missing),
          DetachedBase(
              SafetensorsFile(writeSampleAdapter(folder, "part", {}, missing) +
                              "/adapter_model.safetensors"),
              "base")),
      "", packPath);
  EXPECT_SAYS(errorOf([&] { AdapterPack(packPath).checkAgainst(base); }),
              "lacks the module 'model.layers.1.self_attn.v_proj'");
}

TEST_F(AdapterPackTest, FindsChangedBytes) {
  std::string bytes = readWhole(packOf(sparse(sampleAdapterTensors(), 10)));
  // The last byte belongs to a mask, whose bits must fit the values; those
  // before it to values of A and B.
  for (size_t back : {40u, 100u, 400u}) {
    std::string changed = bytes;
    changed[changed.size() - back] ^= 1;
    EXPECT_SAYS(readError(changed), "the pack is damaged") << back;
  }
  EXPECT_EQ(readError(bytes), "no error");
}

TEST_F(AdapterPackTest, RefusesWhatItDoesNotKnow) {
  EXPECT_SAYS(readError(safetensorsBytes(sampleAdapterTensors())),
              "no adapter pack");
  EXPECT_SAYS(
      readError(safetensorsBytes(std::vector<SampleTensor>(),
                                 R"("__metadata__":{"lori.pack":"2"})")),
      "of version 2");
  EXPECT_SAYS(
      readError(safetensorsBytes(std::vector<SampleTensor>(),
                                 R"("__metadata__":{"lori.pack":"1"})")),
      "lacks the metadata 'lori.config'");
}

/// Metadata and tensors of a pack of one module, to be changed.
struct HostilePack {
  std::string modules = R"([["model.layers.0.self_attn.q_proj",2,2.0,"x"]])";
  SampleTensor a = sampleTensor(std::string(q0) + ".lora_A.weight", {2, 16});
  SampleTensor mask = {std::string(q0) + ".lora_B.mask",
                       "U8",
                       {4, 1},
                       std::string("\x01\x02\x00\x03", 4)};
  SampleTensor values = sampleTensor(std::string(q0) + ".lora_B.values", {4});

  std::string bytes() const {
    std::string metadata =
        "\"__metadata__\":{\"lori.pack\":\"1\",\"lori.data\":\"\","
        "\"lori.config\":" +
        jsonQuoted(sampleAdapterConfig()) +
        ",\"lori.modules\":" + jsonQuoted(modules) + "}";
    return safetensorsBytes({a, mask, values}, metadata);
  }
};

TEST_F(AdapterPackTest, RefusesContradictions) {
  HostilePack good;
  EXPECT_SAYS(readError(good.bytes()), "its checksum differs");

  HostilePack pack;
  pack.mask.data[2] = 1; // a bit more than values
  EXPECT_SAYS(readError(pack.bytes()), "a value for each bit");
  pack = {};
  pack.mask.data[0] = 5; // column 2 of rank 2
  EXPECT_SAYS(readError(pack.bytes()), "beyond the rank");
  pack = {};
  pack.mask.shape = {2, 2};
  EXPECT_SAYS(readError(pack.bytes()), "expected U8 [out, 1]");
  pack = {};
  pack.values = sampleTensor(pack.values.name, {2, 2});
  EXPECT_SAYS(readError(pack.bytes()), "a value for each bit");
  pack = {};
  pack.values.type = "I32";
  EXPECT_SAYS(readError(pack.bytes()), "expected F32, F16 or BF16");
  pack = {};
  pack.values.data.replace(0, 4, std::string("\0\0\xC0\x7F", 4));
  EXPECT_SAYS(readError(pack.bytes()), "NaN or infinite");
  pack = {};
  pack.a = sampleTensor(pack.a.name, {3, 16});
  EXPECT_SAYS(readError(pack.bytes()), "expected [2, in]");
  pack = {};
  pack.values.name += "x";
  EXPECT_SAYS(readError(pack.bytes()), "its mask and values");
  for (const char *modules :
       {"{}", "[]", "[1]", R"([["model.layers.0.self_attn.q_proj",2,2.0]])",
        R"([["model.layers.0.self_attn.q_proj",4000000000000,2.0,"x"]])",
        R"([["model.layers.0.self_attn.q_proj",2,3.0,"x"]])",
        R"([["none",2,2.0,"x"]])"}) {
    pack = {};
    pack.modules = modules;
    EXPECT_SAYS(readError(pack.bytes()), "the pack is damaged") << modules;
  }
}

TEST_F(AdapterPackTest, DamagedBytesAreReadOrRefused) {
  std::string bytes = readWhole(packOf(sparse(sampleAdapterTensors(), 4)));
  std::mt19937 random(7);
  int refused = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string changed = bytes;
    for (unsigned n = random() % 4; n-- > 0;)
      changed[random() % changed.size()] = static_cast<char>(random());
    if (random() % 8 == 0)
      changed.resize(random() % changed.size());
    std::string message = readError(changed);
    refused += message != "no error";
    if (changed != bytes && message != "no error")
      EXPECT_TRUE(contains(message, "hostile.safetensors: ")) << message;
    EXPECT_EQ(message.find('\n'), message.npos);
  }
  EXPECT_GT(refused, 1000);
}

// ---- Rows of bits

TEST(MaskedRowsTest, WordsOfARow) {
  EXPECT_EQ(maskRowBytes(1), 1);
  EXPECT_EQ(maskRowBytes(8), 1);
  EXPECT_EQ(maskRowBytes(9), 2);
  EXPECT_EQ(maskRowBytes(17), 4);
  EXPECT_EQ(maskRowBytes(33), 8);
  EXPECT_EQ(maskRowBytes(64), 8);
  EXPECT_EQ(maskRowBytes(65), 16);
}

TEST(MaskedRowsTest, TheExampleOfTheHeader) {
  const uint8_t matrix[] = {5, 0, 0, 7, 0, 0, 0, 0, 0, 9, 0, 0};
  MaskedRows rows = packRows(std::as_bytes(std::span(matrix)), 4, 1);
  EXPECT_EQ(rows.mask, (std::vector{std::byte(9), std::byte(0), std::byte(2)}));
  EXPECT_EQ(rows.values,
            (std::vector{std::byte(5), std::byte(7), std::byte(9)}));
}

TEST(MaskedRowsTest, ExpandingGivesTheMatrixBack) {
  std::mt19937 random(3);
  for (int64_t columns : {1, 2, 7, 8, 9, 31, 32, 33, 63, 64, 65, 130})
    for (size_t size : {1u, 2u, 4u}) {
      std::vector<std::byte> matrix(13 * static_cast<size_t>(columns) * size);
      for (std::byte &byte : matrix)
        byte = random() % 4 == 0 ? std::byte(random()) : std::byte(0);
      MaskedRows rows = packRows(matrix, columns, size);
      EXPECT_EQ(countMaskedEntries(rows.mask, columns),
                static_cast<int64_t>(rows.values.size() / size));
      std::vector<std::byte> back(matrix.size());
      expandRows(rows.mask, rows.values, columns, size, back);
      EXPECT_EQ(back, matrix) << columns << " columns of " << size;
    }
}

TEST(MaskedRowsTest, FindsBitsBeyondTheLastColumn) {
  for (int64_t columns : {1, 2, 7, 8, 9, 16, 31, 32, 33, 64, 65, 128, 130}) {
    int64_t rowBytes = maskRowBytes(columns);
    for (int64_t bit = 0; bit < 5 * rowBytes * 8; ++bit) {
      std::vector<std::byte> mask(static_cast<size_t>(5 * rowBytes));
      mask[static_cast<size_t>(bit / 8)] = std::byte(1 << bit % 8);
      bool isColumn = bit % (rowBytes * 8) < columns;
      EXPECT_EQ(countMaskedEntries(mask, columns).has_value(), isColumn)
          << columns << " " << bit;
    }
  }
}

// ---- Modules without a base

TEST(DetachedBaseTest, ModelOrder) {
  std::vector<std::string> sorted = {"model.embed_tokens",
                                     "model.layers.2.self_attn.q_proj",
                                     "model.layers.2.self_attn.k_proj",
                                     "model.layers.2.mlp.gate_proj",
                                     "model.layers.2.mlp.down_proj",
                                     "model.layers.10.self_attn.v_proj",
                                     "lm_head"};
  for (size_t i = 0; i < sorted.size(); ++i)
    for (size_t j = 0; j < sorted.size(); ++j)
      EXPECT_EQ(
          comesBefore(moduleFromPath(sorted[i]), moduleFromPath(sorted[j])),
          i < j)
          << sorted[i] << " " << sorted[j];
}

// ---- JSON texts

TEST(JsonWriterTest, ReadsBackAsTheSame) {
  std::string text = R"({"a":[1,-2,1.0,0.1,1e+30,true,null],"b":{},"c":"é\n"})";
  EXPECT_EQ(jsonText(parseJson(text, "text")), text);
  std::string pretty = jsonText(parseJson(text, "text"), 2);
  EXPECT_TRUE(contains(pretty, "\n  \"a\": [\n    1,"));
  EXPECT_EQ(jsonText(parseJson(pretty, "text")), text);
}

TEST(JsonWriterTest, SetsMembersInTheirPlace) {
  JsonValue::Object object = {{"a", JsonValue(true)}, {"b", JsonValue(true)}};
  setMember(object, "a", JsonValue(int64_t(3)));
  setMember(object, "c", JsonValue());
  EXPECT_EQ(jsonText(JsonValue(object)), R"({"a":3,"b":true,"c":null})");
}

} // namespace
