// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_FROZENPROJECTION_H
#define LORI_PASSES_CONVERSION_FROZENPROJECTION_H

#include "dialect/lori/LoriOps.h"

namespace mlir::lori {

/// Emits the draw of entry `entry` (an index, row by row) of the projection
/// `op`, in f32, bit for bit as the op's description says. `stream` is the
/// value (i64) of the op's stream, or null if it has none.
Value drawEntry(OpBuilder &builder, Location loc, FrozenProjectionOp op,
                Value stream, Value entry);

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_FROZENPROJECTION_H
