// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/TensorScan.h"
#include "SampleFiles.h"
#include "runtime/support/HalfFloat.h"

#include <cmath>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace lori;
using namespace lori::test;

namespace {

float valueOf(StorageType type, const char *at) {
  if (type == StorageType::F32) {
    float value;
    std::memcpy(&value, at, 4);
    return value;
  }
  uint16_t bits;
  std::memcpy(&bits, at, 2);
  return type == StorageType::F16 ? f16ToF32(bits) : bf16ToF32(bits);
}

// Counts of random data with planted zeros and non-numbers, at every
// alignment, equal those of one entry after the other.
TEST(TensorScanTest, CountsAreThoseOfTheEntries) {
  std::mt19937 random(7);
  for (StorageType type :
       {StorageType::F32, StorageType::F16, StorageType::BF16})
    for (size_t count : {0u, 1u, 3u, 100u, 4096u, 4097u, 70000u}) {
      auto width = static_cast<size_t>(blockBytes(type));
      std::string data(5 + count * width, 0);
      size_t start = random() % 5;
      for (char &c : data)
        c = static_cast<char>(random());
      for (size_t i = 0; i < count; ++i)
        if (unsigned kind = random() % 8; kind < 2) {
          std::memset(&data[start + i * width], 0, width);
          if (kind == 1) // infinity, or minus zero
            data[start + i * width + width - 1] =
                random() % 2 ? '\x80' : '\x7f';
        }
      TensorScan expected;
      for (size_t i = 0; i < count; ++i) {
        float value = valueOf(type, &data[start + i * width]);
        expected.zeros += value == 0;
        expected.nonFinite += !std::isfinite(value);
      }
      TensorScan scan =
          scanTensor(type, asBytes(data).subspan(start, count * width));
      EXPECT_EQ(scan.zeros, expected.zeros);
      EXPECT_EQ(scan.nonFinite, expected.nonFinite);
    }
}

// 65536 zeros would wrap a 16-bit counter.
TEST(TensorScanTest, LongRunsDoNotOverflow) {
  std::string data(400000, 0);
  EXPECT_EQ(scanTensor(StorageType::F16, asBytes(data)).zeros, 200000);
  data.assign(data.size(), '\xff');
  EXPECT_EQ(scanTensor(StorageType::BF16, asBytes(data)).nonFinite, 200000);
}

TEST(TensorScanTest, DifferencesAreFoundAcrossTypes) {
  auto differ = [](StorageType a, const std::string &x, StorageType b,
                   const std::string &y, int64_t count) {
    return firstDifference(a, asBytes(x).data(), b, asBytes(y).data(), count);
  };
  using enum StorageType;
  std::string wide = sampleValues("F32", 50), half = sampleValues("F16", 50);
  EXPECT_FALSE(differ(F32, wide, F32, wide, 50));
  EXPECT_FALSE(differ(F16, half, F32, wide, 50)); // rounds to it
  EXPECT_EQ(differ(F32, wide, F16, half, 50), 0); // is not it
  std::string other = wide;
  other[132] ^= 1;
  EXPECT_EQ(differ(F32, wide, F32, other, 50), 33);
  EXPECT_FALSE(differ(F32, wide, F32, other, 33));
  std::string zero(4, 0), minus("\0\0\0\x80", 4), nan("\1\0\xc0\x7f", 4);
  EXPECT_FALSE(differ(F32, zero, F32, minus, 1));
  EXPECT_FALSE(differ(F32, nan, F32, nan, 1));
  EXPECT_EQ(differ(F32, nan, F32, zero, 1), 0);
}

} // namespace
