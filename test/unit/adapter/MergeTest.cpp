// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each merge type on factors small enough to compute by hand.

#include "tools/adapter/Merge.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

using namespace lori;

namespace {

using Floats = std::vector<float>;

void expectNear(const Floats &got, const Floats &want,
                float tolerance = 1e-6f) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i)
    EXPECT_NEAR(got[i], want[i], tolerance) << i;
}

/// A module of 2 x 2 with two adapters of rank 1.
class MergeTest : public testing::Test {
protected:
  MergeTest() {
    module.path = "q";
    module.in = module.out = 2;
    inputs = {{1, a1, b1, 2.0, 0.5}, {1, a2, b2, 4.0, 1.0}};
  }

  Factors merge(MergeType type, PeftVersion compat = defaultPeftVersion) {
    options.type = type;
    options.compat = compat;
    return mergeModule(module, inputs, options,
                       [this](size_t index, int64_t rows, int64_t columns) {
                         draws.emplace_back(index, rows * columns);
                         return masks.at(index);
                       });
  }

  std::string refusal(MergeType type, PeftVersion compat = defaultPeftVersion) {
    try {
      merge(type, compat);
    } catch (const MergeError &error) {
      return error.what();
    }
    return "no error";
  }

  static Floats deltaOf(const Factors &factors) {
    Floats delta(static_cast<size_t>(factors.rows * factors.columns));
    multiply(factors, 1, delta);
    return delta;
  }

  // p_1 = 0.5 * 2 = 1, p_2 = 1 * 4 = 4
  Floats a1 = {1, 2}, b1 = {3, -4}, a2 = {-5, 6}, b2 = {7, 8};
  AdaptableModule module;
  std::vector<MergeInput> inputs;
  MergeOptions options;
  std::vector<std::vector<uint8_t>> masks;
  std::vector<std::pair<size_t, int64_t>> draws;
};

TEST_F(MergeTest, CatScalesA) {
  for (MergeType type : {MergeType::Cat, MergeType::Sum, MergeType::Average,
                         MergeType::Concat}) {
    Factors merged = merge(type);
    EXPECT_EQ(merged.rank, 2);
    expectNear(merged.a, {1, 2, -20, 24});
    expectNear(merged.b, {3, 7, -4, 8});
  }
}

TEST_F(MergeTest, CatKeepsTheSignOnA) {
  inputs[1].weight = -1;
  expectNear(merge(MergeType::Cat).a, {1, 2, 20, -24});
}

TEST_F(MergeTest, CatOfUnequalRanks) {
  Floats a = {1, 0, 0, 1}, b = {1, 2, 3, 4};
  inputs[0] = {2, a, b, 1, 1};
  Factors merged = merge(MergeType::Cat);
  EXPECT_EQ(merged.rank, 3);
  expectNear(merged.a, {1, 0, 0, 1, -20, 24});
  expectNear(merged.b, {1, 2, 7, 3, 4, 8});
}

TEST_F(MergeTest, LinearPutsRootsOnBothFactors) {
  Factors merged = merge(MergeType::Linear);
  expectNear(merged.a, {1 - 10, 2 + 12}); // 1 A_1 + 2 A_2
  expectNear(merged.b, {3 + 14, -4 + 16});
}

TEST_F(MergeTest, LinearWithANegativeWeight) {
  inputs[1].weight = -1;
  Factors today = merge(MergeType::Linear); // the sign is A's
  expectNear(today.a, {1 + 10, 2 - 12});
  expectNear(today.b, {17, 12});
  Factors v18 = merge(MergeType::Linear, {0, 18}); // and B's, where it cancels
  expectNear(v18.a, {11, -10});
  expectNear(v18.b, {3 - 14, -4 - 16});
  for (int minor : {7, 8, 9, 12, 17})
    EXPECT_NE(refusal(MergeType::Linear, {0, minor}).find("math domain error"),
              std::string::npos)
        << minor;
}

TEST_F(MergeTest, LinearBefore09) {
  inputs[0].weight = 0.25;
  Factors merged = merge(MergeType::Linear, {0, 8});
  expectNear(merged.a, {1 * 0.5f * 2 - 20, 2 * 0.5f * 2 + 24});
  expectNear(merged.b, {1.5f + 7, -2 + 8});
}

