// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Gguf.h"
#include "SampleFiles.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

std::string readError(const std::string &bytes) {
  return errorOf([&] { Gguf(asBytes(bytes), "x.gguf"); });
}

std::string arrayOf(uint32_t type, uint64_t count, const std::string &bytes) {
  std::string out;
  put(out, type);
  put(out, count);
  return out + bytes;
}

template <typename T> std::string bytesOf(T value) {
  std::string out;
  put(out, value);
  return out;
}

TEST(GgufTest, ReadsEveryMetadataType) {
  std::string bytes =
      GgufSample()
          .raw("u8", 0, bytesOf(uint8_t(250)))
          .raw("i8", 1, bytesOf(int8_t(-3)))
          .raw("u16", 2, bytesOf(uint16_t(65000)))
          .raw("i16", 3, bytesOf(int16_t(-300)))
          .u32("u32", 4000000000u)
          .raw("i32", 5, bytesOf(int32_t(-70000)))
          .f32("f32", 1.5f)
          .boolean("bool", true)
          .text("text", "grüß")
          .raw("u64", 10, bytesOf(uint64_t(1) << 40))
          .raw("i64", 11, bytesOf(-(int64_t(1) << 40)))
          .raw("f64", 12, bytesOf(0.1))
          .strings("strings", {"a", "", "bc"})
          .floats("floats", {1, 2.5})
          .raw("bools", 9, arrayOf(7, 2, std::string("\1\0", 2)))
          .bytes();
  Gguf gguf(asBytes(bytes), "x.gguf");
  EXPECT_EQ(gguf.version(), 3u);
  EXPECT_EQ(gguf.getInteger("u8"), 250);
  EXPECT_EQ(gguf.getInteger("i8"), -3);
  EXPECT_EQ(gguf.getInteger("u16"), 65000);
  EXPECT_EQ(gguf.getInteger("i16"), -300);
  EXPECT_EQ(gguf.getInteger("u32"), 4000000000);
  EXPECT_EQ(gguf.getInteger("i32"), -70000);
  EXPECT_EQ(gguf.getNumber("f32"), 1.5);
  EXPECT_EQ(gguf.getNumber("i8"), -3.0);
  EXPECT_EQ(gguf.getBool("bool"), true);
  EXPECT_EQ(gguf.getText("text"), "grüß");
  EXPECT_EQ(gguf.getInteger("u64"), int64_t(1) << 40);
  EXPECT_EQ(gguf.getInteger("i64"), -(int64_t(1) << 40));
  EXPECT_EQ(gguf.getNumber("f64"), 0.1);
  EXPECT_EQ(*gguf.getStrings("strings"), (GgufStrings{"a", "", "bc"}));
  const GgufNumbers &floats = *gguf.getNumbers("floats");
  ASSERT_EQ(floats.count, 2u);
  EXPECT_EQ(floats.asNumber(1), 2.5);
  EXPECT_EQ(floats.asInteger(1), 2);
  EXPECT_EQ(gguf.getNumbers("bools")->asInteger(0), 1);
  EXPECT_EQ(gguf.getInteger("none"), std::nullopt);
  EXPECT_EQ(gguf.getStrings("none"), nullptr);
  EXPECT_FALSE(gguf.isAdapter());
}

TEST(GgufTest, NumberArraysOfEveryTypeConvert) {
  struct Case {
    uint32_t type;
    std::string bytes;
    double number;
  };
  const Case cases[] = {
      {0, bytesOf(uint8_t(200)), 200},
      {1, bytesOf(int8_t(-5)), -5},
      {2, bytesOf(uint16_t(60000)), 60000},
      {3, bytesOf(int16_t(-6)), -6},
      {4, bytesOf(uint32_t(4000000000)), 4000000000},
      {5, bytesOf(int32_t(-7)), -7},
      {6, bytesOf(-2.0f), -2},
      {10, bytesOf(uint64_t(8)), 8},
      {11, bytesOf(int64_t(-9)), -9},
      {12, bytesOf(1e3), 1000},
  };
  for (const Case &one : cases) {
    std::string bytes =
        GgufSample()
            .raw("k", 9, arrayOf(one.type, 2, one.bytes + one.bytes))
            .bytes();
    Gguf gguf(asBytes(bytes), "x.gguf");
    EXPECT_EQ(gguf.getNumbers("k")->asNumber(1), one.number) << one.type;
    EXPECT_EQ(gguf.getNumbers("k")->asInteger(1),
              static_cast<int64_t>(one.number));
  }
  std::string bytes = GgufSample()
                          .raw("k", 9, arrayOf(10, 1, bytesOf(UINT64_MAX)))
                          .floats("f", {1e30f, -1e30f, NAN})
                          .bytes();
  Gguf gguf(asBytes(bytes), "x.gguf");
  EXPECT_EQ(gguf.getNumbers("k")->asInteger(0), INT64_MAX);
  EXPECT_EQ(gguf.getNumbers("f")->asInteger(0), INT64_MAX);
  EXPECT_EQ(gguf.getNumbers("f")->asInteger(1), INT64_MIN);
  EXPECT_EQ(gguf.getNumbers("f")->asInteger(2), 0);
}

