// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/Contraction.h"
#include "dialect/lori/LoriOps.h"
#include "passes/conversion/BlockFormats.h"
#include "passes/conversion/ElementAccess.h"
#include "passes/conversion/ScalarBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::lori;

using utils::IteratorType;

Value mlir::lori::buildZeroRows(OpBuilder &builder, Location loc, Value x,
                                OpFoldResult columns) {
  OpFoldResult rows = tensor::getMixedSize(builder, loc, x, 0);
  Value empty = tensor::EmptyOp::create(builder, loc, {rows, columns},
                                        builder.getF32Type());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  return linalg::FillOp::create(builder, loc, zero, empty).getResult(0);
}

namespace {

/// Emits one contraction.
class ContractionBuilder {
public:
  ContractionBuilder(OpBuilder &builder, Location loc, Value x, Value weight)
      : builder(builder), loc(loc), x(x), weight(weight),
        type(cast<RankedTensorType>(weight.getType())) {}

  Value plain(Value accumulator);
  Value panels(Value accumulator);
  /// As `panels`, without accumulator, for an unknown number of float panels.
  Value unknownPanels();

private:
  using Body = function_ref<void(OpBuilder &, Location, ValueRange)>;

  Value floatPanels(Value accumulator);
  Value blockPanels(QuantFormat format, Value accumulator);

  Value generic(ValueRange inputs, ArrayRef<AffineMap> maps, Value accumulator,
                unsigned reductions, Body body);
  /// Views the last dimension of `x` as `sizes`.
  Value expandInput(ArrayRef<int64_t> sizes);
  /// Views the bytes `[first, first + count)` of each block, without their
  /// dimension if there is one.
  Value bytes(Value storage, int64_t first, int64_t count);
  AffineMap map(unsigned dims, ArrayRef<unsigned> results);

  OpBuilder &builder;
  Location loc;
  Value x, weight;
  RankedTensorType type;
};

} // namespace

AffineMap ContractionBuilder::map(unsigned dims, ArrayRef<unsigned> results) {
  return AffineMap::getMultiDimMapWithTargets(dims, results,
                                              builder.getContext());
}

/// Emits `accumulator + input * weight` and the yield.
static void accumulate(OpBuilder &builder, Location loc, Value input,
                       Value weight, Value accumulator) {
  Value product = arith::MulFOp::create(builder, loc, input, weight);
  Value sum = arith::AddFOp::create(builder, loc, accumulator, product);
  linalg::YieldOp::create(builder, loc, sum);
}

Value ContractionBuilder::generic(ValueRange inputs, ArrayRef<AffineMap> maps,
                                  Value accumulator, unsigned reductions,
                                  Body body) {
  unsigned dims = maps[0].getNumDims();
  SmallVector<IteratorType> iterators(dims - reductions,
                                      IteratorType::parallel);
  iterators.append(reductions, IteratorType::reduction);
  return linalg::GenericOp::create(builder, loc, accumulator.getType(), inputs,
                                   accumulator, maps, iterators, body)
      .getResult(0);
}

//===----------------------------------------------------------------------===//
// Plain weights
//===----------------------------------------------------------------------===//

Value ContractionBuilder::plain(Value accumulator) {
  AffineMap xMap = map(3, {0, 2}), outMap = map(3, {0, 1});
  if (!isa<QuantType>(type.getElementType()))
    return generic({x, weight}, {xMap, map(3, {1, 2}), outMap}, accumulator, 1,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     accumulate(b, loc, args[0], widen(b, loc, args[1]),
                                args[2]);
                   });
  ElementAccess entries(builder, loc, weight);
  return generic({x}, {xMap, outMap}, accumulator, 1,
                 [&](OpBuilder &b, Location loc, ValueRange args) {
                   Value row = linalg::IndexOp::create(b, loc, 1);
                   Value column = linalg::IndexOp::create(b, loc, 2);
                   accumulate(b, loc, args[0],
                              entries.load(b, loc, {row, column}), args[1]);
                 });
}

