// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A matrix is computed a row at a time, in f32, in a scratch of one row, so
// that memory stays bounded by the longest row; a change of layout alone copies
// bytes.

#include "passes/conversion/initializers/InitializerResult.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::lori {

InitializerResult::InitializerResult(InitializerBuilder &builder)
    : e(builder), rows(builder),
      type(cast<RankedTensorType>(builder.getDerived().getYielded().getType())),
      out(builder.getResult()) {}

LogicalResult InitializerResult::store(Value value) {
  if (auto error = value.getDefiningOp<RoundingErrorOp>())
    return storeError(error);
  if (type.getRank() == 1)
    return storeVector(value);
  if (type.getRank() == 2)
    return storeMatrix(value);
  return e.getDerived().emitError("expected a vector or a matrix, found ")
         << type;
}

LogicalResult InitializerResult::storeMatrix(Value value) {
  if (auto pack = value.getDefiningOp<PackOp>())
    value = pack.getSource();
  storePadding();
  if (!isa<QuantType>(type.getElementType()))
    return storeFloats(value);
  if (auto fuse = value.getDefiningOp<FuseOp>())
    return storeFusedBlocks(fuse);
  return value.getDefiningOp<ConvertOp>() ? storeBlocks(value)
                                          : copyBlocks(value);
}

LogicalResult InitializerResult::storeVector(Value value) {
  LogicalResult status = success();
  e.loop(type.getDimSize(0), [&](Value row) {
    Value source = value;
    Value from = e.sourceRow(source, row);
    auto get = source.getDefiningOp<GetParamOp>();
    if (!get || !isa<FloatType>(type.getElementType())) {
      status =
          e.getDerived().emitError("expected a rearranged vector of floats");
      return;
    }
    Value entry = e.loadEntry(get, from);
    e.store(e.truncate(entry, type.getElementType()), out, row);
  });
  return status;
}