TEST_F(MergeTest, LinearRefusesUnequalRanks) {
  Floats a = {1, 0, 0, 1}, b = {1, 2, 3, 4};
  inputs[0] = {2, a, b, 1, 1};
  EXPECT_NE(refusal(MergeType::Linear).find("rank 2 in one adapter and 1"),
            std::string::npos);
}

TEST_F(MergeTest, MagnitudePruneKeepsTheLargest) {
  options.density = 0.5; // one of two entries of each factor
  Factors merged = merge(MergeType::MagnitudePrune);
  expectNear(merged.a, {0, 2 + 12}); // 1 * (0, 2) + 2 * (0, 6)
  expectNear(merged.b, {0, -4 + 16});
}

TEST_F(MergeTest, TiesElectsByTheSum) {
  options.density = 1;
  Factors merged = merge(MergeType::Ties);
  // A: 1 - 5 elects minus, so only -5 counts; 2 + 6 elects plus, both count.
  expectNear(merged.a, {-10, (2.0f + 12) / 2});
  // B: 3 + 7, both; -4 + 8 elects plus, only 8 counts.
  expectNear(merged.b, {(3.0f + 14) / 2, 16});
}

TEST_F(MergeTest, TiesElectsByCountingSigns) {
  options.density = 1;
  options.election = SignElection::Frequency;
  Factors merged = merge(MergeType::Ties);
  // One plus and one minus are plus, whatever their size.
  expectNear(merged.a, {1, 7});
  expectNear(merged.b, {8.5f, 16});
}

TEST_F(MergeTest, DareDropsAndRescales) {
  options.density = 0.5;
  masks = {{1, 0}, {0, 1}, {1, 1}, {0, 0}}; // A_1, A_2, B_1, B_2
  Factors merged = merge(MergeType::DareLinear);
  expectNear(merged.a, {2 * 1, 2 * 12});
  expectNear(merged.b, {2 * 3, 2 * -4});
  EXPECT_EQ(draws, (std::vector<std::pair<size_t, int64_t>>{
                       {0, 2}, {1, 2}, {2, 2}, {3, 2}}));
  // Before 0.19 the division is lost.
  expectNear(merge(MergeType::DareLinear, {0, 18}).a, {1, 12});
}

TEST_F(MergeTest, DareTies) {
  options.density = 0.5;
  masks = {{1, 1}, {1, 0}, {1, 1}, {1, 1}};
  Factors merged = merge(MergeType::DareTies);
  expectNear(merged.a, {2 * -10, 2 * 2});
  expectNear(merged.b, {(6.0f + 28) / 2, 32});
}

TEST_F(MergeTest, FullDensityDrawsNothing) {
  options.density = 1;
  expectNear(merge(MergeType::DareLinear).a, merge(MergeType::Linear).a);
  EXPECT_TRUE(draws.empty());
}

TEST_F(MergeTest, SvdOfTheFullRankIsTheSum) {
  options.svdRank = 2;
  // 0.5 * 2 * b1 a1 + 1 * 4 * b2 a2
  expectNear(deltaOf(merge(MergeType::Svd)),
             {3 - 140, 6 + 168, -4 - 160, -8 + 192}, 1e-4f);
  // From 0.9 to 0.20 with the scaling squared.
  expectNear(deltaOf(merge(MergeType::Svd, {0, 12})),
             {6 - 560, 12 + 672, -8 - 640, -16 + 768}, 1e-3f);
  expectNear(deltaOf(merge(MergeType::Svd, {0, 8})),
             {3 - 140, 6 + 168, -4 - 160, -8 + 192}, 1e-4f);
}

TEST_F(MergeTest, SvdTypesWorkOnDeltas) {
  options.svdRank = 2;
  options.density = 0.5; // two of four entries
  // Deltas 2 b1 a1 = {6, 12, -8, -16}, 4 b2 a2 = {-140, 168, -160, 192}
  expectNear(deltaOf(merge(MergeType::MagnitudePruneSvd)),
             {0, 6 + 168, 0, -8 + 192}, 1e-4f);
  expectNear(deltaOf(merge(MergeType::TiesSvd)), {0, (6.0f + 168) / 2, 0, 192},
             1e-4f);
  masks = {{1, 0, 0, 1}, {1, 1, 0, 0}};
  expectNear(deltaOf(merge(MergeType::DareLinearSvd)),
             {2 * (3 - 140), 2 * 168, 0, 2 * -8}, 1e-3f);
}

