// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/ContractionTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::lori {

ContractionTile::ContractionTile(PanelContraction &c,
                                 ArrayRef<OpFoldResult> sizes)
    : c(c), loc(c.op.getLoc()), sizes(sizes) {
  offsets.assign(sizes.size(), Builder(c.op.getContext()).getIndexAttr(0));
}

/// Returns the view's type with what differs between shapes forgotten: the
/// sizes of the outer loops unless they are the tile's own, and the strides of
/// rows and panels.
static MemRefType generalise(MemRefType type, PanelContraction &c,
                             ArrayRef<unsigned> loops) {
  auto [strides, offset] = type.getStridesAndOffset();
  SmallVector<int64_t> shape(type.getShape());
  for (auto [position, loop] : llvm::enumerate(loops)) {
    if (loop == c.reductions.front())
      shape[position] = ShapedType::kDynamic;
    if ((loop == c.row || loop == c.panel) && position + 1 < loops.size())
      strides[position] = ShapedType::kDynamic;
  }
  auto layout =
      StridedLayoutAttr::get(type.getContext(), ShapedType::kDynamic, strides);
  return MemRefType::get(shape, type.getElementType(), layout,
                         type.getMemorySpace());
}

ContractionTile::Operand ContractionTile::view(OpBuilder &b,
                                               OpOperand &operand) {
  SmallVector<unsigned> loops;
  SmallVector<OpFoldResult> at, extent;
  for (AffineExpr expr : c.op.getMatchingIndexingMap(&operand).getResults()) {
    loops.push_back(cast<AffineDimExpr>(expr).getPosition());
    at.push_back(offsets[loops.back()]);
    extent.push_back(sizes[loops.back()]);
  }
  SmallVector<OpFoldResult> strides(loops.size(), b.getIndexAttr(1));
  Value view =
      memref::SubViewOp::create(b, loc, operand.get(), at, extent, strides);
  MemRefType type = generalise(cast<MemRefType>(view.getType()), c, loops);
  if (type != view.getType())
    view = memref::CastOp::create(b, loc, type, view);
  return {view, loops};
}

Value ContractionTile::clone(OpBuilder &b, Value value, IRMapping &map,
                             ArrayRef<unsigned> newLoops) {
  if (Value known = map.lookupOrNull(value))
    return known;
  Operation *def = value.getDefiningOp();
  if (!def || def->getBlock() != c.op.getBody())
    return value;
  if (auto index = dyn_cast<linalg::IndexOp>(def)) {
    Value made = linalg::IndexOp::create(b, loc, newLoops[index.getDim()]);
    map.map(value, made);
    return made;
  }
  for (Value operand : def->getOperands())
    map.map(operand, clone(b, operand, map, newLoops));
  return b.clone(*def, map)->getResult(0);
}

Value ContractionTile::product(OpBuilder &b, ArrayRef<Value> factors,
                               IRMapping &map, ArrayRef<unsigned> newLoops) {
  Value result;
  for (Value factor : factors) {
    Value value = clone(b, factor, map, newLoops);
    result = result ? arith::MulFOp::create(b, loc, result, value) : value;
  }
  return result;
}

/// Returns the map from `loops` (numbered as in `newLoops`) to the dimensions
/// of an operand.
static AffineMap mapOf(ArrayRef<unsigned> loops, ArrayRef<unsigned> newLoops,
                       unsigned numLoops, MLIRContext *context) {
  SmallVector<AffineExpr> results;
  for (unsigned loop : loops)
    results.push_back(getAffineDimExpr(newLoops[loop], context));
  return AffineMap::get(numLoops, 0, results, context);
}

/// Returns the input operands of `op` that `values` of its body depend on.
static SmallVector<OpOperand *> operandsOf(linalg::GenericOp op,
                                           ArrayRef<Value> values) {
  llvm::SetVector<Value> slice(values.begin(), values.end());
  for (size_t i = 0; i < slice.size(); ++i)
    if (Operation *def = slice[i].getDefiningOp();
        def && def->getBlock() == op.getBody())
      slice.insert(def->operand_begin(), def->operand_end());
  SmallVector<OpOperand *> found;
  for (OpOperand *operand : op.getDpsInputOperands())
    if (slice.contains(op.getMatchingBlockArgument(operand)))
      found.push_back(operand);
  return found;
}

