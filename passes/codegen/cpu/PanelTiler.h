// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops around the register-sized parts of a panel contraction.

#ifndef LORI_PASSES_CODEGEN_CPU_PANELTILER_H
#define LORI_PASSES_CODEGEN_CPU_PANELTILER_H

#include "passes/codegen/cpu/PanelContraction.h"
#include "passes/codegen/cpu/Passes.h"

namespace mlir::lori {

/// From `lower` to below `upper`, both indices.
struct LoopRange {
  Value lower, upper;
};

/// Returns from how many rows on weights are decoded into a buffer.
int64_t manyRows(const PanelContraction &c,
                 const TileContractionsPassOptions &options);

/// Returns how many of these many rows go through the registers at once.
int64_t rowsAtOnce(const PanelContraction &c,
                   const TileContractionsPassOptions &options);

/// Replaces `c` by smaller contractions of a range of its panels; the pass's
/// description says which. Rows are a range where there are `manyRows`, else
/// all of them.
void tilePanels(PanelContraction &c, const TileContractionsPassOptions &options,
                LoopRange panels, LoopRange rows);

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_PANELTILER_H
