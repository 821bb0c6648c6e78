// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include <bit>
#include <cmath>
#include <cstdint>
#include <emmintrin.h>
#include <gtest/gtest.h>
#include <limits>
#include <random>

extern "C" __m128i __truncsfbf2(float value);
extern "C" __m128i __truncdfbf2(double value);

namespace {

uint16_t truncate(float value) {
  return static_cast<uint16_t>(_mm_cvtsi128_si32(__truncsfbf2(value)));
}
uint16_t truncate(double value) {
  return static_cast<uint16_t>(_mm_cvtsi128_si32(__truncdfbf2(value)));
}
double widen(uint32_t bfloat) { return std::bit_cast<float>(bfloat << 16); }

// The nearest of the two neighbours, found without the arithmetic under test.
uint16_t nearest(double value) {
  double magnitude = std::fabs(value);
  uint32_t below = 0, above = 0x7f80;
  while (above - below > 1) {
    uint32_t middle = (above + below) / 2;
    (widen(middle) <= magnitude ? below : above) = middle;
  }
  // The step beyond the largest number is as wide as the one before it.
  double top = above == 0x7f80 ? std::ldexp(1.0, 128) : widen(above);
  double down = magnitude - widen(below), up = top - magnitude;
  uint32_t result = down < up || (down == up && below % 2 == 0) ? below : above;
  return uint16_t(result | (std::signbit(value) ? 0x8000 : 0));
}

TEST(BuiltinsTest, FloatsRoundToTheNearestEvenBfloat16) {
  std::mt19937 random(3);
  for (uint32_t high = 0; high < 0x10000; ++high)
    for (uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu,
                         uint32_t(random() & 0xffff)}) {
      float value = std::bit_cast<float>(high << 16 | low);
      if (std::isfinite(value)) {
        ASSERT_EQ(truncate(value), nearest(value)) << value;
      }
    }
}

TEST(BuiltinsTest, DoublesRoundOnce) {
  std::mt19937_64 random(4);
  for (int i = 0; i < 300000; ++i) {
    uint32_t high = uint32_t(random() % 0x7f80) << 16 | 0x8000;
    double half = std::bit_cast<float>(high); // half way between two bfloat16
    double value = half * (1 + std::ldexp(double(random() % 3) - 1, -50));
    if (random() % 2)
      value = -value;
    ASSERT_EQ(truncate(value), nearest(value)) << value;
  }
  EXPECT_EQ(truncate(1e300), 0x7f80);
  EXPECT_EQ(truncate(-1e-300), 0x8000);
}

TEST(BuiltinsTest, SpecialNumbersStaySpecial) {
  float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(truncate(infinity), 0x7f80);
  EXPECT_EQ(truncate(-double(infinity)), 0xff80);
  // A NaN whose set bits are all cut off must not become an infinity.
  for (uint32_t bits : {0x7f800001u, 0xffffffffu, 0x7fc00000u}) {
    uint16_t result = truncate(std::bit_cast<float>(bits));
    EXPECT_TRUE(std::isnan(widen(result)));
    EXPECT_EQ(result >> 15, bits >> 31);
    EXPECT_EQ(result & 0x40, 0x40);
  }
  EXPECT_TRUE(std::isnan(widen(truncate(std::nan("")))));
}

} // namespace