TEST(GgufTest, WrongTypesAreErrorsThatNameBoth) {
  std::string bytes = GgufSample()
                          .text("t", "x")
                          .u32("u", 1)
                          .raw("big", 10, bytesOf(UINT64_MAX))
                          .floats("f", {1})
                          .strings("s", {})
                          .bytes();
  Gguf gguf(asBytes(bytes), "x.gguf");
  EXPECT_EQ(errorOf([&] { gguf.getInteger("t"); }),
            "x.gguf: metadata 't' is of type string, expected an integer below "
            "2^63, convert the model again");
  EXPECT_SAYS(errorOf([&] { gguf.getInteger("big"); }), "below 2^63");
  EXPECT_SAYS(errorOf([&] { gguf.getText("u"); }),
              "of type u32, expected string");
  EXPECT_SAYS(errorOf([&] { gguf.getBool("u"); }), "expected bool");
  EXPECT_SAYS(errorOf([&] { gguf.getNumber("t"); }), "expected a number");
  EXPECT_SAYS(errorOf([&] { gguf.getStrings("f"); }), "of type array");
  EXPECT_SAYS(errorOf([&] { gguf.getNumbers("s"); }),
              "of type array of strings");
  EXPECT_SAYS(errorOf([&] { gguf.architecture(); }), "'general.architecture'");
}

TEST(GgufTest, TensorsAreOutermostFirstAndAligned) {
  std::string bytes = GgufSample(2)
                          .text("general.architecture", "llama")
                          .tensor("a", {3, 64}, 8)
                          .tensor("b", {5}, 0, sampleValues("F32", 5))
                          .tensor("c", {2, 256}, 14)
                          .bytes();
  Gguf gguf(asBytes(bytes), "x.gguf", 2);
  EXPECT_EQ(gguf.version(), 2u);
  EXPECT_EQ(gguf.architecture(), "llama");
  const StoredTensor &a = *gguf.findTensor("a");
  EXPECT_EQ(a.shape, (std::vector<int64_t>{3, 64}));
  EXPECT_EQ(a.type, StorageType::Q8_0);
  EXPECT_EQ(a.bytes, 3u * 68);
  EXPECT_EQ(a.file, 2u);
  const StoredTensor &b = *gguf.findTensor("b");
  EXPECT_EQ(b.offset % 32, 0u);
  EXPECT_EQ(bytes.substr(b.offset, b.bytes), sampleValues("F32", 5));
  EXPECT_EQ(gguf.findTensor("c")->bytes, 420u);
  EXPECT_EQ(gguf.findTensor("none"), nullptr);
}

TEST(GgufTest, UnsupportedTypesAreAnErrorWhenAskedFor) {
  std::string bytes = GgufSample()
                          .tensor("a", {32}, 6, std::string(22, 0))
                          .tensor("z", {32}, 99, "x")
                          .tensor("b", {1})
                          .bytes();
  Gguf gguf(asBytes(bytes), "x.gguf");
  EXPECT_TRUE(gguf.findTensor("b"));
  EXPECT_EQ(errorOf([&] { gguf.findTensor("a"); }),
            "x.gguf: tensor 'a' is stored as Q5_0, supported are F32, F16, "
            "BF16, Q8_0, Q4_0, Q4_1, Q4_K, Q5_K, Q6_K, quantise the model to "
            "one of these");
  EXPECT_SAYS(errorOf([&] { gguf.findTensor("z"); }), "the unknown type 99");
}

TEST(GgufTest, OtherVersionsByteOrdersAndFilesAreRefused) {
  EXPECT_SAYS(readError(GgufSample(1).bytes()),
              "version 1, supported are 2 and 3");
  EXPECT_SAYS(readError(GgufSample(4).bytes()), "version 4");
  EXPECT_SAYS(readError(GgufSample(0x03000000).bytes()), "big-endian");
  EXPECT_SAYS(readError(std::string(64, 'x')), "no GGUF file");
  EXPECT_SAYS(readError("GGUF"), "no GGUF file");
}

TEST(GgufTest, PartsOfASplitModelAreRefused) {
  EXPECT_SAYS(
      readError(
          GgufSample().raw("split.count", 2, bytesOf(uint16_t(3))).bytes()),
      "is one of 3 parts of a split model, join them");
  EXPECT_EQ(readError(GgufSample().u32("split.count", 1).bytes()), "no error");
}

