// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/TorchFile.h"
#include "SampleFiles.h"
#include "runtime/formats/Safetensors.h"
#include "runtime/formats/ZipArchive.h"

#include <gtest/gtest.h>
#include <random>

using namespace lori;
using namespace lori::test;
using namespace std::string_literals;

namespace {

std::vector<SafetensorsWriter::Tensor> layout() {
  return {{"a.weight", StorageType::Bool, {2, 3}},
          {"b", StorageType::F32, {2}},
          {"none", StorageType::BF16, {0, 4}},
          {"long", StorageType::U8, {5, 1, 3, 300}}};
}

class TorchFileTest : public testing::Test {
protected:
  std::string write() {
    for (const auto &tensor : layout())
      data.emplace_back(*storageBytes(tensor.type, *entryCount(tensor.shape)),
                        std::byte(1));
    writeTorchFile(folder / "masks.pt", layout(), {data.begin(), data.end()});
    return folder / "masks.pt";
  }

  std::string readError(const std::string &bytes) {
    folder.write("hostile.pt", bytes);
    return errorOf([&] {
      TorchFile file(folder / "hostile.pt");
      for (const StoredTensor &tensor : file.tensors())
        file.bytes(tensor);
    });
  }

  std::string pickleError(const std::string &pickle) {
    return errorOf([&] { readTensorPickle(asBytes(pickle), "hostile"); });
  }

