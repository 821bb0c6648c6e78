// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_ELEMENTACCESS_H
#define LORI_PASSES_CONVERSION_ELEMENTACCESS_H

#include "dialect/lori/LoriOps.h"
#include "mlir/IR/Builders.h"

namespace mlir::lori {

/// Reads single entries of a stored matrix or vector, whatever its storage:
/// the meaning of `!lori.quant` and `#lori.panels` in scalar code.
class ElementAccess {
public:
  /// Reads from `storage`, a tensor or memref of the storage type of `type`.
  ElementAccess(RankedTensorType type, Value storage);

  /// Reads from `value`, a tensor; emits the view of its storage.
  ElementAccess(OpBuilder &builder, Location loc, Value value);

  /// Emits the read of the entry at `indices`, widened to f32.
  Value load(OpBuilder &builder, Location loc, ValueRange indices) const;

  /// Emits the read of byte `byte` of block `block` of row `row`, as i8.
  Value loadByte(OpBuilder &builder, Location loc, Value row, Value block,
                 Value byte) const;

private:
  Value loadStored(OpBuilder &builder, Location loc, ValueRange indices) const;

  RankedTensorType type;
  Value storage;
};

/// Widens the float `value` to f32.
Value widen(OpBuilder &builder, Location loc, Value value);

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_ELEMENTACCESS_H