void ContractionTile::write(OpBuilder &b) {
  // One order of the loops, whatever the source's.
  SmallVector<unsigned> order = {c.row, c.panel};
  llvm::append_range(order, c.reductions);
  order.push_back(c.lane);
  SmallVector<unsigned> newLoops(sizes.size(), 0);
  SmallVector<utils::IteratorType> kinds;
  for (auto [position, loop] : llvm::enumerate(order)) {
    newLoops[loop] = position;
    kinds.push_back(llvm::is_contained(c.reductions, loop)
                        ? utils::IteratorType::reduction
                        : utils::IteratorType::parallel);
  }
  SmallVector<Value> views;
  SmallVector<AffineMap> maps;
  for (OpOperand &operand : c.op->getOpOperands()) {
    Operand part = view(b, operand);
    views.push_back(part.view);
    maps.push_back(mapOf(part.loops, newLoops, order.size(), b.getContext()));
  }
  Value output = views.pop_back_val();
  linalg::GenericOp::create(
      b, loc, views, output, maps, kinds,
      [&](OpBuilder &body, Location, ValueRange arguments) {
        IRMapping map;
        map.map(c.op.getBody()->getArguments(), arguments);
        Value sum;
        for (const ProductTerm &term : c.terms) {
          Value row = product(body, term.row, map, newLoops);
          Value lane = product(body, term.lane, map, newLoops);
          Value value = arith::MulFOp::create(body, loc, row, lane);
          sum = sum ? arith::AddFOp::create(body, loc, sum, value) : value;
        }
        sum = arith::AddFOp::create(body, loc, arguments.back(), sum);
        linalg::YieldOp::create(body, loc, sum);
      });
}

/// Writes `target[loops] = the product of factors` for the tile's ranges.
void ContractionTile::evaluate(OpBuilder &b, ArrayRef<Value> factors,
                               ArrayRef<unsigned> loops, Value target) {
  SmallVector<unsigned> newLoops(sizes.size(), 0);
  for (auto [position, loop] : llvm::enumerate(loops))
    newLoops[loop] = position;
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  SmallVector<OpOperand *> operands = operandsOf(c.op, factors);
  for (OpOperand *operand : operands) {
    Operand part = view(b, *operand);
    inputs.push_back(part.view);
    maps.push_back(mapOf(part.loops, newLoops, loops.size(), b.getContext()));
  }
  maps.push_back(b.getMultiDimIdentityMap(loops.size()));
  SmallVector<utils::IteratorType> kinds(loops.size(),
                                         utils::IteratorType::parallel);
  linalg::GenericOp::create(
      b, loc, inputs, target, maps, kinds,
      [&](OpBuilder &body, Location, ValueRange arguments) {
        IRMapping map;
        for (auto [operand, argument] : llvm::zip(operands, arguments))
          map.map(c.op.getMatchingBlockArgument(operand), argument);
        linalg::YieldOp::create(body, loc,
                                product(body, factors, map, newLoops));
      });
}

/// Returns the number of values of k in `outer` steps of the outermost
/// reduction loop.
OpFoldResult ContractionTile::inSteps(OpBuilder &b, OpFoldResult outer) const {
  if (std::optional<int64_t> known = getConstantIntValue(outer))
    return b.getIndexAttr(*known * c.innerSteps());
  if (c.innerSteps() == 1)
    return outer;
  Value inner = arith::ConstantIndexOp::create(b, loc, c.innerSteps());
  return arith::MulIOp::create(b, loc, cast<Value>(outer), inner).getResult();
}

Value ContractionTile::blockView(OpBuilder &b, Value buffer,
                                 OpFoldResult offset,
                                 ArrayRef<OpFoldResult> extents,
                                 ArrayRef<int64_t> strides) {
  SmallVector<int64_t> shape;
  SmallVector<OpFoldResult> steps;
  for (auto [extent, stride] : llvm::zip(extents, strides)) {
    shape.push_back(getConstantIntValue(extent).value_or(ShapedType::kDynamic));
    steps.push_back(b.getIndexAttr(stride));
  }
  int64_t start = getConstantIntValue(offset).value_or(ShapedType::kDynamic);
  auto layout = StridedLayoutAttr::get(b.getContext(), start, strides);
  auto type = MemRefType::get(shape, b.getF32Type(), layout);
  return memref::ReinterpretCastOp::create(b, loc, type, buffer, offset,
                                           extents, steps);
}

Value ContractionTile::sumsView(OpBuilder &b, const BlockBuffers &buffers) {
  return blockView(b, buffers.sums, b.getIndexAttr(0),
                   {sizes[c.row], sizes[c.panel], sizes[c.lane]},
                   {buffers.panels * c.width(), c.width(), 1});
}

static void fillZero(OpBuilder &b, Location loc, Value target) {
  Value zero =
      arith::ConstantFloatOp::create(b, loc, b.getF32Type(), APFloat(0.0f));
  linalg::FillOp::create(b, loc, zero, target);
}

