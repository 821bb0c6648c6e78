// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops around the register-sized parts of a panel contraction.

#ifndef LORI_PASSES_CODEGEN_CPU_PANELTILER_H
#define LORI_PASSES_CODEGEN_CPU_PANELTILER_H

#include "passes/codegen/cpu/PanelContraction.h"
#include "passes/codegen/cpu/Passes.h"

namespace mlir::lori {

/// Replaces `c` by smaller contractions of its panels lower … upper with all
/// rows; the pass's description says which.
void tilePanels(PanelContraction &c, const TileContractionsPassOptions &options,
                Value lower, Value upper);

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_PANELTILER_H