//===----------------------------------------------------------------------===//
// Weights in panels
//===----------------------------------------------------------------------===//

static Value expand(OpBuilder &builder, Location loc, Value rows,
                    ArrayRef<int64_t> sizes) {
  auto type = cast<RankedTensorType>(rows.getType());
  SmallVector<int64_t> shape{type.getDimSize(0)};
  llvm::append_range(shape, sizes);
  SmallVector<OpFoldResult> dims{tensor::getMixedSize(builder, loc, rows, 0)};
  for (int64_t size : sizes)
    dims.push_back(builder.getIndexAttr(size));
  ReassociationIndices inner(
      llvm::to_vector(llvm::seq<int64_t>(1, shape.size())));
  return tensor::ExpandShapeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), rows,
      ArrayRef<ReassociationIndices>{{0}, inner}, dims);
}

Value ContractionBuilder::expandInput(ArrayRef<int64_t> sizes) {
  return expand(builder, loc, x, sizes);
}

Value ContractionBuilder::bytes(Value storage, int64_t first, int64_t count) {
  auto stored = cast<RankedTensorType>(storage.getType());
  auto offset = [&](int64_t value) -> OpFoldResult {
    return builder.getIndexAttr(value);
  };
  SmallVector<OpFoldResult> offsets{offset(0), offset(0), offset(first),
                                    offset(0)};
  SmallVector<OpFoldResult> sizes{offset(stored.getDimSize(0)),
                                  offset(stored.getDimSize(1)), offset(count),
                                  offset(stored.getDimSize(3))};
  SmallVector<OpFoldResult> strides(4, offset(1));
  SmallVector<int64_t> shape{stored.getDimSize(0), stored.getDimSize(1)};
  if (count != 1)
    shape.push_back(count);
  shape.push_back(stored.getDimSize(3));
  return tensor::ExtractSliceOp::create(
      builder, loc, RankedTensorType::get(shape, stored.getElementType()),
      storage, offsets, sizes, strides);
}

Value ContractionBuilder::floatPanels(Value accumulator) {
  Value storage = StorageOp::create(builder, loc, getStorageType(type), weight);
  return generic(
      {x, storage}, {map(4, {0, 3}), map(4, {1, 3, 2}), map(4, {0, 1, 2})},
      accumulator, 1, [&](OpBuilder &b, Location loc, ValueRange args) {
        accumulate(b, loc, args[0], widen(b, loc, args[1]), args[2]);
      });
}

Value ContractionBuilder::blockPanels(QuantFormat format, Value accumulator) {
  Value storage = StorageOp::create(builder, loc, getStorageType(type), weight);
  int64_t blocks = type.getDimSize(1) / 32;
  if (format == QuantFormat::Q8_0) {
    AffineMap scaleMap = map(5, {1, 3, 2});
    return generic({expandInput({blocks, 32}), bytes(storage, 0, 1),
                    bytes(storage, 1, 1), bytes(storage, 2, 32)},
                   {map(5, {0, 3, 4}), scaleMap, scaleMap, map(5, {1, 3, 4, 2}),
                    map(5, {0, 1, 2})},
                   accumulator, 2,
                   [&](OpBuilder &b, Location loc, ValueRange args) {
                     ScalarBuilder s(b, loc);
                     Value scale = joinHalf(b, loc, args[1], args[2]);
                     Value q = s.toFloat(s.signedToI32(args[3]));
                     accumulate(b, loc, args[0], s.fmul(scale, q), args[4]);
                   });
  }

  // Byte j of a block holds entries j (low nibble) and 16 + j (high).
  bool hasMinimum = format == QuantFormat::Q4_1;
  int64_t header = hasMinimum ? 4 : 2;
  AffineMap planeMap = map(6, {1, 3, 2});
  SmallVector<Value> inputs{expandInput({blocks, 2, 16})};
  SmallVector<AffineMap> maps{map(6, {0, 3, 4, 5})};
  for (int64_t plane = 0; plane < header; ++plane) {
    inputs.push_back(bytes(storage, plane, 1));
    maps.push_back(planeMap);
  }
  inputs.push_back(bytes(storage, header, 16));
  maps.push_back(map(6, {1, 3, 5, 2}));
  maps.push_back(map(6, {0, 1, 2}));
  return generic(inputs, maps, accumulator, 3,
                 [&](OpBuilder &b, Location loc, ValueRange args) {
                   ScalarBuilder s(b, loc);
                   Value half = s.toI32(linalg::IndexOp::create(b, loc, 4));
                   Value packed = s.toI32(args[header + 1]);
                   Value q = s.bitAnd(s.shr(packed, s.mul(half, 4)), 15);
                   Value scale = joinHalf(b, loc, args[1], args[2]);
                   Value value;
                   if (hasMinimum)
                     value = s.fadd(s.fmul(scale, s.toFloat(q)),
                                    joinHalf(b, loc, args[3], args[4]));
                   else
                     value = s.fmul(scale, s.toFloat(s.sub(q, 8)));
                   accumulate(b, loc, args[0], value, args[header + 2]);
                 });
}