TEST_F(MergeTest, EmbeddingsAreDrawnTransposed) {
  module.kind = AdaptableModule::Kind::Embedding;
  options.svdRank = 2;
  options.density = 0.5;
  masks = {{1, 1, 0, 0}, {1, 1, 0, 0}}; // the first row of the transpose
  expectNear(deltaOf(merge(MergeType::DareLinearSvd)),
             {2 * (3 - 140), 0, 2 * (-4 - 160), 0}, 1e-3f);
}

TEST_F(MergeTest, SvdRefusesARankThatDoesNotFit) {
  options.svdRank = 3;
  EXPECT_NE(refusal(MergeType::Svd).find("cannot have rank 3"),
            std::string::npos);
}

TEST_F(MergeTest, ExactLinearKeepsTheRank) {
  inputs[1].a = a1;
  Factors merged = merge(MergeType::ExactLinear);
  EXPECT_EQ(merged.rank, 1);
  expectNear(merged.a, a1);
  expectNear(merged.b, {3 + 28, -4 + 32});
  Factors same = merge(MergeType::Cat);
  expectNear(deltaOf(merged), deltaOf(same));
  inputs[1].a = a2;
  EXPECT_NE(refusal(MergeType::ExactLinear).find("different A's"),
            std::string::npos);
}

// ---- Formulas

TEST(MergeFormulasTest, TrimKeepsIntOfDensityTimesN) {
  Floats tensor = {1, -2, 3, -4, 5, -6, 7, -8, 9, -10};
  trimToDensity(tensor, 0.39); // 3 of 10
  expectNear(tensor, {0, 0, 0, 0, 0, 0, 0, -8, 9, -10});
  trimToDensity(tensor, 1);
  expectNear(tensor, {0, 0, 0, 0, 0, 0, 0, -8, 9, -10});
  trimToDensity(tensor, 0.05);
  expectNear(tensor, Floats(10, 0));
}

TEST(MergeFormulasTest, TrimKeepsExactlyKAmongTies) {
  std::mt19937 random(1);
  for (size_t n : {10u, 100u, 5000u})
    for (double density : {0.01, 0.1, 0.3, 0.9}) {
      Floats tensor(n);
      for (float &x : tensor)
        x = static_cast<float>(1 + random() % 3) * (random() % 2 ? 1 : -1);
      Floats trimmed = tensor;
      trimToDensity(trimmed, density);
      auto k = static_cast<int64_t>(density * static_cast<double>(n));
      EXPECT_EQ(n - static_cast<size_t>(std::ranges::count(trimmed, 0)), k);
      float least = 3;
      for (size_t i = 0; i < n; ++i)
        if (trimmed[i] != 0) {
          EXPECT_EQ(trimmed[i], tensor[i]);
          least = std::min(least, std::fabs(trimmed[i]));
        }
      for (size_t i = 0; i < n && k > 0; ++i)
        if (trimmed[i] == 0)
          EXPECT_LE(std::fabs(tensor[i]), least);
    }
}

TEST(MergeFormulasTest, ZerosNeverWin) {
  Floats zero = {0, 0}, x = {-1, 2}, out(2);
  WeightedTensors in{{zero, x}, {1, 1}};
  mergeDisjoint(out, in, SignElection::Total);
  expectNear(out, {-1, 2}); // divided by one, not by two
  mergeDisjoint(out, {{zero, zero}, {1, 1}}, SignElection::Total);
  expectNear(out, {0, 0});
}

TEST(MergeFormulasTest, DrawsAreRepeatableAndAsLikelyAsAsked) {
  std::vector<uint8_t> kept(100003), again(kept.size()), other(kept.size());
  drawBernoulli(kept, 0.3, 7, 0);
  drawBernoulli(again, 0.3, 7, 0);
  drawBernoulli(other, 0.3, 7, 1);
  EXPECT_EQ(kept, again);
  EXPECT_NE(kept, other);
  EXPECT_NEAR(static_cast<double>(std::ranges::count(kept, 1)) / 100003, 0.3,
              0.005);
  // Philox of key 7, counter 0: the known words decide the first entries.
  drawBernoulli(kept, 0, 7, 0);
  EXPECT_EQ(std::ranges::count(kept, 1), 0);
  drawBernoulli(kept, 1, 7, 0);
  EXPECT_EQ(std::ranges::count(kept, 1), 100003);
}

