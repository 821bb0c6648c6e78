// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/ElementAccess.h"
#include "passes/conversion/BlockFormats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::lori;

Value mlir::lori::widen(OpBuilder &builder, Location loc, Value value) {
  return value.getType().isF32()
             ? value
             : arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
}

static Value viewStorage(OpBuilder &builder, Location loc, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  RankedTensorType storage = getStorageType(type);
  return storage == type ? value
                         : StorageOp::create(builder, loc, storage, value);
}

ElementAccess::ElementAccess(RankedTensorType type, Value storage)
    : type(type), storage(storage) {}

ElementAccess::ElementAccess(OpBuilder &builder, Location loc, Value value)
    : type(cast<RankedTensorType>(value.getType())),
      storage(viewStorage(builder, loc, value)) {}

Value ElementAccess::loadStored(OpBuilder &builder, Location loc,
                                ValueRange indices) const {
  if (isa<TensorType>(storage.getType()))
    return tensor::ExtractOp::create(builder, loc, storage, indices);
  return memref::LoadOp::create(builder, loc, storage, indices);
}

/// Emits `value / divisor` and `value mod divisor` of an index.
static std::pair<Value, Value> split(OpBuilder &builder, Location loc,
                                     Value value, int64_t divisor) {
  Value by = arith::ConstantIndexOp::create(builder, loc, divisor);
  return {arith::DivUIOp::create(builder, loc, value, by),
          arith::RemUIOp::create(builder, loc, value, by)};
}

Value ElementAccess::loadByte(OpBuilder &builder, Location loc, Value row,
                              Value block, Value byte) const {
  PanelsAttr panels = getPanels(type);
  if (!panels)
    return loadStored(builder, loc, {row, block, byte});
  auto [panel, lane] = split(builder, loc, row, panels.getRows());
  return loadStored(builder, loc, {panel, block, byte, lane});
}

Value ElementAccess::load(OpBuilder &builder, Location loc,
                          ValueRange indices) const {
  if (auto quant = dyn_cast<QuantType>(type.getElementType())) {
    auto [block, entry] =
        split(builder, loc, indices[1], quant.getBlockEntries());
    return decodeEntry(builder, loc, quant.getFormat(), entry,
                       [&, block = block](Value byte) {
                         return loadByte(builder, loc, indices[0], block, byte);
                       });
  }
  if (PanelsAttr panels = getPanels(type)) {
    auto [panel, lane] = split(builder, loc, indices[0], panels.getRows());
    return widen(builder, loc,
                 loadStored(builder, loc, {panel, indices[1], lane}));
  }
  return widen(builder, loc, loadStored(builder, loc, indices));
}