Value ContractionBuilder::panels(Value accumulator) {
  int64_t rows = getPanels(type).getRows();
  int64_t columns = type.getDimSize(0);
  int64_t padded = llvm::alignTo(columns, rows);
  // Lanes past the last row have no place in the accumulator.
  Value target = accumulator;
  if (padded != columns)
    target = buildZeroRows(builder, loc, x, builder.getIndexAttr(padded));
  Value view = expand(builder, loc, target, {padded / rows, rows});
  auto quant = dyn_cast<QuantType>(type.getElementType());
  Value result =
      quant ? blockPanels(quant.getFormat(), view) : floatPanels(view);
  result = tensor::CollapseShapeOp::create(
      builder, loc, target.getType(), result,
      ArrayRef<ReassociationIndices>{{0}, {1, 2}});
  if (padded == columns)
    return result;

  OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
  result = tensor::ExtractSliceOp::create(
      builder, loc, result, {zero, zero},
      {tensor::getMixedSize(builder, loc, x, 0), builder.getIndexAttr(columns)},
      {one, one});
  AffineMap identity = builder.getMultiDimIdentityMap(2);
  return generic({result}, {identity, identity}, accumulator, 0,
                 [&](OpBuilder &b, Location loc, ValueRange args) {
                   Value sum = arith::AddFOp::create(b, loc, args[1], args[0]);
                   linalg::YieldOp::create(b, loc, sum);
                 });
}

Value ContractionBuilder::unknownPanels() {
  int64_t rows = getPanels(type).getRows();
  Value storage = StorageOp::create(builder, loc, getStorageType(type), weight);
  Value empty =
      tensor::EmptyOp::create(builder, loc,
                              {tensor::getMixedSize(builder, loc, x, 0),
                               tensor::getMixedSize(builder, loc, storage, 0),
                               builder.getIndexAttr(rows)},
                              builder.getF32Type());
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getF32FloatAttr(0));
  Value sums = floatPanels(
      linalg::FillOp::create(builder, loc, zero, empty).getResult(0));
  return tensor::CollapseShapeOp::create(
      builder, loc, sums, ArrayRef<ReassociationIndices>{{0}, {1, 2}});
}

Value mlir::lori::buildContraction(OpBuilder &builder, Location loc, Value x,
                                   Value weight, Value accumulator) {
  auto type = cast<RankedTensorType>(weight.getType());
  ContractionBuilder contraction(builder, loc, x, weight);
  if (!accumulator && getPanels(type) && type.isDynamicDim(0))
    return contraction.unknownPanels();
  if (!accumulator)
    accumulator = buildZeroRows(builder, loc, x,
                                tensor::getMixedSize(builder, loc, weight, 0));
  // Kernels decode blocks of 32; the others are read entry by entry.
  auto quant = dyn_cast<QuantType>(type.getElementType());
  bool isKernelFormat = !quant || quant.getBlockEntries() == 32;
  return getPanels(type) && isKernelFormat ? contraction.panels(accumulator)
                                           : contraction.plain(accumulator);
}
