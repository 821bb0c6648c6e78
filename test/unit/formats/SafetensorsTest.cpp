// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Safetensors.h"
#include "SampleFiles.h"
#include "runtime/formats/SafetensorsWriter.h"

#include <cstring>
#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

std::string readError(const std::string &bytes) {
  return errorOf(
      [&] { readSafetensorsHeader(asBytes(bytes), "x.safetensors"); });
}

std::string headerError(const std::string &header, size_t dataBytes) {
  return readError(safetensorsBytes(header, std::string(dataBytes, 'd')));
}

TEST(SafetensorsTest, ReadsTensorsByOffsetAndMetadata) {
  std::string bytes = safetensorsBytes({sampleTensor("b", {2, 3}),
                                        sampleTensor("a", {4}, "BF16"),
                                        {"e", "F16", {0, 7}, ""},
                                        {"s", "I64", {}, "12345678"}},
                                       R"("__metadata__":{"format":"pt"})");
  auto header = readSafetensorsHeader(asBytes(bytes), "x", 5);
  ASSERT_EQ(header.tensors.size(), 4u);
  EXPECT_EQ(header.tensors[0].name, "b");
  EXPECT_EQ(header.tensors[0].shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(header.tensors[0].file, 5u);
  EXPECT_EQ(header.tensors[1].type, StorageType::BF16);
  EXPECT_EQ(header.tensors[1].offset, header.tensors[0].offset + 24);
  EXPECT_EQ(header.tensors[1].bytes, 8u);
  EXPECT_EQ(header.tensors[2].bytes, 0u);
  EXPECT_EQ(header.tensors[3].entries(), 1);
  EXPECT_EQ(bytes.substr(header.tensors[3].offset, 8), "12345678");
  ASSERT_TRUE(header.findMetadata("format"));
  EXPECT_EQ(*header.findMetadata("format"), "pt");
  EXPECT_EQ(header.findMetadata("none"), nullptr);
}

TEST(SafetensorsTest, ShortAndTruncatedFilesAreErrors) {
  EXPECT_SAYS(readError(""), "has 0 bytes");
  std::string bytes = safetensorsBytes({sampleTensor("a", {2, 3})});
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(readError(bytes.substr(0, size)), "no error") << size;
  EXPECT_EQ(readError(bytes), "no error");
  EXPECT_SAYS(readError(bytes + "x"), "has 25 bytes of data");
}

TEST(SafetensorsTest, HugeHeaderLengthAllocatesNothing) {
  std::string bytes;
  put(bytes, uint64_t(1) << 63);
  EXPECT_SAYS(readError(bytes + "{}"),
              "announces a header of 9223372036854775808 bytes");
}

TEST(SafetensorsTest, HeaderMustBeAnObjectOfTensors) {
  EXPECT_SAYS(headerError("[]", 0), "not a JSON object");
  EXPECT_SAYS(headerError("\"", 0), "the header is not valid JSON");
  EXPECT_SAYS(headerError(R"({"a":1})", 0), "lacks dtype, shape");
  EXPECT_SAYS(headerError(R"({"a":{"dtype":"F32","shape":[1]}})", 4),
              "lacks dtype, shape or data_offsets");
  EXPECT_SAYS(headerError(R"({"__metadata__":{"a":1}})", 0),
              "'a' that is no string");
  EXPECT_SAYS(headerError(R"({"__metadata__":3})", 0), "no JSON object");
}

std::string oneTensor(const std::string &type, const std::string &shape,
                      const std::string &offsets) {
  return R"({"a":{"dtype":")" + type + R"(","shape":[)" + shape +
         R"(],"data_offsets":[)" + offsets + "]}}";
}

TEST(SafetensorsTest, SizesMustFitTypeAndShape) {
  EXPECT_EQ(headerError(oneTensor("F32", "2,2", "0,16"), 16), "no error");
  EXPECT_SAYS(headerError(oneTensor("F32", "2,3", "0,16"), 16),
              "type F32 and shape [2, 3] has 16 bytes");
  EXPECT_SAYS(headerError(oneTensor("F33", "2,2", "0,16"), 16),
              "unknown dtype F33");
  EXPECT_SAYS(headerError(oneTensor("Q8_0", "32", "0,34"), 34),
              "unknown dtype Q8_0");
  EXPECT_SAYS(headerError(oneTensor("F32", "-2,-2", "0,16"), 16),
              "-2 where a natural number belongs");
  EXPECT_SAYS(headerError(oneTensor("F32", "2,\"2\"", "0,16"), 16),
              "\"2\" where a natural number belongs");
  EXPECT_SAYS(headerError(oneTensor("F32", "2.5", "0,10"), 10), "2.5 where");
}

TEST(SafetensorsTest, ShapeProductsDoNotOverflow) {
  // 2^62 * 4 entries of one byte wrap to 0 in 64 bits.
  EXPECT_SAYS(headerError(oneTensor("U8", "4611686018427387904,4", "0,0"), 0),
              "has 0 bytes");
  EXPECT_SAYS(headerError(oneTensor("F64", "4611686018427387904", "0,0"), 0),
              "has 0 bytes");
}

TEST(SafetensorsTest, OffsetsMustLieInTheFile) {
  EXPECT_SAYS(headerError(oneTensor("U8", "8", "8,16"), 8),
              "lies at data bytes 8 to 16, the file has 8");
  EXPECT_SAYS(headerError(oneTensor("U8", "0", "8,0"), 8),
              "lies at data bytes 8 to 0");
  EXPECT_SAYS(headerError(oneTensor("U8", "8", "0,99999999999999999999"), 8),
              "where a natural number belongs");
}

std::string twoTensors(const std::string &first, const std::string &second) {
  return R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[)" + first +
         R"(]},"b":{"dtype":"U8","shape":[4],"data_offsets":[)" + second +
         "]}}";
}

TEST(SafetensorsTest, OverlapsGapsAndDuplicatesAreRefused) {
  EXPECT_EQ(headerError(twoTensors("4,8", "0,4"), 8), "no error");
  EXPECT_SAYS(headerError(twoTensors("0,4", "2,6"), 6),
              "'b' overlaps the tensor before it");
  EXPECT_SAYS(headerError(twoTensors("0,4", "0,4"), 4), "overlaps");
  EXPECT_SAYS(headerError(twoTensors("0,4", "5,9"), 9),
              "'b' leaves a gap before it");
  EXPECT_SAYS(headerError(twoTensors("1,5", "5,9"), 9), "leaves a gap");
  EXPECT_SAYS(
      headerError(
          R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
          0),
      "the header has the JSON key 'a' twice");
}

TEST(SafetensorsTest, UnsupportedTypesAreAnErrorWhenAskedFor) {
  TemporaryFolder folder;
  std::string path = folder.write(
      "x.safetensors", safetensorsBytes({{"w", "F8_E4M3", {2, 2}, "abcd"},
                                         {"f", "F4", {4}, "ab"},
                                         sampleTensor("a", {2})}));
  SafetensorsFile file(path);
  EXPECT_EQ(file.get("a").bytes, 8u);
  EXPECT_EQ(file.find("none"), nullptr);
  EXPECT_EQ(errorOf([&] { file.find("w"); }),
            path + ": tensor 'w' has the unsupported type F8_E4M3, convert it "
                   "to F32, F16 or BF16");
  EXPECT_SAYS(errorOf([&] { file.get("none"); }), "lacks the tensor 'none'");
}

TEST(SafetensorsTest, WrittenFilesReadBack) {
  TemporaryFolder folder;
  std::string first = sampleValues("F32", 6), second = sampleValues("F16", 3);
  NewFile out(folder / "out.safetensors");
  SafetensorsWriter writer(out,
                           {{"a\"ä", StorageType::F32, {2, 3}},
                            {"empty", StorageType::I8, {0}},
                            {"b", StorageType::F16, {3}}},
                           {{"format", "pt"}, {"note", "line\nbreak"}});
  writer.append(asBytes(first).first(7));
  writer.append(asBytes(first).subspan(7));
  EXPECT_EQ(writer.offset(2), out.size());
  EXPECT_SAYS(errorOf([&] { writer.finish(); }), "its tensors make up");
  writer.append(asBytes(second));
  EXPECT_SAYS(errorOf([&] { writer.append(asBytes("x")); }), "more bytes");
  writer.finish();
  out.commit();

  SafetensorsFile file(folder / "out.safetensors");
  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.get("a\"ä").offset % 64, 0u);
  auto bytes = file.bytes(file.get("a\"ä"));
  EXPECT_EQ(std::memcmp(bytes.data(), first.data(), first.size()), 0);
  bytes = file.bytes(file.get("b"));
  EXPECT_EQ(std::memcmp(bytes.data(), second.data(), second.size()), 0);
  EXPECT_EQ(*file.header().findMetadata("note"), "line\nbreak");
  EXPECT_EQ(file.file().bytes().size(), writer.size());
}

TEST(SafetensorsTest, TheWriterRefusesWhatTheFormatCannotHold) {
  TemporaryFolder folder;
  auto writing = [&](const std::vector<SafetensorsWriter::Tensor> &tensors) {
    return errorOf([&] {
      NewFile out(folder / "out.safetensors");
      SafetensorsWriter writer(out, tensors, {});
    });
  };
  EXPECT_SAYS(writing({{"a", StorageType::Q8_0, {32}}}), "of type Q8_0");
  EXPECT_SAYS(writing({{"a", StorageType::F32, {-1}}}), "shape [-1]");
  EXPECT_SAYS(
      writing({{"a", StorageType::U8, {1}}, {"a", StorageType::U8, {1}}}),
      "two tensors 'a'");
  EXPECT_FALSE(std::filesystem::exists(folder / "out.safetensors"));
}

} // namespace
