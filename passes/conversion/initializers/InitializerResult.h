// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERRESULT_H
#define LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERRESULT_H

#include "passes/conversion/initializers/InitializerRows.h"

namespace mlir::lori {

/// Emits the stores of what an initializer yields, in the layout and the
/// storage of its type.
class InitializerResult {
public:
  explicit InitializerResult(InitializerBuilder &builder);

  /// Emits the evaluation and the stores of `value`, which is yielded.
  LogicalResult store(Value value);

private:
  LogicalResult storeMatrix(Value value);
  LogicalResult storeVector(Value value);
  LogicalResult storeFloats(Value value);
  LogicalResult storeBlocks(Value value);
  LogicalResult storeFusedBlocks(FuseOp op);
  LogicalResult copyBlocks(Value value);
  LogicalResult storeError(RoundingErrorOp op);
  /// Emits zeros for the panels' rows past the end of the matrix.
  void storePadding();

  void storeEntry(Value row, Value column, Value value);
  void storeByte(Value row, Value block, Value byte, Value value);
  /// Emits loops over the bytes of row `row`.
  void storeBytes(Value row, function_ref<Value(Value, Value)> byteAt);

  InitializerBuilder &e;
  InitializerRows rows;
  RankedTensorType type;
  Value out;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERRESULT_H
