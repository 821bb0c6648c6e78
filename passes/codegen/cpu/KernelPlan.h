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

struct CachePlan {
  int64_t l1Bytes; ///< first-level data cache
  int64_t l2Bytes; ///< second-level cache

  /// Returns the most values of k in a block, each of `bytes` bytes of decoded
  /// weights: they fill at most three quarters of the first level.
  int64_t depth(int64_t bytes) const {
    return std::max<int64_t>(32, l1Bytes * 3 / 4 / bytes / 32 * 32);
  }

  /// Returns the most values of k in a row of a block, whole times `depth`:
  /// enough that sums are seldom loaded and stored, few enough that many rows
  /// fill half of the second level.
  int64_t stretch(int64_t depth) const {
    int64_t floats = l2Bytes / 2 / 4, stretch = depth;
    while ((stretch + depth) * (stretch + depth) <= 2 * floats)
      stretch += depth;
    return stretch;
  }

  /// Returns how many rows of `floats` floats fill half of the second level.
  int64_t rows(int64_t floats) const {
    return std::max<int64_t>(1, l2Bytes / 2 / (floats * 4));
  }
};

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_KERNELPLAN_H
