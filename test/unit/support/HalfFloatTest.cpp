// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/HalfFloat.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace lori;

namespace {

TEST(HalfFloatTest, EveryHalfGoesThroughF32AndBack) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    float value = f16ToF32(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(f16ToF32(f32ToF16(value))));
      continue;
    }
    EXPECT_EQ(f32ToF16(value), half);
  }
}

TEST(HalfFloatTest, EveryBfloat16GoesThroughF32AndBack) {
  for (uint32_t bits = 0; bits <= 0xFFFF; ++bits) {
    auto half = static_cast<uint16_t>(bits);
    float value = bf16ToF32(half);
    if (std::isnan(value)) {
      EXPECT_TRUE(std::isnan(bf16ToF32(f32ToBf16(value))));
      continue;
    }
    EXPECT_EQ(f32ToBf16(value), half);
  }
}

TEST(HalfFloatTest, HalvesHaveTheValuesOfTheirFields) {
  for (uint32_t bits = 0; bits < 0x7C00; ++bits) {
    int exponent = static_cast<int>(bits >> 10);
    double fraction = bits & 0x3FF;
    double value = exponent == 0 ? std::ldexp(fraction, -24)
                                 : std::ldexp(1024 + fraction, exponent - 25);
    EXPECT_EQ(f16ToF32(static_cast<uint16_t>(bits)), value);
    EXPECT_EQ(f16ToF32(static_cast<uint16_t>(bits | 0x8000)), -value);
  }
  EXPECT_TRUE(std::isinf(f16ToF32(0x7C00)));
  EXPECT_TRUE(std::signbit(f16ToF32(0x8000)));
}

// Between neighbouring halves, the middle goes to the even one.
TEST(HalfFloatTest, RoundsToNearestEven) {
  for (uint32_t bits = 0; bits < 0x7BFF; ++bits) {
    float low = f16ToF32(static_cast<uint16_t>(bits));
    float high = f16ToF32(static_cast<uint16_t>(bits + 1));
    float middle = low + (high - low) / 2; // exact in f32
    EXPECT_EQ(f32ToF16(middle), bits + (bits & 1));
    EXPECT_EQ(f32ToF16(std::nextafter(middle, 0.0f)), bits);
    EXPECT_EQ(f32ToF16(std::nextafter(middle, 1e9f)), bits + 1);
  }
  EXPECT_EQ(f32ToF16(65519.99f), 0x7BFF);
  EXPECT_EQ(f32ToF16(65520.0f), 0x7C00);
  EXPECT_EQ(f32ToF16(-1e30f), 0xFC00);
  EXPECT_EQ(f32ToBf16(1.00390625f), 0x3F80); // 1 + 2^-8: a tie
  EXPECT_EQ(f32ToBf16(1.01171875f), 0x3F82); // 1 + 3 * 2^-8: a tie
  EXPECT_EQ(f32ToBf16(std::numeric_limits<float>::max()), 0x7F80);
}

} // namespace
