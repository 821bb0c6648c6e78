// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/LowRank.h"

#include <algorithm>
#include <cassert>
#include <cblas.h>
#include <cmath>
#include <lapacke.h>
#include <stdexcept>

using namespace lori;

using Doubles = std::vector<double>;

static size_t area(int64_t rows, int64_t columns) {
  return static_cast<size_t>(rows) * static_cast<size_t>(columns);
}

// Input is finite, so that only a programming mistake makes LAPACK fail.
static void require(lapack_int info, const char *routine) {
  if (info != 0)
    throw std::logic_error(std::string(routine) + " failed with " +
                           std::to_string(info));
}

void lori::useOneThreadForLinearAlgebra() { openblas_set_num_threads(1); }

void lori::multiply(const Factors &f, float factor, std::span<float> out) {
  assert(out.size() == area(f.rows, f.columns));
  if (out.empty())
    return;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans,
              static_cast<int>(f.rows), static_cast<int>(f.columns),
              static_cast<int>(f.rank), factor, f.b.data(),
              static_cast<int>(f.rank), f.a.data(), static_cast<int>(f.columns),
              0.0f, out.data(), static_cast<int>(f.columns));
}

void lori::multiplyRows(const RowProduct &p, int64_t rank, int64_t first,
                        int64_t count, int64_t columns, float factor,
                        std::span<float> out) {
  assert(out.size() == area(count, columns));
  auto rows = static_cast<int>(
      rank == 0 ? 0 : p.left.size() / static_cast<size_t>(rank));
  auto n = static_cast<int>(columns), k = static_cast<int>(rank);
  const float *left =
      p.left.data() + (p.isLeftTransposed ? first : first * rank);
  cblas_sgemm(CblasRowMajor, p.isLeftTransposed ? CblasTrans : CblasNoTrans,
              p.isRightTransposed ? CblasTrans : CblasNoTrans,
              static_cast<int>(count), n, k, factor, left,
              p.isLeftTransposed ? rows : k, p.right.data(),
              p.isRightTransposed ? k : n, 0.0f, out.data(), n);
}

static void multiply(bool transposeA, bool transposeB, int64_t m, int64_t n,
                     int64_t k, const double *a, const double *b, double *c) {
  cblas_dgemm(CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
              transposeB ? CblasTrans : CblasNoTrans, static_cast<int>(m),
              static_cast<int>(n), static_cast<int>(k), 1.0, a,
              static_cast<int>(transposeA ? m : k), b,
              static_cast<int>(transposeB ? k : n), 0.0, c,
              static_cast<int>(n));
}

/// matrix [rows, n] = Q R, rows >= n: leaves Q in `matrix`, returns R [n, n].
static Doubles factorise(Doubles &matrix, int64_t rows, int64_t n) {
  auto m = static_cast<lapack_int>(rows), k = static_cast<lapack_int>(n);
  Doubles tau(static_cast<size_t>(n)), r(area(n, n));
  require(LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, m, k, matrix.data(), k, tau.data()),
          "dgeqrf");
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i; j < n; ++j)
      r[area(i, n) + static_cast<size_t>(j)] =
          matrix[area(i, n) + static_cast<size_t>(j)];
  require(
      LAPACKE_dorgqr(LAPACK_ROW_MAJOR, m, k, k, matrix.data(), k, tau.data()),
      "dorgqr");
  return r;
}

