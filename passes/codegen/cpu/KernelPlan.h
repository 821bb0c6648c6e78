// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a kernel uses registers and caches, from the target's numbers.

#ifndef LORI_PASSES_CODEGEN_CPU_KERNELPLAN_H
#define LORI_PASSES_CODEGEN_CPU_KERNELPLAN_H

#include <algorithm>
#include <cstdint>

namespace mlir::lori {

struct RegisterPlan {
  int64_t lanes;     ///< f32 lanes of a native vector
  int64_t registers; ///< vector registers

  int64_t vectors(int64_t width) const { return (width + lanes - 1) / lanes; }

  /// Returns whether `rows` accumulators for each of `vectors` vectors of
  /// weights fit: with several rows the weights stay in registers, too; two
  /// registers are left for a broadcast and a temporary.
  bool fits(int64_t rows, int64_t vectors) const {
    int64_t weights = rows > 1 ? vectors : 0;
    return rows * vectors + weights + 2 <= registers;
  }

  /// Returns the most rows (at least 1) whose accumulators fit.
  int64_t maxRows(int64_t vectors) const {
    return std::max<int64_t>(1, (registers - 2 - vectors) / vectors);
  }

  /// Returns how many panels of `vectors` vectors to go through at once with
  /// `rows` rows, a power of two up to `most`: more of them keep more streams
  /// of memory and more chains of multiply-adds busy.
  int64_t panelsAtOnce(int64_t rows, int64_t vectors, int64_t most) const {
    int64_t panels = 1;
    while (panels * 2 <= most && fits(rows, panels * 2 * vectors))
      panels *= 2;
    return panels;
  }

  /// Returns how many panels, a power of two up to `most`, to go through at
  /// once where rows come in whole blocks: as many as need the fewest loads
  /// for each multiply-add, `p * vectors` weights and one value of each row.
  int64_t panelsOfBlocks(int64_t vectors, int64_t most) const {
    int64_t best = 1;
    double fewest = 1e9;
    for (int64_t panels = 1; panels <= most; panels *= 2) {
      int64_t weights = panels * vectors, rows = maxRows(weights);
      double loads = double(weights + rows) / (weights * rows);
      if (rows > 1 && loads < fewest) {
        fewest = loads;
        best = panels;
      }
    }
    return best;
  }
};

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_KERNELPLAN_H
