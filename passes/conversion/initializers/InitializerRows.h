// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERROWS_H
#define LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERROWS_H

#include "passes/conversion/initializers/InitializerBuilder.h"

namespace mlir::lori {

/// Emits the evaluation of the matrices of an initializer, a row at a time.
class InitializerRows {
public:
  explicit InitializerRows(InitializerBuilder &builder) : e(builder) {}

  /// Emits the evaluation of row `row` (an index) of `value` into `scratch`, a
  /// row of f32. Ops that compute round to their own type.
  LogicalResult fill(Value value, Value row, Value scratch);

  /// The same, but before `value`'s op rounds.
  LogicalResult fillExact(Value value, Value row, Value scratch);

  /// Reports an error unless entries of `type` can be computed.
  LogicalResult checkEncodable(RankedTensorType type);

private:
  LogicalResult fuse(FuseOp op, Value row, Value scratch);
  /// Emits delta = B[row, :] A.
  Value multiplyFactors(FuseOp op, GetParamOp shrink, GetParamOp expand,
                        Value row);
  void fillHadamard(int64_t size, Value row, Value scratch);
  LogicalResult drawProjection(FrozenProjectionOp op, Value row, Value scratch);
  void round(RankedTensorType type, Value scratch);
  void roundBlocks(QuantType quant, int64_t columns, Value scratch);

  InitializerBuilder &e;
};

/// Emits the quantisation of block `block` of the f32s of `scratch`; `store`
/// emits the write of a byte (i8) at an index of the block.
void encodeRowBlock(InitializerBuilder &builder, QuantType quant, Value scratch,
                    Value block, function_ref<void(Value, Value)> store);

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERROWS_H