Factors lori::truncate(const Factors &product, int64_t rank) {
  int64_t n = product.rank;
  if (n > std::min(product.rows, product.columns)) {
    std::vector<float> matrix(area(product.rows, product.columns));
    multiply(product, 1, matrix);
    return truncate(matrix, product.rows, product.columns, rank);
  }
  Doubles qb(product.b.begin(), product.b.end());
  Doubles qa(product.a.size()); // A^T
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = 0; j < product.columns; ++j)
      qa[area(j, n) + static_cast<size_t>(i)] =
          product.a[area(i, product.columns) + static_cast<size_t>(j)];
  Doubles rb = factorise(qb, product.rows, n);
  Doubles ra = factorise(qa, product.columns, n);
  // B A = Qb (Rb Ra^T) Qa^T
  Doubles core(area(n, n)), u(area(n, n)), vt(area(n, n));
  Doubles s(static_cast<size_t>(n));
  ::multiply(false, true, n, n, n, rb.data(), ra.data(), core.data());
  auto size = static_cast<lapack_int>(n);
  require(LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'A', size, size, core.data(), size,
                         s.data(), u.data(), size, vt.data(), size),
          "dgesdd");

  // What goes beyond the rank of the product is 0.
  Factors result{product.rows, product.columns, rank, {}, {}};
  result.b.assign(area(product.rows, rank), 0);
  result.a.assign(area(rank, product.columns), 0);
  Doubles wideB(area(product.rows, n)), wideA(area(n, product.columns));
  ::multiply(false, false, product.rows, n, n, qb.data(), u.data(),
             wideB.data());
  ::multiply(false, true, n, product.columns, n, vt.data(), qa.data(),
             wideA.data());
  for (int64_t j = 0; j < std::min(n, rank); ++j) {
    auto column = static_cast<size_t>(j);
    for (int64_t i = 0; i < product.rows; ++i)
      result.b[area(i, rank) + column] =
          static_cast<float>(wideB[area(i, n) + column] * s[column]);
    std::copy_n(wideA.begin() + static_cast<int64_t>(area(j, product.columns)),
                product.columns,
                result.a.begin() +
                    static_cast<int64_t>(area(j, product.columns)));
  }
  return result;
}

/// Returns the eigenvectors of the `rank` largest eigenvalues of a symmetric
/// matrix [n, n], the largest first, as rows [rank, n].
static Doubles largestEigenvectors(Doubles &matrix, int64_t n, int64_t rank) {
  auto size = static_cast<lapack_int>(n);
  auto count = static_cast<lapack_int>(rank);
  Doubles values(static_cast<size_t>(n)), vectors(area(n, rank));
  std::vector<lapack_int> support(2 * static_cast<size_t>(rank));
  lapack_int found = 0;
  require(LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'L', size, matrix.data(),
                         size, 0, 0, size - count + 1, size, 0, &found,
                         values.data(), vectors.data(), size, support.data()),
          "dsyevr");
  // Columns in ascending order of eigenvalue are rows here.
  Doubles rows(vectors.size());
  for (int64_t i = 0; i < rank; ++i)
    std::copy_n(vectors.begin() + static_cast<int64_t>(area(rank - 1 - i, n)),
                n, rows.begin() + static_cast<int64_t>(area(i, n)));
  return rows;
}

Factors lori::truncate(std::span<const float> matrix, int64_t rows,
                       int64_t columns, int64_t rank) {
  assert(rank <= std::min(rows, columns));
  assert(matrix.size() == area(rows, columns));
  Factors result{rows, columns, rank, {}, {}};
  Doubles m(matrix.begin(), matrix.end());
  bool isTall = rows >= columns;
  int64_t n = std::min(rows, columns), k = std::max(rows, columns);
  Doubles gram(area(n, n));
  cblas_dsyrk(CblasRowMajor, CblasUpper, isTall ? CblasTrans : CblasNoTrans,
              static_cast<int>(n), static_cast<int>(k), 1.0, m.data(),
              static_cast<int>(columns), 0.0, gram.data(),
              static_cast<int>(n)); // the upper half of rows = LAPACK's lower
  Doubles vectors = largestEigenvectors(gram, n, rank);
  if (isTall) { // V: B = M V, which is U S
    Doubles b(area(rows, rank));
    ::multiply(false, true, rows, rank, columns, m.data(), vectors.data(),
               b.data());
    result.b.assign(b.begin(), b.end());
    result.a.assign(vectors.begin(), vectors.end());
    return result;
  }
  // U: U^T M is S V^T, whose rows have the singular values for lengths.
  Doubles sv(area(rank, columns));
  ::multiply(false, false, rank, columns, rows, vectors.data(), m.data(),
             sv.data());
  result.b.assign(area(rows, rank), 0);
  result.a.assign(area(rank, columns), 0);
  for (int64_t j = 0; j < rank; ++j) {
    const double *row = sv.data() + area(j, columns);
    double s = cblas_dnrm2(static_cast<int>(columns), row, 1);
    if (s == 0)
      continue;
    for (int64_t i = 0; i < columns; ++i)
      result.a[area(j, columns) + static_cast<size_t>(i)] =
          static_cast<float>(row[i] / s);
    for (int64_t i = 0; i < rows; ++i)
      result.b[area(i, rank) + static_cast<size_t>(j)] = static_cast<float>(
          vectors[area(j, rows) + static_cast<size_t>(i)] * s);
  }
  return result;
}
