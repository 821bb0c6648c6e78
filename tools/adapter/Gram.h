// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products of low-rank matrices without the matrices: everything goes through
// small products of the factors, in f64.

#ifndef LORI_TOOLS_ADAPTER_GRAM_H
#define LORI_TOOLS_ADAPTER_GRAM_H

#include <cstdint>
#include <span>
#include <vector>

namespace lori {

/// The factors of D = B A in f64, row-major: B [rows, rank], A [rank, columns].
struct WideFactors {
  int64_t rows = 0, columns = 0, rank = 0;
  std::vector<double> b, a;
};

WideFactors widen(int64_t rows, int64_t columns, int64_t rank,
                  std::span<const float> b, std::span<const float> a);

/// <D_1, D_2> = sum of all entries of (B_1^T B_2) * (A_1 A_2^T), where * goes
/// entry by entry. Both must have the same rows and columns.
double innerProduct(const WideFactors &x, const WideFactors &y);

/// |A_1 A_2^T|_F^2 = <A_1^T A_1, A_2^T A_2>
double rowProduct(const WideFactors &x, const WideFactors &y);

/// How much the row spaces of two A's have in common, 0 to 1:
///   |A_1 A_2^T|_F^2 / (|A_1 A_1^T|_F |A_2 A_2^T|_F),
/// the cosine of A_1^T A_1 and A_2^T A_2. 0 if all rows are orthogonal, 1 if
/// the A's are equal up to a rotation of their rows and a factor; if all rows
/// are orthonormal and the ranks equal, the mean of the squared cosines of the
/// principal angles. NaN if an A is 0.
double rowOverlap(const WideFactors &x, const WideFactors &y);

/// What rowOverlap is for A's of independent normal entries, as the ratio of
/// the expectations (for n = columns, r_i = ranks):
///   E|A_1 A_2^T|^2 = r_1 r_2 n,   E|A A^T|^2 = r n (n + r + 1)
///   sqrt(r_1 r_2 / ((n + r_1 + 1) (n + r_2 + 1)))
double rowOverlapByChance(int64_t columns, int64_t rank1, int64_t rank2);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_GRAM_H
