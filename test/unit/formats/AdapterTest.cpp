// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Adapter.h"
#include "PeftAdapterFixture.h"
#include "runtime/formats/CheckpointBase.h"

#include <algorithm>

using namespace lori;
using namespace lori::test;

namespace {

class AdapterTest : public PeftAdapterFixture {
protected:
  /// Gives A's the entries that `seed` draws, B's many zeros.
  static std::vector<SampleTensor> drawnTensors(ProjectionSeed seed,
                                                const char *typeName) {
    std::vector<SampleTensor> tensors = sampleAdapterTensors(typeName);
    StorageType type = std::string_view(typeName) == "F32" ? StorageType::F32
                       : std::string_view(typeName) == "F16"
                           ? StorageType::F16
                           : StorageType::BF16;
    for (SampleTensor &tensor : tensors) {
      auto entry = static_cast<size_t>(blockBytes(type));
      if (size_t end = tensor.name.find(".lora_A"); end != std::string::npos) {
        size_t start = std::string_view("base_model.model.").size();
        SeededProjection drawn{
            seed.seed, projectionStream(tensor.name.substr(start, end - start)),
            seed.init, tensor.shape[1]};
        auto bytes = drawn.draw(type, tensor.shape[0]);
        tensor.data.assign(reinterpret_cast<const char *>(bytes.data()),
                           bytes.size());
      } else {
        for (size_t i = 0; i * entry < tensor.data.size(); ++i)
          if (i % 7 != 0)
            tensor.data.replace(i * entry, entry, entry, '\0');
      }
    }
    return tensors;
  }

  static void expectSame(const Adapter &left, const Adapter &right) {
    ASSERT_EQ(left.modules().size(), right.modules().size());
    for (size_t i = 0; i < left.modules().size(); ++i) {
      const AdapterModule &a = left.modules()[i], &b = right.modules()[i];
      EXPECT_EQ(a.module.path, b.module.path);
      EXPECT_EQ(a.module.layer, b.module.layer);
      EXPECT_EQ(a.rank, b.rank);
      EXPECT_EQ(a.scaling, b.scaling);
      EXPECT_EQ(a.zeros, b.zeros);
      EXPECT_EQ(a.a.type, b.a.type);
      EXPECT_EQ(a.a.shape, b.a.shape);
      EXPECT_EQ(a.b.type, b.b.type);
      EXPECT_EQ(a.b.shape, b.b.shape);
      EXPECT_TRUE(std::ranges::equal(left.bytes(a.a), right.bytes(b.a)));
      EXPECT_TRUE(std::ranges::equal(left.bytes(a.b), right.bytes(b.b)));
    }
  }

  std::string pack = folder / "pack.safetensors";
};

TEST_F(AdapterTest, APackIsWhatItWasPackedFrom) {
  for (const char *type : {"F32", "F16", "BF16"})
    for (ProjectionInit init :
         {ProjectionInit::KaimingUniform, ProjectionInit::Normal}) {
      ProjectionSeed seed{42, init};
      PeftAdapter directory = openWith(drawnTensors(seed, type));
      Adapter expected = Adapter::open(folder / "adapter", base);
      packAdapter(directory, base.fingerprint(), pack);
      auto stored = std::filesystem::file_size(pack);
      expectSame(Adapter::open(pack, base), expected);
      expectSame(Adapter::open(pack, CheckpointBase(base)), expected);
      packAdapter(directory, base.fingerprint(), pack, seed);
      EXPECT_LT(std::filesystem::file_size(pack), stored);
      EXPECT_EQ(AdapterPack(pack).seed()->init, init);
      expectSame(Adapter::open(pack, base), expected);
    }
}

TEST_F(AdapterTest, AnUnpackedSeedIsWhatWasPacked) {
  ProjectionSeed seed{~uint64_t(0), ProjectionInit::Normal};
  packAdapter(openWith(drawnTensors(seed, "BF16")), "", pack, seed);
  unpackAdapter(AdapterPack(pack), folder / "back");
  expectSame(Adapter::open(folder / "back", base),
             Adapter::open(folder / "adapter", base));
}

TEST_F(AdapterTest, OnlyAsThatTheSeedDrawsAreLeftOut) {
  ProjectionSeed seed{42};
  PeftAdapter adapter = openWith(drawnTensors(seed, "F32"));
  for (ProjectionSeed other :
       {ProjectionSeed{43}, ProjectionSeed{42, ProjectionInit::Normal}})
    EXPECT_SAYS(errorOf([&] { packAdapter(adapter, "", pack, other); }),
                "is not what the seed");
  EXPECT_FALSE(std::filesystem::exists(pack));
}

TEST_F(AdapterTest, ChecksThePackAgainstItsBase) {
  packAdapter(openWith(sampleAdapterTensors()), std::string(32, '0'), pack);
  EXPECT_SAYS(errorOf([&] { Adapter::open(pack, base); }),
              "was packed for a base with the fingerprint 000");
  // A running program does not know its base's fingerprint.
  EXPECT_EQ(errorOf([&] { Adapter::open(pack, CheckpointBase(base)); }),
            "no error");
}

TEST_F(AdapterTest, SeedsThatArePartsOfNoneAreRefused) {
  ProjectionSeed seed{42};
  packAdapter(openWith(drawnTensors(seed, "F32")), "", pack, seed);
  std::string bytes = readWhole(pack);
  // The header's length does not change.
  for (const char *text : {"4x", "-1", " 4"}) {
    std::string hostile = bytes;
    size_t at = hostile.find("\\\"seed\\\":\\\"42\\\"");
    ASSERT_NE(at, std::string::npos);
    hostile.replace(at + 11, 2, text);
    folder.write("hostile.safetensors", hostile);
    EXPECT_SAYS(errorOf([&] { AdapterPack(folder / "hostile.safetensors"); }),
                "expected a seed of 64 bits as text");
  }
}

TEST_F(AdapterTest, AnotherSeedFailsTheChecksum) {
  ProjectionSeed seed{42};
  packAdapter(openWith(drawnTensors(seed, "F32")), "", pack, seed);
  std::string bytes = readWhole(pack);
  size_t at = bytes.find("\\\"seed\\\":\\\"42\\\"");
  ASSERT_NE(at, std::string::npos);
  bytes.replace(at + 11, 2, "24");
  folder.write("other.safetensors", bytes);
  EXPECT_SAYS(
      errorOf([&] { AdapterPack(folder / "other.safetensors").checkSums(); }),
      "its checksum differs");
}

} // namespace