TEST(GgufTest, AdaptersAreRecognised) {
  std::string bytes = GgufSample().text("general.type", "adapter").bytes();
  EXPECT_TRUE(Gguf(asBytes(bytes), "x").isAdapter());
}

TEST(GgufTest, EveryTruncationIsAnError) {
  std::string bytes = GgufSample()
                          .strings("s", {"abc", "d"})
                          .floats("f", {1, 2})
                          .tensor("a", {2, 32}, 8)
                          .bytes();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_NE(readError(bytes.substr(0, size)), "no error") << size;
  EXPECT_EQ(readError(bytes), "no error");
}

TEST(GgufTest, HugeCountsAllocateNothing) {
  std::string bytes = "GGUF";
  put(bytes, uint32_t(3));
  put(bytes, UINT64_MAX);
  put(bytes, UINT64_MAX);
  EXPECT_SAYS(readError(bytes + std::string(64, 0)),
              "a metadata key has 0 bytes");
  for (uint32_t type : {0u, 6u, 8u, 10u})
    EXPECT_SAYS(
        readError(GgufSample()
                      .raw("k", 9, arrayOf(type, UINT64_MAX / 2, "xxxxxxxx"))
                      .bytes()),
        "more than the file holds");
  EXPECT_SAYS(readError(GgufSample().raw("k", 8, bytesOf(UINT64_MAX)).bytes()),
              "truncated");
}

TEST(GgufTest, NestedArraysUnknownTypesAndDuplicatesAreRefused) {
  EXPECT_SAYS(
      readError(
          GgufSample().raw("k", 9, arrayOf(9, 1, std::string(20, 0))).bytes()),
      "array of arrays");
  EXPECT_SAYS(readError(GgufSample().raw("k", 13, "").bytes()),
              "unknown type 13");
  EXPECT_SAYS(readError(GgufSample().u32("k", 1).u32("k", 2).bytes()),
              "'k' occurs twice");
  EXPECT_SAYS(readError(GgufSample().tensor("a", {1}).tensor("a", {1}).bytes()),
              "'a' occurs twice");
}

TEST(GgufTest, ShapesMustFitTheirBlocks) {
  EXPECT_SAYS(readError(GgufSample().tensor("a", {32, 33}, 8, "x").bytes()),
              "'a' of type Q8_0 cannot have the shape [32, 33]");
  // A whole number of blocks in all, but not a row.
  EXPECT_SAYS(readError(GgufSample().tensor("a", {2, 16}, 8, "x").bytes()),
              "cannot have");
  EXPECT_SAYS(
      readError(
          GgufSample().tensor("a", {int64_t(1) << 62, 8}, 0, "x").bytes()),
      "cannot have");
  EXPECT_SAYS(readError(GgufSample().tensor("a", {-1}, 0, "x").bytes()),
              "a dimension of 18446744073709551615");
  EXPECT_SAYS(
      readError(GgufSample().tensor("a", {1, 1, 1, 1, 1}, 0, "x").bytes()),
      "has 5 dimensions");
}

TEST(GgufTest, AnEmptyTensorBehindTheLastByteIsEmpty) {
  std::string bytes = GgufSample().tensor("a", {0}).bytes();
  bytes.resize(bytes.find('a', 24) + 1 + 4 + 8 + 4 + 8); // no padding
  Gguf gguf(asBytes(bytes), "x.gguf");
  EXPECT_LE(gguf.findTensor("a")->offset, bytes.size());
  EXPECT_EQ(gguf.bytes(*gguf.findTensor("a")).size(), 0u);
}

TEST(GgufTest, AlignmentMustBeAPowerOfTwo) {
  EXPECT_SAYS(readError(GgufSample().u32("general.alignment", 0).bytes()),
              "is 0, no power of two");
  EXPECT_SAYS(readError(GgufSample().u32("general.alignment", 48).bytes()),
              "48");
  std::string bytes = GgufSample().u32("general.alignment", 16).bytes();
  EXPECT_EQ(Gguf(asBytes(bytes), "x").alignment(), 16u);
}

TEST(GgufTest, TensorsMustLieInTheFileAndApart) {
  std::string bytes = GgufSample().tensor("a", {8}).tensor("b", {8}).bytes();
  std::string offset = bytesOf(uint64_t(32));
  auto at = bytes.find(offset, bytes.find('b', 40));
  ASSERT_NE(at, std::string::npos);
  auto with = [&](uint64_t value) {
    std::string changed = bytes;
    return readError(changed.replace(at, 8, bytesOf(value)));
  };
  EXPECT_EQ(with(32), "no error");
  EXPECT_SAYS(with(0), "'a' and 'b' overlap");
  EXPECT_SAYS(with(64), "'b' has 32 bytes at data byte 64");
  EXPECT_SAYS(with(33), "no multiple of the alignment 32");
  EXPECT_SAYS(with(UINT64_MAX - 31), "has 32 bytes at data byte");
}

} // namespace
