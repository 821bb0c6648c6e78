// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/SeededProjection.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

using namespace lori;

namespace {

constexpr uint64_t longSeed = 0x123456789abcdef0;
constexpr uint64_t longStream = 0xfedcba9876543210;

float entry(const SeededProjection &projection, uint64_t number) {
  return projection.entries(number / 4)[number % 4];
}

// Computed apart from this code, with exact integers and the C library's
// functions in f64.
struct Vector {
  uint64_t entry;
  float uniform, normal, longUniform, longNormal;
};
constexpr Vector vectors[] = {
    {0, 0x1.3474bp-7f, -0x1.f0bcb8p-1f, 0x1.63952p-8f, 0x1.e4f12p-2f},
    {1, -0x1.571e6cp-9f, 0x1.8d59dp-3f, -0x1.b91fb8p-6f, 0x1.ea584ap-1f},
    {2, -0x1.23572ap-5f, -0x1.3c51a4p+0f, -0x1.20143p-5f, -0x1.db23bp+0f},
    {3, -0x1.b28ddcp-7f, 0x1.ec8676p+0f, 0x1.0789fcp-7f, -0x1.498a8p+0f},
    {4, 0x1.4cf304p-5f, -0x1.2bc06p-4f, -0x1.07a164p-5f, -0x1.dacf7cp+0f},
    {575, 0x1.751368p-6f, -0x1.18782p+1f, 0x1.f9b58p-10f, -0x1.52f8e2p-6f},
    {18431, 0x1.10366p-5f, -0x1.72e992p-1f, -0x1.1a2d8cp-8f, 0x1.58b4e2p-2f},
};

TEST(SeededProjectionTest, GivesTheTestVectors) {
  SeededProjection uniform{42, 0, ProjectionInit::KaimingUniform, 576};
  SeededProjection normal{42, 0, ProjectionInit::Normal, 576};
  SeededProjection longUniform{longSeed, longStream,
                               ProjectionInit::KaimingUniform, 576};
  SeededProjection longNormal{longSeed, longStream, ProjectionInit::Normal,
                              576};
  for (const Vector &vector : vectors) {
    EXPECT_EQ(entry(uniform, vector.entry), vector.uniform) << vector.entry;
    EXPECT_EQ(entry(normal, vector.entry), vector.normal) << vector.entry;
    EXPECT_EQ(entry(longUniform, vector.entry), vector.longUniform);
    EXPECT_EQ(entry(longNormal, vector.entry), vector.longNormal);
  }
}

TEST(SeededProjectionTest, FillsAnyNumberOfEntries) {
  SeededProjection projection{7, 3, ProjectionInit::Normal, 5};
  for (size_t count : {0, 1, 3, 4, 15}) {
    std::vector<float> out(count);
    projection.fill(out);
    for (size_t i = 0; i < count; ++i)
      EXPECT_EQ(out[i], entry(projection, i)) << count;
  }
}

/// Mean, variance, and the share of entries within one of 0.
struct Moments {
  double mean = 0, variance = 0, within = 0;
};

Moments measure(const SeededProjection &projection, double unit) {
  std::vector<float> out(1 << 18);
  projection.fill(out);
  Moments result;
  for (float value : out) {
    double scaled = value / unit;
    result.mean += scaled;
    result.variance += scaled * scaled;
    result.within += std::abs(scaled) < 1;
  }
  auto count = static_cast<double>(out.size());
  return {result.mean / count, result.variance / count, result.within / count};
}

TEST(SeededProjectionTest, HasTheDistributionThatItsNameSays) {
  for (uint64_t seed : {0, 1, 42}) {
    SeededProjection uniform{seed, 9, ProjectionInit::KaimingUniform, 64};
    Moments m = measure(uniform, 1 / 8.0);
    EXPECT_NEAR(m.mean, 0, 0.006);
    EXPECT_NEAR(m.variance, 1 / 3.0, 0.003);
    EXPECT_EQ(m.within, 1);
    SeededProjection normal{seed, 9, ProjectionInit::Normal, 64};
    m = measure(normal, 1);
    EXPECT_NEAR(m.mean, 0, 0.01);
    EXPECT_NEAR(m.variance, 1, 0.015);
    EXPECT_NEAR(m.within, std::erf(1 / std::sqrt(2.0)), 0.005);
  }
}

TEST(SeededProjectionTest, SeedsAndStreamsAreIndependent) {
  std::vector<float> base(4096), other(4096);
  SeededProjection projection{1, 1, ProjectionInit::Normal, 64};
  projection.fill(base);
  for (auto [seed, stream] : {std::pair{1, 2}, {2, 1}, {1 << 20, 1}}) {
    SeededProjection{static_cast<uint64_t>(seed), static_cast<uint64_t>(stream),
                     ProjectionInit::Normal, 64}
        .fill(other);
    double product = 0;
    for (size_t i = 0; i < base.size(); ++i)
      product += base[i] * other[i];
    EXPECT_LT(std::abs(product) / 4096, 0.08) << seed << ' ' << stream;
  }
}

TEST(SeededProjectionTest, NamesAreReadAsTheyAreWritten) {
  for (ProjectionInit init :
       {ProjectionInit::KaimingUniform, ProjectionInit::Normal})
    EXPECT_EQ(projectionInitFromName(projectionInitName(init)), init);
  EXPECT_EQ(projectionInitFromName("xavier"), std::nullopt);
}

TEST(SeededProjectionTest, ModulesHaveStreamsOfTheirOwn) {
  EXPECT_NE(projectionStream("model.layers.0.self_attn.q_proj"),
            projectionStream("model.layers.1.self_attn.q_proj"));
  // XXH3-64 of no bytes, from its specification.
  EXPECT_EQ(projectionStream(""), 0x2D06800538D394C2u);
}

} // namespace
