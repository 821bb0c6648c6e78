// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels against a naive evaluation, for every storage type and row count.

#include "test/passes/codegen/KernelJit.h"
#include "test/passes/codegen/PanelCase.h"

#include <cmath>
#include <gtest/gtest.h>

namespace lori::testing {
namespace {

/// Allocated exactly, so that a sanitizer sees reads and writes beyond.
struct Data {
  std::vector<uint8_t> packed;
  std::vector<float> dense, x, y;

  Data(const PanelCase &panel, int64_t rows, bool dyadic, uint32_t seed)
      : packed(panel.weightBytes()), dense(panel.columns() * panel.depth),
        x(rows * panel.depth), y(rows * panel.columns()) {
    std::mt19937 random(seed);
    panel.fill(random, dyadic, packed.data(), dense.data());
    std::uniform_int_distribution<int> small(-3, 3);
    std::uniform_real_distribution<float> real(-1.0f, 1.0f);
    for (float &value : x)
      value = dyadic ? small(random) * 0.5f : real(random);
    for (float &value : y)
      value = dyadic ? small(random) : real(random);
  }
};

std::vector<double> naive(const PanelCase &panel, const Data &data,
                          int64_t rows) {
  std::vector<double> sums(data.y.begin(), data.y.end());
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t n = 0; n < panel.columns(); ++n)
      for (int64_t k = 0; k < panel.depth; ++k)
        sums[row * panel.columns() + n] +=
            double(data.x[row * panel.depth + k]) *
            data.dense[n * panel.depth + k];
  return sums;
}

using Parameter = std::tuple<Storage, int /*target*/>;

class Kernels : public ::testing::TestWithParam<Parameter> {
protected:
  Storage storage = std::get<0>(GetParam());
  Target target = targets()[std::get<1>(GetParam())];
  int64_t width = 2 * target.options.vectorBits / 32;

  void SetUp() override {
    if (!target.runs)
      GTEST_SKIP() << "this processor lacks " << target.name;
  }

  void run(const KernelJit &jit, const PanelCase &panel, Data &data,
           int64_t rows) {
    jit.call(data.x.data(), rows, panel.depth, data.packed.data(),
             panel.weightBytes(), data.y.data(), panel.columns());
  }
};

TEST_P(Kernels, AreExactOnDyadicData) {
  for (int64_t panels : {1, 3, 7}) {
    PanelCase panel{storage, panels, 96, width};
    KernelJit jit(panel.module(), target, KernelJit::Road::Kernels);
    ASSERT_EQ(jit.error(), "");
    for (int64_t rows = 0; rows <= 40; ++rows) {
      Data data(panel, rows, /*dyadic=*/true, 17 * rows + panels);
      std::vector<double> expected = naive(panel, data, rows);
      run(jit, panel, data, rows);
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(data.y[i], expected[i])
            << rows << " rows, " << panels << " panels, element " << i;
    }
  }
}

TEST_P(Kernels, BlockTheReductionExactly) {
  // Deeper than a block, and the last block is shorter.
  PanelCase panel{storage, 2, 1376, width};
  KernelJit jit(panel.module(), target, KernelJit::Road::Kernels);
  ASSERT_EQ(jit.error(), "");
  for (int64_t rows : {1, 2, 13, 29, 67}) {
    Data data(panel, rows, /*dyadic=*/true, rows);
    std::vector<double> expected = naive(panel, data, rows);
    run(jit, panel, data, rows);
    for (size_t i = 0; i < expected.size(); ++i)
      ASSERT_EQ(data.y[i], expected[i]) << rows << " rows, element " << i;
  }
}

TEST_P(Kernels, GiveARowTheSameBitsInEveryBatch) {
  PanelCase panel{storage, 5, 1376, width};
  KernelJit jit(panel.module(), target, KernelJit::Road::Kernels);
  ASSERT_EQ(jit.error(), "");
  const int64_t most = 40;
  Data all(panel, most, /*dyadic=*/false, 5);
  Data start = all;
  run(jit, panel, all, most);
  for (int64_t rows = 1; rows < most; ++rows) {
    Data some = start;
    run(jit, panel, some, rows);
    for (int64_t i = 0; i < rows * panel.columns(); ++i)
      ASSERT_EQ(some.y[i], all.y[i]) << rows << " rows, element " << i;
  }
}

TEST_P(Kernels, AgreeWithLoops) {
  PanelCase panel{storage, 4, 576, width};
  KernelJit jit(panel.module(), target, KernelJit::Road::Kernels);
  KernelJit loops(panel.module(), target, KernelJit::Road::Loops);
  ASSERT_EQ(jit.error(), "");
  ASSERT_EQ(loops.error(), "");
  for (int64_t rows : {1, 3, 6, 14, 33}) {
    Data data(panel, rows, /*dyadic=*/false, 3 + rows);
    Data other = data;
    std::vector<double> expected = naive(panel, data, rows);
    run(jit, panel, data, rows);
    run(loops, panel, other, rows);
    double norm = 0;
    for (double value : expected)
      norm += value * value;
    double scale = std::sqrt(norm / expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      ASSERT_NEAR(data.y[i], expected[i], 1e-5 * scale) << "element " << i;
      ASSERT_NEAR(data.y[i], other.y[i], 1e-5 * scale) << "element " << i;
    }
  }
}

std::string label(const ::testing::TestParamInfo<Parameter> &info) {
  std::string target = targets()[std::get<1>(info.param)].name;
  return std::string(name(std::get<0>(info.param))) + "_" +
         target.substr(target.size() - 2);
}

INSTANTIATE_TEST_SUITE_P(Cpu, Kernels,
                         ::testing::Combine(::testing::ValuesIn(allStorages),
                                            ::testing::Values(0, 1)),
                         label);

} // namespace
} // namespace lori::testing