void ContractionTile::zeroOutput(OpBuilder &b) {
  fillZero(b, loc, view(b, *c.output()).view);
}

void ContractionTile::zeroSums(OpBuilder &b, const BlockBuffers &buffers) {
  fillZero(b, loc, sumsView(b, buffers));
}

void ContractionTile::loadSums(OpBuilder &b, const BlockBuffers &buffers) {
  Value part = view(b, *c.output()).view;
  linalg::CopyOp::create(b, loc, part, sumsView(b, buffers));
}

void ContractionTile::storeSums(OpBuilder &b, const BlockBuffers &buffers) {
  Value part = view(b, *c.output()).view;
  linalg::CopyOp::create(b, loc, sumsView(b, buffers), part);
}

void ContractionTile::writeRows(OpBuilder &b, const BlockBuffers &buffers) {
  for (auto [term, buffer] : llvm::zip(c.terms, buffers.rows)) {
    SmallVector<unsigned> loops = {c.row};
    SmallVector<OpFoldResult> extents = {sizes[c.row]};
    SmallVector<int64_t> strides = {buffers.rowStride};
    int64_t stride = c.innerSteps();
    for (unsigned loop : c.reductions) {
      loops.push_back(loop);
      extents.push_back(sizes[loop]);
      strides.push_back(stride);
      if (loop != c.reductions.back())
        stride /= c.sizes[c.reductions[loops.size() - 1]];
    }
    evaluate(b, term.row, loops,
             blockView(b, buffer, b.getIndexAttr(0), extents, strides));
  }
}

void ContractionTile::writeDecoded(OpBuilder &b, const BlockBuffers &buffers,
                                   Value firstStep) {
  unsigned outer = c.reductions.front();
  OpFoldResult depth = inSteps(b, sizes[outer]);
  Value skipped = arith::SubIOp::create(
      b, loc, getValueOrCreateConstantIndexOp(b, loc, offsets[outer]),
      firstStep);
  OpFoldResult start = inSteps(b, skipped);
  SmallVector<Value> inputs;
  for (Value buffer : buffers.rows)
    inputs.push_back(blockView(b, buffer, start, {sizes[c.row], depth},
                               {buffers.rowStride, 1}));
  for (auto [term, buffer] : llvm::zip(c.terms, buffers.lanes)) {
    SmallVector<unsigned> loops = {c.panel};
    SmallVector<OpFoldResult> extents = {sizes[c.panel]};
    int64_t stride = c.innerSteps() * c.width();
    SmallVector<int64_t> strides = {buffers.depth * c.width()};
    for (unsigned loop : c.reductions) {
      loops.push_back(loop);
      extents.push_back(sizes[loop]);
      strides.push_back(stride);
      if (loop != c.reductions.back())
        stride /= c.sizes[c.reductions[loops.size() - 1]];
    }
    loops.push_back(c.lane);
    extents.push_back(sizes[c.lane]);
    strides.push_back(1);
    OpFoldResult none = b.getIndexAttr(0);
    evaluate(b, term.lane, loops, blockView(b, buffer, none, extents, strides));
    inputs.push_back(blockView(b, buffer, none,
                               {sizes[c.panel], depth, sizes[c.lane]},
                               {buffers.depth * c.width(), c.width(), 1}));
  }

  AffineExpr m, n, k, l;
  bindDims(b.getContext(), m, n, k, l);
  auto mapTo = [&](ArrayRef<AffineExpr> results) {
    return AffineMap::get(4, 0, results, b.getContext());
  };
  SmallVector<AffineMap> maps(c.terms.size(), mapTo({m, k}));
  maps.append(c.terms.size(), mapTo({n, k, l}));
  maps.push_back(mapTo({m, n, l}));
  auto parallel = utils::IteratorType::parallel;
  linalg::GenericOp::create(
      b, loc, inputs, sumsView(b, buffers), maps,
      {parallel, parallel, utils::IteratorType::reduction, parallel},
      [&](OpBuilder &body, Location, ValueRange arguments) {
        Value sum;
        for (size_t term = 0; term < c.terms.size(); ++term) {
          Value value = arith::MulFOp::create(body, loc, arguments[term],
                                              arguments[c.terms.size() + term]);
          sum = sum ? arith::AddFOp::create(body, loc, sum, value) : value;
        }
        sum = arith::AddFOp::create(body, loc, arguments.back(), sum);
        linalg::YieldOp::create(body, loc, sum);
      });
}

} // namespace mlir::lori
