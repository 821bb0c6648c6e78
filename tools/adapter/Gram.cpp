// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/Gram.h"

#include <cassert>
#include <cblas.h>
#include <cmath>

using namespace lori;

using Doubles = std::vector<double>;

WideFactors lori::widen(int64_t rows, int64_t columns, int64_t rank,
                        std::span<const float> b, std::span<const float> a) {
  assert(b.size() == static_cast<size_t>(rows * rank));
  assert(a.size() == static_cast<size_t>(rank * columns));
  return {rows, columns, rank, {b.begin(), b.end()}, {a.begin(), a.end()}};
}

/// A_1 A_2^T [rank 1, rank 2]
static Doubles productOfA(const WideFactors &x, const WideFactors &y) {
  assert(x.columns == y.columns);
  Doubles out(static_cast<size_t>(x.rank * y.rank));
  if (!out.empty() && x.columns != 0)
    cblas_dgemm(
        CblasRowMajor, CblasNoTrans, CblasTrans, static_cast<int>(x.rank),
        static_cast<int>(y.rank), static_cast<int>(x.columns), 1.0, x.a.data(),
        static_cast<int>(x.columns), y.a.data(), static_cast<int>(y.columns),
        0.0, out.data(), static_cast<int>(y.rank));
  return out;
}

/// B_1^T B_2 [rank 1, rank 2]
static Doubles productOfB(const WideFactors &x, const WideFactors &y) {
  assert(x.rows == y.rows);
  Doubles out(static_cast<size_t>(x.rank * y.rank));
  if (!out.empty() && x.rows != 0)
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans,
                static_cast<int>(x.rank), static_cast<int>(y.rank),
                static_cast<int>(x.rows), 1.0, x.b.data(),
                static_cast<int>(x.rank), y.b.data(), static_cast<int>(y.rank),
                0.0, out.data(), static_cast<int>(y.rank));
  return out;
}

static double dot(const Doubles &x, const Doubles &y) {
  double sum = 0;
  for (size_t i = 0; i < x.size(); ++i)
    sum += x[i] * y[i];
  return sum;
}

double lori::innerProduct(const WideFactors &x, const WideFactors &y) {
  return dot(productOfB(x, y), productOfA(x, y));
}

double lori::rowProduct(const WideFactors &x, const WideFactors &y) {
  Doubles product = productOfA(x, y);
  return dot(product, product);
}

double lori::rowOverlap(const WideFactors &x, const WideFactors &y) {
  return rowProduct(x, y) / std::sqrt(rowProduct(x, x)) /
         std::sqrt(rowProduct(y, y));
}

double lori::rowOverlapByChance(int64_t columns, int64_t rank1, int64_t rank2) {
  auto n = static_cast<double>(columns), r1 = static_cast<double>(rank1),
       r2 = static_cast<double>(rank2);
  return std::sqrt(r1 / (n + r1 + 1)) * std::sqrt(r2 / (n + r2 + 1));
}
