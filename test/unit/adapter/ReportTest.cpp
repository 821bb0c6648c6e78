// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The figures of the report against dense deltas, and what must hold of them.

#include "tools/adapter/Report.h"
#include "test/unit/adapter/DenseAdapters.h"
#include "tools/adapter/MergeChoice.h"
#include "tools/adapter/MergeFiles.h"

#include <cmath>
#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

class ReportTest : public testing::Test {
protected:
  Report report(const std::vector<std::string> &paths,
                std::vector<double> weights = {}) {
    options.merge.weights = std::move(weights);
    options.threads = 2;
    inputs.clear();
    for (const std::string &path : paths)
      inputs.push_back(AdapterInput::open(path));
    return makeReport(inputs, options);
  }

  std::string write(const std::string &name, const DenseAdapter &adapter,
                    const SampleFields &changes = {}) {
    return adapter.write(folder, name, changes);
  }

  static const MergePrediction &of(const Report &report, MergeType type) {
    return report.merges.at(static_cast<size_t>(type));
  }

  TemporaryFolder folder;
  ReportOptions options;
  std::vector<AdapterInput> inputs;
};

TEST_F(ReportTest, FiguresAreThoseOfTheDenseDeltas) {
  DenseAdapter a(1, 2), b(2, 2);
  a.sparsifyB(0.4);
  b.sparsifyB(0.6);
  Report made = report({write("a", a, {{"lora_alpha", "5"}}),
                        write("b", b, {{"lora_alpha", "-3"}})},
                       {0.5, 2});
  double scaleA = 2.5, scaleB = -1.5, totalDot = 0, totalSum = 0;
  ASSERT_EQ(made.modules.size(), 2u);
  for (size_t m = 0; m < 2; ++m) {
    Dense x = a.delta(m, scaleA), y = b.delta(m, scaleB);
    const ModuleReport &module = made.modules[m];
    EXPECT_NEAR(module.parts[0]->energy, norm(x), 1e-9);
    EXPECT_NEAR(module.parts[1]->energy, norm(y), 1e-9);
    const PairFigures &pair = module.pairs.at(0);
    EXPECT_NEAR(pair.dot, dot(x, y), 1e-9);
    EXPECT_NEAR(pair.cosine, dot(x, y) / norm(x) / norm(y), 1e-12);
    EXPECT_NEAR(pair.overlapOfA,
                dot(a.gram(m), b.gram(m)) / norm(a.gram(m)) / norm(b.gram(m)),
                1e-12);
    Dense sum = added(x, 0.5, y, 2);
    EXPECT_NEAR(module.energy, norm(sum), 1e-9);
    totalDot += dot(x, y);
    totalSum += dot(sum, sum);

    double common = 0, nonzerosA = 0, nonzerosB = 0;
    size_t entries = a.b[m].size();
    for (size_t i = 0; i < entries; ++i) {
      common += a.b[m][i] != 0 && b.b[m][i] != 0;
      nonzerosA += a.b[m][i] != 0;
      nonzerosB += b.b[m][i] != 0;
    }
    EXPECT_EQ(pair.common, common);
    EXPECT_NEAR(pair.commonByChance,
                nonzerosA * nonzerosB / static_cast<double>(entries), 1e-9);
    EXPECT_EQ(static_cast<double>(module.parts[0]->trained), nonzerosA);
    EXPECT_EQ(module.parts[0]->stored,
              static_cast<int64_t>(entries + a.a[m].size()));
    EXPECT_NEAR(module.parts[0]->shareOfLora(),
                nonzerosA / static_cast<double>(entries + a.a[m].size()),
                1e-12);
  }
  EXPECT_NEAR(made.energy, std::sqrt(totalSum), 1e-9);
  EXPECT_NEAR(made.pairs.at(0).cosine,
              totalDot / made.adapters[0].total.energy /
                  made.adapters[1].total.energy,
              1e-12);
  EXPECT_EQ(made.pairs[0].modules, 2);
  EXPECT_EQ(made.pairs[0].equalA, 0);
}

TEST_F(ReportTest, AnAdapterAgreesWithItself) {
  DenseAdapter a(3, 2);
  a.sparsifyB(0.5);
  Report made = report({write("a", a), write("b", a)});
  const PairFigures &pair = made.pairs.at(0);
  EXPECT_NEAR(pair.cosine, 1, 1e-12);
  EXPECT_NEAR(pair.overlapOfA, 1, 1e-12);
  EXPECT_EQ(pair.equalA, 2);
  EXPECT_EQ(pair.common, static_cast<double>(made.adapters[0].total.trained));
  EXPECT_EQ(of(made, MergeType::ExactLinear).error, 0);
  EXPECT_EQ(of(made, MergeType::ExactLinear).rank, 2);
  // The two are one delta of rank 2, twice.
  EXPECT_LT(of(made, MergeType::Svd).error, 1e-6);
}

