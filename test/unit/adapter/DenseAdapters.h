// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Small random adapters on two modules, and their deltas written out in full.

#ifndef LORI_TEST_UNIT_ADAPTER_DENSEADAPTERS_H
#define LORI_TEST_UNIT_ADAPTER_DENSEADAPTERS_H

#include "test/unit/formats/SampleAdapters.h"
#include "tools/adapter/AdapterInput.h"

#include <cmath>
#include <random>

namespace lori::test {

/// A matrix, row by row.
using Dense = std::vector<double>;

inline double dot(const Dense &x, const Dense &y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i)
    sum += x[i] * y[i];
  return sum;
}

inline double norm(const Dense &x) { return std::sqrt(dot(x, x)); }

/// factorX * x + factorY * y
inline Dense added(const Dense &x, double factorX, const Dense &y,
                   double factorY) {
  Dense sum(x.size());
  for (size_t i = 0; i < x.size(); ++i)
    sum[i] = factorX * x[i] + factorY * y[i];
  return sum;
}

/// scaling * B A, entry by entry.
inline Dense denseDelta(const std::vector<float> &b,
                        const std::vector<float> &a, int64_t rank,
                        double scaling) {
  size_t r = static_cast<size_t>(rank), rows = b.size() / r,
         columns = a.size() / r;
  Dense delta(rows * columns);
  for (size_t i = 0; i < rows; ++i)
    for (size_t k = 0; k < r; ++k)
      for (size_t j = 0; j < columns; ++j)
        delta[i * columns + j] +=
            scaling * static_cast<double>(b[i * r + k]) * a[k * columns + j];
  return delta;
}

inline Dense deltaOf(const AdapterInput &adapter, size_t module) {
  const AdapterModule &m = adapter.modules()[module];
  return denseDelta(adapter.b(m), adapter.a(m), m.rank, m.scaling);
}

struct DenseAdapter {
  static constexpr int64_t in = 12, out[] = {10, 7};

  DenseAdapter(unsigned seed, int64_t rank) : rank(rank), random(seed) {
    for (int64_t rows : out) {
      a.push_back(drawn(rank * in));
      b.push_back(drawn(rows * rank));
    }
  }

  /// Sets about `share` of each B to 0.
  void sparsifyB(double share) {
    std::bernoulli_distribution isZero(share);
    for (std::vector<float> &values : b)
      for (float &x : values)
        x = isZero(random) ? 0 : x;
  }

  Dense delta(size_t module, double scaling) const {
    return denseDelta(b[module], a[module], rank, scaling);
  }

  /// A^T A [in, in]
  Dense gram(size_t module) const {
    size_t n = in;
    Dense product(n * n);
    for (size_t k = 0; k < static_cast<size_t>(rank); ++k)
      for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < n; ++j)
          product[i * n + j] +=
              static_cast<double>(a[module][k * n + i]) * a[module][k * n + j];
    return product;
  }

  /// Writes a PEFT directory, its scaling 4 / rank if nothing else is said.
  std::string write(const TemporaryFolder &folder, const std::string &name,
                    SampleFields changes = {}) const {
    std::vector<SampleTensor> tensors;
    std::string targets;
    for (size_t m = 0; m < modules.size(); ++m) {
      std::string quoted = jsonQuoted(modules[m]);
      // The sample writer takes names as JSON has them.
      std::string path =
          "base_model.model." + quoted.substr(1, quoted.size() - 2);
      tensors.push_back(
          {path + ".lora_A.weight", "F32", {rank, in}, bytes(a[m])});
      tensors.push_back(
          {path + ".lora_B.weight", "F32", {out[m], rank}, bytes(b[m])});
      targets += (m == 0 ? "" : ", ") + quoted;
    }
    changes["r"] = std::to_string(rank);
    changes["target_modules"] = "[" + targets + "]";
    return writeSampleAdapter(folder, name, changes, tensors);
  }

  /// The sum of rows and columns of both modules.
  static int64_t sides() { return 2 * in + out[0] + out[1]; }

  int64_t rank;
  std::vector<std::string> modules = {"model.layers.0.self_attn.q_proj",
                                      "model.layers.0.self_attn.v_proj"};
  std::vector<std::vector<float>> a, b; ///< by module

private:
  std::vector<float> drawn(int64_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<size_t>(count));
    for (float &x : values)
      x = normal(random);
    return values;
  }

  static std::string bytes(const std::vector<float> &values) {
    return {reinterpret_cast<const char *>(values.data()),
            values.size() * sizeof(float)};
  }

  std::mt19937 random;
};

} // namespace lori::test

#endif // LORI_TEST_UNIT_ADAPTER_DENSEADAPTERS_H
