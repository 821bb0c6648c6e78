// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_CONTRACTION_H
#define LORI_PASSES_CONVERSION_CONTRACTION_H

#include "mlir/IR/Builders.h"

namespace mlir::lori {

/// Emits `accumulator + x * weight^T` in linalg, for a weight in any storage;
/// `accumulator` `[rows, out]` is overwritten if it is not null.
///
/// A weight in panels gives one generic whose iteration dimensions are
///   (row, panel, lane, k)                 floats
///   (row, panel, lane, block, entry)      q8_0
///   (row, panel, lane, block, half, byte) q4_0, q4_1
/// and whose body decodes the weight: the form that the CPU code generator
/// turns into kernels. A plain weight gives a generic over (row, out, in). The
/// number of rows of a float weight may be unknown, a multiple of a panel then.
Value buildContraction(OpBuilder &builder, Location loc, Value x, Value weight,
                       Value accumulator);

/// Emits a tensor of f32 zeros of `[rows of x, columns]`.
Value buildZeroRows(OpBuilder &builder, Location loc, Value x,
                    OpFoldResult columns);

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_CONTRACTION_H
