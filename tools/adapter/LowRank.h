// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_LOWRANK_H
#define LORI_TOOLS_ADAPTER_LOWRANK_H

#include <cstdint>
#include <span>
#include <vector>

namespace lori {

/// The factors of a matrix B A, row-major: B [rows, rank], A [rank, columns].
struct Factors {
  int64_t rows = 0, columns = 0, rank = 0;
  std::vector<float> b, a;
};

/// out [rows, columns] = factor * B A, in f32.
void multiply(const Factors &factors, float factor, std::span<float> out);

/// left * right, each given as it is stored, row-major, or as its transpose.
struct RowProduct {
  std::span<const float> left; ///< [rows, rank], or [rank, rows] if transposed
  bool isLeftTransposed;
  std::span<const float> right; ///< [rank, columns], or [columns, rank]
  bool isRightTransposed;
};

/// out [count, columns] = factor * rows `first` and on of the product.
void multiplyRows(const RowProduct &product, int64_t rank, int64_t first,
                  int64_t count, int64_t columns, float factor,
                  std::span<float> out);

/// Returns the best approximation of rank `rank` (Eckart-Young) of `product`,
/// with B = U S and A = V^T: by QR of the two factors and an SVD of the small
/// matrix between them, in f64. `rank` is at most the smaller side of B A.
Factors truncate(const Factors &product, int64_t rank);

/// The same of a matrix that is not low-rank: by the eigenvectors of the
/// smaller Gram matrix, in f64, which leaves an error of about 1e-8 of the
/// largest singular value.
Factors truncate(std::span<const float> matrix, int64_t rows, int64_t columns,
                 int64_t rank);

/// Makes the linear algebra library use one thread from now on: callers run
/// modules in parallel instead.
void useOneThreadForLinearAlgebra();

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_LOWRANK_H
