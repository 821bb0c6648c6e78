// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/initializers/InitializerRows.h"

#include "passes/conversion/BlockFormats.h"
#include "passes/conversion/FrozenProjection.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <cmath>

namespace mlir::lori {

LogicalResult InitializerRows::fill(Value value, Value row, Value scratch) {
  if (failed(fillExact(value, row, scratch)))
    return failure();
  if (!isa<FuseOp, ConvertOp, FrozenProjectionOp>(value.getDefiningOp()))
    return success();
  auto type = cast<RankedTensorType>(value.getType());
  if (failed(checkEncodable(type)))
    return failure();
  round(type, scratch);
  return success();
}

LogicalResult InitializerRows::fillExact(Value value, Value row,
                                         Value scratch) {
  int64_t columns = cast<RankedTensorType>(value.getType()).getDimSize(1);
  Operation *op = value.getDefiningOp();
  if (auto get = dyn_cast<GetParamOp>(op)) {
    e.loop(columns,
           [&](Value k) { e.store(e.loadEntry(get, {row, k}), scratch, k); });
    return success();
  }
  if (auto order = dyn_cast<DeinterleaveRowsOp>(op))
    return fill(order.getSource(), e.sourceRow(order, row), scratch);
  if (isa<HadamardOp>(op)) {
    fillHadamard(columns, row, scratch);
    return success();
  }
  if (auto projection = dyn_cast<FrozenProjectionOp>(op))
    return drawProjection(projection, row, scratch);
  if (auto fused = dyn_cast<FuseOp>(op))
    return fuse(fused, row, scratch);
  if (auto convert = dyn_cast<ConvertOp>(op))
    return fill(convert.getSource(), row, scratch);
  return op->emitError("cannot be evaluated when a model is compiled");
}

Value InitializerRows::multiplyFactors(FuseOp op, GetParamOp shrink,
                                       GetParamOp expand, Value row) {
  auto type = cast<RankedTensorType>(shrink.getType());
  int64_t rank = type.getDimSize(0), columns = type.getDimSize(1);
  Value delta = e.allocateRow(columns);
  e.loop(columns, [&](Value k) { e.store(e.f32(0), delta, k); });
  e.loop(rank, [&](Value r) {
    Value factor = e.loadEntry(expand, {row, r});
    e.loop(columns, [&](Value k) {
      Value product = e.fmul(factor, e.loadEntry(shrink, {r, k}));
      e.store(e.fadd(e.load(delta, k), product), delta, k);
    });
  });
  return delta;
}

LogicalResult InitializerRows::fuse(FuseOp op, Value row, Value scratch) {
  auto shrink = op.getShrink().getDefiningOp<GetParamOp>();
  auto expand = op.getExpand().getDefiningOp<GetParamOp>();
  if (!shrink || !expand)
    return op.emitError("expected factors that are stored parameters");
  FailureOr<Value> scale = e.evaluateScalar(op.getScale());
  if (failed(scale) || failed(fill(op.getWeight(), row, scratch)))
    return failure();

  // weight + scale * delta, as PEFT does.
  Value delta = multiplyFactors(op, shrink, expand, row);
  auto type = cast<RankedTensorType>(op.getType());
  Type element = type.getElementType();
  e.loop(type.getDimSize(1), [&](Value k) {
    Value update = e.fmul(*scale, e.load(delta, k));
    if (op.getRoundedUpdate() && !element.isF32())
      update = widen(e.getBuilder(), e.getLoc(), e.truncate(update, element));
    e.store(e.fadd(e.load(scratch, k), update), scratch, k);
  });
  return success();
}

void InitializerRows::fillHadamard(int64_t size, Value row, Value scratch) {
  OpBuilder &b = e.getBuilder();
  Location loc = e.getLoc();
  auto entry = static_cast<float>(1 / std::sqrt(static_cast<double>(size)));
  e.loop(size, [&](Value column) {
    Value common = arith::AndIOp::create(b, loc, row, column);
    Value bits = math::CtPopOp::create(
        b, loc, arith::IndexCastOp::create(b, loc, b.getI64Type(), common));
    Value isOdd = arith::TruncIOp::create(b, loc, b.getI1Type(), bits);
    e.store(e.select(isOdd, e.f32(-entry), e.f32(entry)), scratch, column);
  });
}

LogicalResult InitializerRows::drawProjection(FrozenProjectionOp op, Value row,
                                              Value scratch) {
  Value stream;
  if (op.getStream()) {
    FailureOr<Value> evaluated = e.evaluateScalar(op.getStream());
    if (failed(evaluated))
      return failure();
    stream = *evaluated;
  }
  int64_t columns = op.getType().getDimSize(1);
  Value first = e.mul(row, columns);
  e.loop(columns, [&](Value k) {
    Value entry =
        drawEntry(e.getBuilder(), e.getLoc(), op, stream, e.add(first, k));
    e.store(entry, scratch, k);
  });
  return success();
}

//===----------------------------------------------------------------------===//
// Rounding
//===----------------------------------------------------------------------===//

LogicalResult InitializerRows::checkEncodable(RankedTensorType type) {
  auto quant = dyn_cast<QuantType>(type.getElementType());
  if (quant && quant.getBlockEntries() != 32)
    return e.getDerived().emitError(
               "expected f32, f16, bf16, q8_0, q4_0 or q4_1 "
               "where entries are computed, found ")
           << type;
  return success();
}

void InitializerRows::round(RankedTensorType type, Value scratch) {
  Type element = type.getElementType();
  if (element.isF32())
    return;
  if (auto quant = dyn_cast<QuantType>(element))
    return roundBlocks(quant, type.getDimSize(1), scratch);
  e.loop(type.getDimSize(1), [&](Value k) {
    Value rounded = e.truncate(e.load(scratch, k), element);
    e.store(widen(e.getBuilder(), e.getLoc(), rounded), scratch, k);
  });
}

void InitializerRows::roundBlocks(QuantType quant, int64_t columns,
                                  Value scratch) {
  OpBuilder &b = e.getBuilder();
  Value bytes = e.allocate(quant.getBlockBytes(), b.getI8Type());
  e.loop(columns / quant.getBlockEntries(), [&](Value block) {
    encodeRowBlock(e, quant, scratch, block, [&](Value byte, Value stored) {
      e.store(stored, bytes, byte);
    });
    Value first = e.mul(block, quant.getBlockEntries());
    e.loop(quant.getBlockEntries(), [&](Value entry) {
      Value rounded =
          decodeEntry(b, e.getLoc(), quant.getFormat(), entry,
                      [&](Value byte) { return e.load(bytes, byte); });
      e.store(rounded, scratch, e.add(first, entry));
    });
  });
}

void encodeRowBlock(InitializerBuilder &builder, QuantType quant, Value scratch,
                    Value block, function_ref<void(Value, Value)> store) {
  Value first = builder.mul(block, quant.getBlockEntries());
  encodeBlock(
      builder.getBuilder(), builder.getLoc(), quant.getFormat(),
      [&](Value entry) {
        return builder.load(scratch, builder.add(first, entry));
      },
      store);
}

} // namespace mlir::lori