LogicalResult InitializerResult::storeFloats(Value value) {
  int64_t columns = type.getDimSize(1);
  Value scratch = e.allocateRow(columns);
  LogicalResult status = success();
  e.loop(type.getDimSize(0), [&](Value row) {
    status = rows.fill(value, row, scratch);
    e.loop(columns, [&](Value k) { storeEntry(row, k, e.load(scratch, k)); });
  });
  return status;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

LogicalResult InitializerResult::storeBlocks(Value value) {
  auto quant = cast<QuantType>(type.getElementType());
  if (failed(rows.checkEncodable(type)))
    return failure();
  int64_t columns = type.getDimSize(1);
  Value scratch = e.allocateRow(columns);
  LogicalResult status = success();
  e.loop(type.getDimSize(0), [&](Value row) {
    status = rows.fillExact(value, row, scratch);
    e.loop(columns / quant.getBlockEntries(), [&](Value block) {
      encodeRowBlock(e, quant, scratch, block, [&](Value byte, Value stored) {
        storeByte(row, block, byte, stored);
      });
    });
  });
  return status;
}

/// A layer without an update keeps its blocks: encoding what they decode to
/// need not give them back.
LogicalResult InitializerResult::storeFusedBlocks(FuseOp op) {
  OpBuilder &b = e.getBuilder();
  Value weight = op, isUpdated;
  while (auto fuse = weight.getDefiningOp<FuseOp>()) {
    FailureOr<Value> scale = e.evaluateScalar(fuse.getScale());
    if (failed(scale))
      return failure();
    Value isOn = arith::CmpFOp::create(b, e.getLoc(), arith::CmpFPredicate::UNE,
                                       *scale, e.f32(0));
    isUpdated = isUpdated ? e.bitOr(isUpdated, isOn) : isOn;
    weight = fuse.getWeight();
  }
  if (cast<RankedTensorType>(weight.getType()).getElementType() !=
      type.getElementType())
    return storeBlocks(op);
  auto choice =
      scf::IfOp::create(b, e.getLoc(), isUpdated, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  if (failed(storeBlocks(op)))
    return failure();
  b.setInsertionPointToStart(choice.elseBlock());
  return copyBlocks(weight);
}

LogicalResult InitializerResult::copyBlocks(Value value) {
  LogicalResult status = success();
  e.loop(type.getDimSize(0), [&](Value row) {
    Value source = value;
    Value from = e.sourceRow(source, row);
    auto get = source.getDefiningOp<GetParamOp>();
    if (!get) {
      status =
          e.getDerived().emitError("expected rearranged blocks of a parameter");
      return;
    }
    storeBytes(row, [&](Value block, Value byte) {
      return e.loadByte(get, from, block, byte);
    });
  });
  return status;
}

//===----------------------------------------------------------------------===//
// Layout
//===----------------------------------------------------------------------===//

void InitializerResult::storePadding() {
  PanelsAttr panels = getPanels(type);
  if (!panels)
    return;
  int64_t height = panels.getRows(), count = type.getDimSize(0);
  int64_t padding = (height - count % height) % height;
  if (padding == 0)
    return;
  bool isBlocks = isa<QuantType>(type.getElementType());
  // The entries of a block of zero bytes are zero.
  Value zero = isBlocks ? e.i8(0) : e.f32(0);
  e.loop(padding, [&](Value extra) {
    Value row = e.add(extra, count);
    if (isBlocks)
      storeBytes(row, [&](Value, Value) { return zero; });
    else
      e.loop(type.getDimSize(1), [&](Value k) { storeEntry(row, k, zero); });
  });
}

void InitializerResult::storeEntry(Value row, Value column, Value value) {
  value = e.truncate(value, type.getElementType());
  if (PanelsAttr panels = getPanels(type))
    e.store(
        value, out,
        {e.div(row, panels.getRows()), column, e.rem(row, panels.getRows())});
  else
    e.store(value, out, {row, column});
}

void InitializerResult::storeByte(Value row, Value block, Value byte,
                                  Value value) {
  if (PanelsAttr panels = getPanels(type))
    e.store(value, out,
            {e.div(row, panels.getRows()), block, byte,
             e.rem(row, panels.getRows())});
  else
    e.store(value, out, {row, block, byte});
}

void InitializerResult::storeBytes(Value row,
                                   function_ref<Value(Value, Value)> byteAt) {
  auto quant = cast<QuantType>(type.getElementType());
  e.loop(type.getDimSize(1) / quant.getBlockEntries(), [&](Value block) {
    e.loop(quant.getBlockBytes(), [&](Value byte) {
      storeByte(row, block, byte, byteAt(block, byte));
    });
  });
}

//===----------------------------------------------------------------------===//
// Measures
//===----------------------------------------------------------------------===//

LogicalResult InitializerResult::storeError(RoundingErrorOp op) {
  OpBuilder &b = e.getBuilder();
  Location loc = e.getLoc();
  int64_t count = cast<RankedTensorType>(op.getExact().getType()).getDimSize(0);
  int64_t columns =
      cast<RankedTensorType>(op.getExact().getType()).getDimSize(1);
  Value rounded = e.allocateRow(columns), exact = e.allocateRow(columns);
  Type f64 = b.getF64Type();
  Value sums = e.allocate(2, f64);
  Value zero = arith::ConstantOp::create(b, loc, b.getF64FloatAttr(0));
  auto addSquare = [&](int64_t sum, Value entry) {
    Value wide = arith::ExtFOp::create(b, loc, f64, entry);
    Value at = e.index(sum);
    e.store(e.fadd(e.load(sums, at), e.fmul(wide, wide)), sums, at);
  };
  e.loop(2, [&](Value sum) { e.store(zero, sums, sum); });
  LogicalResult status = success();
  e.loop(count, [&](Value row) {
    if (failed(rows.fill(op.getRounded(), row, rounded)) ||
        failed(rows.fill(op.getExact(), row, exact)))
      status = failure();
    e.loop(columns, [&](Value k) {
      Value wanted = e.load(exact, k);
      addSquare(0, e.fsub(e.load(rounded, k), wanted));
      addSquare(1, wanted);
    });
  });
  Value difference = e.load(sums, e.index(0));
  Value quotient = e.fdiv(difference, e.load(sums, e.index(1)));
  Value isExact = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                        difference, zero);
  Value error = e.select(isExact, zero, math::SqrtOp::create(b, loc, quotient));
  e.store(e.truncate(error, b.getF32Type()), out, e.index(0));
  return status;
}

} // namespace mlir::lori