// ---- Versions

TEST(PeftVersionTest, ReadsVersions) {
  EXPECT_EQ(PeftVersion::parse("0.12")->text(), "0.12");
  EXPECT_EQ(PeftVersion::parse("0.21.2")->text(), "0.21");
  EXPECT_EQ(PeftVersion::parse("1.0")->text(), "1.0");
  for (const char *bad : {"", "0", "0.", "0.6", "x", "0.12.1.1", "0.12.x",
                          "-1.2", "0.99999999999", "0.12 "})
    EXPECT_FALSE(PeftVersion::parse(bad)) << bad;
}

TEST(MergeTypeTest, Names) {
  for (const char *name :
       {"cat", "linear", "svd", "ties", "ties_svd", "dare_linear", "dare_ties",
        "dare_linear_svd", "dare_ties_svd", "magnitude_prune",
        "magnitude_prune_svd", "sum", "average", "concat", "exact-linear"}) {
    auto type = mergeTypeByName(name);
    ASSERT_TRUE(type) << name;
    EXPECT_EQ(mergeTypeName(*type), name);
  }
  EXPECT_FALSE(mergeTypeByName("nonsense"));
}

// ---- Low rank

Factors randomFactors(int64_t rows, int64_t columns, int64_t rank,
                      unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  Factors f{rows, columns, rank, {}, {}};
  f.b.resize(static_cast<size_t>(rows * rank));
  f.a.resize(static_cast<size_t>(rank * columns));
  for (Floats *side : {&f.b, &f.a})
    for (float &x : *side)
      x = normal(random);
  return f;
}

double squared(const Floats &values) {
  double sum = 0;
  for (float x : values)
    sum += static_cast<double>(x) * x;
  return sum;
}

/// The two ways must agree, and the error must be orthogonal to the result:
/// |M|^2 = |M_r|^2 + |M - M_r|^2 holds for the best approximation.
TEST(LowRankTest, BothWaysGiveTheBestApproximation) {
  for (auto [rows, columns] : {std::pair(40, 25), std::pair(25, 40)})
    for (int64_t rank : {1, 5, 9}) {
      Factors product = randomFactors(rows, columns, 12, 3);
      Floats whole(static_cast<size_t>(rows * columns)), best(whole.size()),
          same(whole.size()), error(whole.size());
      multiply(product, 1, whole);
      Factors viaFactors = truncate(product, rank);
      Factors viaMatrix = truncate(whole, rows, columns, rank);
      multiply(viaFactors, 1, best);
      multiply(viaMatrix, 1, same);
      expectNear(best, same, 2e-4f);
      for (size_t i = 0; i < whole.size(); ++i)
        error[i] = whole[i] - best[i];
      EXPECT_NEAR(squared(whole), squared(best) + squared(error),
                  1e-4 * squared(whole));
      EXPECT_LT(squared(error), squared(whole));
      // A has orthonormal rows: all singular values are in B.
      for (const Factors &f : {viaFactors, viaMatrix})
        EXPECT_NEAR(squared(f.a), static_cast<double>(rank), 1e-4);
    }
}

TEST(LowRankTest, RankBeyondTheProducts) {
  Factors product = randomFactors(10, 8, 2, 4);
  Floats whole(80), same(80);
  multiply(product, 1, whole);
  for (const Factors &f : {truncate(product, 5), truncate(whole, 10, 8, 5)}) {
    EXPECT_EQ(f.rank, 5);
    EXPECT_EQ(f.a.size(), 40u);
    multiply(f, 1, same);
    expectNear(whole, same, 1e-5f);
  }
  Factors wide = randomFactors(4, 6, 9, 5); // more columns than rows
  Floats all(24), back(24);
  multiply(wide, 1, all);
  multiply(truncate(wide, 4), 1, back);
  expectNear(all, back, 1e-4f);
}

TEST(LowRankTest, ZeroMatrix) {
  Floats zero(12);
  for (float x : truncate(zero, 3, 4, 2).b)
    EXPECT_EQ(x, 0);
  for (float x : truncate(zero, 4, 3, 2).b)
    EXPECT_EQ(x, 0);
}

} // namespace