TEST_F(ReportTest, DisjointMasksHaveNothingInCommon) {
  DenseAdapter a(4, 2), b(5, 2);
  for (size_t m = 0; m < 2; ++m)
    for (size_t i = 0; i < a.b[m].size(); ++i)
      (i % 2 == 0 ? a : b).b[m][i] = i % 4 == 0 ? -0.0f : 0.0f;
  Report made = report({write("a", a), write("b", b)});
  EXPECT_EQ(made.pairs.at(0).common, 0);
  EXPECT_EQ(made.pairs[0].maskRatio(), 0);
  EXPECT_GT(made.pairs[0].commonByChance, 0);
}

TEST_F(ReportTest, OrthogonalRowsDoNotOverlap) {
  DenseAdapter a(6, 2), b(7, 2);
  for (size_t m = 0; m < 2; ++m)
    for (size_t i = 0; i < a.a[m].size(); ++i)
      (i % 2 == 0 ? a : b).a[m][i] = 0; // the number of columns is even
  Report made = report({write("a", a), write("b", b)});
  EXPECT_EQ(made.pairs.at(0).overlapOfA, 0);
  EXPECT_EQ(made.pairs[0].cosine, 0);
  EXPECT_GT(made.pairs[0].overlapByChance, 0);
}

TEST_F(ReportTest, RotatedRowsSpanTheSame) {
  DenseAdapter a(8, 2), b(8, 2);
  for (size_t m = 0; m < 2; ++m) {
    size_t columns = a.a[m].size() / 2;
    for (size_t i = 0; i < columns; ++i) { // a quarter turn
      b.a[m][i] = a.a[m][columns + i];
      b.a[m][columns + i] = -a.a[m][i];
    }
  }
  Report made = report({write("a", a), write("b", b)});
  EXPECT_NEAR(made.pairs.at(0).overlapOfA, 1, 1e-12);
  EXPECT_EQ(made.pairs[0].equalA, 0);
}

TEST(GramTest, RandomRowsOverlapByChance) {
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  for (auto [columns, rank1, rank2] :
       {std::array{16, 2, 2}, {32, 8, 4}, {96, 32, 32}, {64, 1, 16}}) {
    double sum = 0;
    int count = 400;
    for (int i = 0; i < count; ++i) {
      std::vector<float> a1(static_cast<size_t>(columns * rank1)),
          a2(static_cast<size_t>(columns * rank2));
      for (std::vector<float> *a : {&a1, &a2})
        for (float &x : *a)
          x = normal(random);
      sum += rowOverlap(widen(0, columns, rank1, {}, a1),
                        widen(0, columns, rank2, {}, a2));
    }
    double chance = rowOverlapByChance(columns, rank1, rank2);
    EXPECT_NEAR(sum / count / chance, 1, 0.05) << columns << " " << rank1;
  }
}

// ---- Merges

TEST_F(ReportTest, ErrorsAreThoseOfTheMergesThatAreWritten) {
  DenseAdapter a(10, 2), b(11, 2), c(12, 2);
  options.merge.density = 0.5;
  options.merge.seed = 5;
  std::vector<double> weights = {1, 0.5, -0.25};
  Report made = report({write("a", a), write("b", b), write("c", c)}, weights);
  int known = 0;
  for (const MergePrediction &merge : made.merges) {
    if (merge.basis == MergePrediction::Basis::Unknown)
      continue;
    ++known;
    MergeOptions own{.type = merge.type, .weights = weights};
    own.density = options.merge.density;
    own.seed = options.merge.seed;
    std::string output = folder / std::string(mergeTypeName(merge.type));
    mergeToDirectory(inputs, planMerge(inputs, own), "", output, 1);
    AdapterInput result = AdapterInput::open(output);
    double squared = 0, whole = 0;
    for (size_t m = 0; m < 2; ++m) {
      Dense sum = added(added(a.delta(m, 2), 1, b.delta(m, 2), 0.5), 1,
                        c.delta(m, 2), -0.25);
      Dense distance = added(deltaOf(result, m), 1, sum, -1);
      squared += dot(distance, distance);
      whole += dot(sum, sum);
    }
    EXPECT_NEAR(merge.error, std::sqrt(squared / whole), 2e-6)
        << mergeTypeName(merge.type);
    EXPECT_EQ(merge.rank, result.modules()[0].rank);
    EXPECT_EQ(merge.bytes, 4 * merge.rank * DenseAdapter::sides());
  }
  EXPECT_EQ(known, 10);
  EXPECT_GT(of(made, MergeType::Linear).error, 0.1);
  EXPECT_EQ(of(made, MergeType::Cat).error, 0);
  EXPECT_EQ(of(made, MergeType::DareTies).basis,
            MergePrediction::Basis::OneDraw);
}

TEST_F(ReportTest, WhatIsNotKnownSaysWhy) {
  DenseAdapter a(13, 2), b(14, 3);
  Report made = report({write("a", a), write("b", b)});
  EXPECT_SAYS(of(made, MergeType::Linear).reason, "factors of equal rank");
  EXPECT_SAYS(of(made, MergeType::Ties).reason, "needs --density");
  EXPECT_SAYS(of(made, MergeType::TiesSvd).reason, "single entries");
  EXPECT_SAYS(of(made, MergeType::ExactLinear).reason, "has different A's");
  EXPECT_TRUE(std::isnan(of(made, MergeType::Linear).error));
  EXPECT_TRUE(std::isnan(made.pairs.at(0).common)); // masks of two shapes
  EXPECT_TRUE(std::isfinite(made.pairs[0].cosine));
}