  TemporaryFolder folder;
  std::vector<std::vector<std::byte>> data;
};

TEST_F(TorchFileTest, ReadsWhatItWrites) {
  TorchFile file(write());
  ASSERT_EQ(file.tensors().size(), 4u);
  for (size_t i = 0; i < 4; ++i) {
    const StoredTensor &tensor = file.tensors()[i];
    EXPECT_EQ(tensor.name, layout()[i].name);
    EXPECT_EQ(tensor.type, layout()[i].type);
    EXPECT_EQ(tensor.shape, layout()[i].shape);
    EXPECT_TRUE(std::ranges::equal(file.bytes(tensor), data[i]));
    EXPECT_EQ(tensor.bytes == 0 ? 0 : tensor.offset % 64, 0u);
  }
}

TEST_F(TorchFileTest, ManyTensors) {
  std::vector<SafetensorsWriter::Tensor> many;
  many.reserve(2001);
  for (int i = 0; i < 2001; ++i)
    many.push_back({"t" + std::to_string(i), StorageType::Bool, {1, 70000}});
  auto read = readTensorPickle(asBytes(writeTensorPickle(many)), "pickle");
  ASSERT_EQ(read.size(), many.size());
  EXPECT_EQ(read[2000].name, "t2000");
  EXPECT_EQ(read[2000].storage, "2000");
  EXPECT_EQ(read[2000].shape, (std::vector<int64_t>{1, 70000}));
}

TEST_F(TorchFileTest, RefusesCode) {
  // os.system("true"), as pickle would run it
  EXPECT_SAYS(pickleError("\x80\x02"
                          "cos\nsystem\nX\x04\0\0\0true\x85R."s),
              "refers to os.system");
  EXPECT_SAYS(pickleError("\x80\x02}i"s), "holds the instruction 105");
  EXPECT_SAYS(pickleError("\x80\x02"
                          "ccollections\nOrderedDict\nK\x01\x85R."s),
              "calls collections.OrderedDict");
}

TEST_F(TorchFileTest, RefusesMalformedPickles) {
  EXPECT_SAYS(pickleError(""), "ends at byte 0");
  EXPECT_SAYS(pickleError("\x80\x09."s), "unknown protocol");
  EXPECT_SAYS(pickleError("."), "other than a dictionary");
  EXPECT_SAYS(pickleError("K\x01."s), "other than a dictionary");
  EXPECT_SAYS(pickleError("t."), "lacks a mark");
  EXPECT_SAYS(pickleError("q\x01."s), "has not made");
  EXPECT_SAYS(pickleError("h\x05."s), "has not stored");
  EXPECT_SAYS(pickleError("}q\x01h\x01."s), "nests its dictionary");
  EXPECT_SAYS(pickleError("}}."), "several dictionaries");
  EXPECT_SAYS(pickleError("}(K\x01u."s), "a key without a value");
  EXPECT_SAYS(pickleError("}K\x01K\x02s."s), "other things than tensors");
  EXPECT_SAYS(pickleError("X\xff\xff\xff\xff."s), "ends at byte");
}

TEST_F(TorchFileTest, RefusesWrongExtents) {
  std::string bytes = readWhole(write());
  // The shape's 3 in the first tensor: K 2, K 3, TUPLE2.
  size_t shape = bytes.find("K\x02K\x03\x86"s);
  ASSERT_NE(shape, bytes.npos);
  std::string changed = bytes;
  changed[shape + 3] = 4;
  EXPECT_SAYS(readError(changed), "other bytes than its checksum says");

  // With a right checksum: 2 x 4 entries of a storage of 6, strides of 3.
  auto rewritten = [&](const std::string &from, const std::string &to) {
    std::string pickle = writeTensorPickle({layout()[0]});
    size_t at = pickle.find(from);
    EXPECT_NE(at, pickle.npos);
    pickle.replace(at, from.size(), to);
    NewFile file(folder / "rewritten.pt");
    ZipWriter zip(file);
    zip.add("r/data.pkl", asBytes(pickle));
    zip.add("r/data/0", asBytes("123456"));
    zip.finish();
    file.commit();
    return errorOf([&] { TorchFile(folder / "rewritten.pt"); });
  };
  EXPECT_EQ(rewritten("K\x06", "K\x06"), "no error");
  EXPECT_SAYS(rewritten("K\x06", "K\x07"), "lies outside of its storage");
  EXPECT_SAYS(rewritten("K\x02K\x03\x86", "K\x03K\x03\x86"),
              "lies outside of its storage");
  EXPECT_SAYS(rewritten("K\x02K\x03\x86", "K\x02K\x02\x86"),
              "is not stored row by row");
  EXPECT_SAYS(rewritten("QK\0"s, "QK\1"), "lies outside of its storage");
  EXPECT_SAYS(rewritten("X\1\0\0\0000"s, "X\1\0\0\0001"s), "lacks its data");
}

TEST_F(TorchFileTest, RefusesOtherArchives) {
  EXPECT_SAYS(readError(""), "no ZIP archive");
  EXPECT_SAYS(readError(std::string(100, 'x')), "no ZIP archive");
  NewFile file(folder / "other.pt");
  ZipWriter zip(file);
  zip.add("other/text", asBytes("text"));
  zip.finish();
  file.commit();
  EXPECT_SAYS(errorOf([&] { TorchFile(folder / "other.pt"); }),
              "holds no data.pkl");
}

TEST_F(TorchFileTest, DamagedBytesAreReadOrRefused) {
  std::string bytes = readWhole(write());
  std::mt19937 random(5);
  for (int i = 0; i < 2000; ++i) {
    std::string changed = bytes;
    for (unsigned n = random() % 3; n-- > 0;)
      changed[random() % changed.size()] = static_cast<char>(random());
    if (random() % 8 == 0)
      changed.resize(random() % changed.size());
    std::string message = readError(changed);
    if (message != "no error")
      EXPECT_SAYS(message, "hostile.pt: ");
  }
}

TEST_F(TorchFileTest, DamagedPicklesAreReadOrRefused) {
  std::string pickle = writeTensorPickle(layout());
  std::mt19937 random(6);
  for (int i = 0; i < 20000; ++i) {
    std::string changed = pickle;
    for (unsigned n = 1 + random() % 3; n-- > 0;)
      changed[random() % changed.size()] = static_cast<char>(random());
    pickleError(changed);
  }
}

TEST(ZipArchiveTest, Checksum) {
  // The check value of CRC-32/ISO-HDLC.
  EXPECT_EQ(crc32(asBytes("123456789")), 0xCBF43926u);
}

/// The files that the reference programs wrote.
TEST(ReferenceTorchFileTest, EqualsWhatTorchWrites) {
  if (sharedFolder().empty())
    GTEST_SKIP() << "the reference data is not beside the repository";
  std::string masks = sharedFolder() + "/data/adapters/ts_lori_d_r8/masks/";
  TorchFile torch(masks + "0.9_mask.pt");
  SafetensorsFile same(masks + "0.9_mask.safetensors");
  ASSERT_EQ(torch.tensors().size(), 35u);
  std::vector<SafetensorsWriter::Tensor> tensors;
  for (const StoredTensor &tensor : torch.tensors()) {
    tensors.push_back({tensor.name, tensor.type, tensor.shape});
    EXPECT_TRUE(std::ranges::equal(torch.bytes(tensor),
                                   same.bytes(same.get(tensor.name))));
  }
  MappedFile whole(masks + "0.9_mask.pt");
  auto files = readZipArchive(whole.bytes(), masks);
  EXPECT_TRUE(std::ranges::equal(files.at("0.9_mask/data.pkl"),
                                 asBytes(writeTensorPickle(tensors))));
}

} // namespace