TEST_F(ReportTest, TheSmallestMergeThatIsExactIsChosen) {
  DenseAdapter a(30, 2), b(31, 2);
  std::vector<std::string> paths = {write("a", a), write("b", b)};
  Report made = report(paths);
  EXPECT_EQ(chooseMerge(made.merges, 1e-6), MergeType::Concat);
  double error = of(made, MergeType::Svd).error;
  EXPECT_GT(error, 0.01);
  EXPECT_LT(error, of(made, MergeType::Linear).error);
  EXPECT_EQ(chooseMerge(made.merges, error), MergeType::Svd);

  b.a = a.a;
  made = report({paths[0], write("same-a", b)});
  EXPECT_EQ(chooseMerge(made.merges, 1e-6), MergeType::ExactLinear);
}

TEST_F(ReportTest, WhereNothingCanBeMergedNothingIsChosen) {
  DenseAdapter a(32, 2);
  Report made = report({write("a", a), write("b", a)}, {1, -1});
  EXPECT_SAYS(errorOf([&] { chooseMerge(made.merges, 1e-6); }),
              "--type=auto: finds no merge");
}

TEST_F(ReportTest, WeightsMustBeAsManyAsAdapters) {
  std::string path = write("a", DenseAdapter(33, 2));
  EXPECT_SAYS(errorOf([&] { report({path, path}, {1}); }),
              "--weights: has 1 numbers for 2 adapters");
}

TEST_F(ReportTest, InheritedRsLoraCounts) {
  DenseAdapter a(15, 2), b(16, 2);
  Report made =
      report({write("a", a, {{"use_rslora", "true"}}), write("b", b)});
  EXPECT_NEAR(of(made, MergeType::Cat).error, std::sqrt(4.0) - 1, 1e-12);
  EXPECT_EQ(of(made, MergeType::Concat).error, 0);
}

TEST_F(ReportTest, DeltasThatCancelLeaveNothingToRelateTo) {
  DenseAdapter a(17, 2);
  Report made = report({write("a", a), write("b", a)}, {1, -1});
  EXPECT_EQ(made.energy, 0);
  EXPECT_TRUE(std::isnan(of(made, MergeType::Linear).error));
  EXPECT_NEAR(made.pairs.at(0).cosine, 1, 1e-12);
}

TEST_F(ReportTest, WeightsBeyondFloatsHaveNoMerges) {
  DenseAdapter a(25, 2), b(26, 2);
  Report made = report({write("a", a), write("b", b)}, {1e300, 1});
  for (MergeType type : {MergeType::Svd, MergeType::Linear, MergeType::Cat})
    EXPECT_SAYS(of(made, type).reason, "overflows f32");
  EXPECT_TRUE(std::isfinite(made.pairs.at(0).cosine));
}

TEST_F(ReportTest, ModulesOfOneAdapterHaveNoPairs) {
  DenseAdapter a(18, 2), b(19, 2);
  b.modules.pop_back();
  Report made = report({write("a", a), write("b", b)});
  ASSERT_EQ(made.modules.size(), 2u);
  EXPECT_EQ(made.modules[0].pairs.size() + made.modules[1].pairs.size(), 1u);
  EXPECT_EQ(made.pairs.at(0).modules, 1);
  EXPECT_EQ(made.adapters[1].modules, 1u);
}

TEST_F(ReportTest, OneAdapterHasNoMerges) {
  Report made = report({write("a", DenseAdapter(20, 2))});
  EXPECT_TRUE(made.merges.empty());
  EXPECT_TRUE(made.pairs.empty());
  EXPECT_GT(made.adapters[0].total.energy, 0);
}

TEST_F(ReportTest, PacksStoreLessAndSayTheSame) {
  DenseAdapter a(21, 2), b(22, 2);
  a.sparsifyB(0.8);
  std::string directory = write("a", a);
  packAdapter(*AdapterInput::open(directory).directory(), "",
              folder / "a.safetensors");
  Report made = report({directory, folder / "a.safetensors", write("b", b)});
  const PartFigures &x = made.adapters[0].total, &y = made.adapters[1].total;
  EXPECT_EQ(x.trained, y.trained);
  EXPECT_EQ(y.stored, y.entriesOfA + y.trained);
  EXPECT_LT(y.stored, x.stored);
  EXPECT_EQ(made.pairs[1].cosine, made.pairs[2].cosine);
}

TEST_F(ReportTest, ThreadsDoNotChangeTheFigures) {
  std::vector<std::string> paths = {write("a", DenseAdapter(23, 2)),
                                    write("b", DenseAdapter(24, 2))};
  Report two = report(paths);
  options.threads = 1;
  Report one = makeReport(inputs, options);
  EXPECT_EQ(one.energy, two.energy);
  EXPECT_EQ(of(one, MergeType::Linear).error, of(two, MergeType::Linear).error);
}

} // namespace
