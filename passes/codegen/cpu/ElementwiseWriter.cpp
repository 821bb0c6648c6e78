// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/ElementwiseWriter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::lori {

ElementwiseWriter::ElementwiseWriter(OpBuilder &b, ElementwiseKernel &kernel,
                                     const ElementwisePlan &plan,
                                     ArrayRef<Value> bounds)
    : b(b), k(kernel), loc(kernel.op.getLoc()), plan(plan), bounds(bounds),
      emitter(b, kernel.op, kernel.loops, kernel.vectorLoop),
      chains(b, loc, kernel.reductions, plan.lanes, plan.chains) {}

/// Short loops whose index the body asks for.
llvm::SmallBitVector ElementwiseWriter::loopsToUnroll() {
  llvm::SmallBitVector whole(k.sizes.size());
  for (linalg::IndexOp asked : k.op.getBody()->getOps<linalg::IndexOp>())
    if (!ShapedType::isDynamic(k.sizes[asked.getDim()]) &&
        k.sizes[asked.getDim()] <= plan.maxUnroll)
      whole.set(asked.getDim());
  return whole;
}

void ElementwiseWriter::write(std::optional<unsigned> outer, Value outerIndex) {
  Point point(k.sizes.size());
  if (outer)
    point[*outer] = outerIndex;
  SmallVector<unsigned> order;
  for (unsigned loop = 0; loop < k.sizes.size(); ++loop)
    if (loop != k.vectorLoop && loop != outer)
      order.push_back(loop);
  // A short vector loop leaves room to unroll the loops around it.
  int64_t budget = 0, length = k.sizes[k.vectorLoop];
  if (!ShapedType::isDynamic(length))
    budget = plan.maxUnroll * plan.lanes / std::max<int64_t>(1, length);
  LoopNest nest(b, loc, emitter, k.sizes, bounds);
  nest.hoist = [&](const Point &at, const llvm::SmallBitVector &inner) {
    hoist(at, inner);
  };
  nest.body = [&](const Point &at, SmallVector<Value> &) {
    alongVectors(nest, at);
  };
  SmallVector<Value> none;
  nest.write(LoopNest::plan(order, k.sizes, loopsToUnroll(), budget), point,
             none);
}

//===----------------------------------------------------------------------===//
// Before the loops
//===----------------------------------------------------------------------===//

/// Writes scalars, and short rows of vectors, before the loops that they do
/// not vary with.
void ElementwiseWriter::hoist(Point point, const llvm::SmallBitVector &inner) {
  SmallVector<Value> starts = {Value()};
  int64_t size = k.sizes[k.vectorLoop];
  bool isShort = !ShapedType::isDynamic(size) && size % plan.lanes == 0 &&
                 size <= plan.maxUnroll * plan.lanes;
  llvm::SmallBitVector later = inner;
  if (isShort) {
    starts.clear();
    for (int64_t at = 0; at < size; at += plan.lanes)
      starts.push_back(emitter.constant(at));
  } else {
    later.set(k.vectorLoop);
  }
  // An output's old value is read where it is written.
  for (BlockArgument init : k.op.getRegionOutputArgs())
    if (!init.use_empty() && isShort)
      return;
  for (Value start : starts) {
    point[k.vectorLoop] = start;
    for (Value yielded : k.op.getBody()->getTerminator()->getOperands())
      hoistInputs(yielded, point, later);
  }
}

void ElementwiseWriter::hoistInputs(Value value, const Point &point,
                                    const llvm::SmallBitVector &inner) {
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == k.op.getBody() &&
      argument.getArgNumber() >= k.op.getNumDpsInputs())
    return;
  if (!k.loops.of(value).anyCommon(inner) && !k.readsOutput(value)) {
    emitter.emit(value, point, plan.lanes);
    return;
  }
  if (Operation *def = value.getDefiningOp();
      def && def->getBlock() == k.op.getBody())
    for (Value operand : def->getOperands())
      hoistInputs(operand, point, inner);
}

//===----------------------------------------------------------------------===//
// The vector loop
//===----------------------------------------------------------------------===//

SmallVector<Value> ElementwiseWriter::indicesOf(OpOperand &operand,
                                                const Point &point) {
  SmallVector<Value> indices;
  for (AffineExpr expr : k.op.getMatchingIndexingMap(&operand).getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    indices.push_back(dim ? point[dim.getPosition()] : emitter.constant(0));
  }
  return indices;
}

void ElementwiseWriter::store(const Point &point, int64_t width) {
  SmallVector<Value> values;
  for (Value yielded : k.op.getBody()->getTerminator()->getOperands())
    values.push_back(emitter.emitVector(yielded, point, width));
  for (auto [init, value] : llvm::zip(k.op.getDpsInitsMutable(), values))
    vector::StoreOp::create(b, loc, value, init.get(), indicesOf(init, point));
}

void ElementwiseWriter::storeReduced(const Point &at, ArrayRef<Value> partial) {
  for (size_t i = 0; i < k.reductions.size(); ++i) {
    Value reduced = chains.finish(i, partial);
    OpOperand &init = k.op.getDpsInitsMutable()[i];
    SmallVector<Value> indices = indicesOf(init, at);
    Value old = memref::LoadOp::create(b, loc, init.get(), indices);
    memref::StoreOp::create(b, loc, chains.combine(i, old, reduced), init.get(),
                            indices);
  }
}

void ElementwiseWriter::alongVectors(LoopNest &nest, const Point &at) {
  if (k.reductions.empty()) {
    SmallVector<Value> none;
    eachPiece(nest, at, none,
              [&](const Point &point, int64_t width, int64_t,
                  SmallVector<Value> &) { store(point, width); });
    return;
  }
  SmallVector<Value> partial = chains.start();
  eachPiece(nest, at, partial,
            [&](const Point &point, int64_t width, int64_t chain,
                SmallVector<Value> &values) {
              for (auto [i, reduction] : llvm::enumerate(k.reductions))
                chains.add(i, emitter.emitVector(reduction.term, point, width),
                           width, chain, values);
            });
  storeReduced(at, partial);
}

/// Groups of vectors, then single ones, then what is left.
void ElementwiseWriter::eachPiece(LoopNest &nest, Point point,
                                  SmallVector<Value> &carried, PieceFn piece) {
  int64_t lanes = plan.lanes;
  int64_t group = lanes * (k.reductions.empty() ? plan.unroll : plan.chains);
  auto pieces = [&](Value start, int64_t count, int64_t width,
                    SmallVector<Value> &values) {
    for (int64_t i = 0; i < count; ++i) {
      point[k.vectorLoop] = emitter.offset(start, i * width);
      piece(point, width, i, values);
    }
  };
  int64_t size = k.sizes[k.vectorLoop];
  if (ShapedType::isDynamic(size))
    return eachDynamicPiece(nest, carried, group, pieces);
  int64_t done = size - size % group;
  if (done == group || done <= plan.maxUnroll * lanes)
    for (int64_t at = 0; at < done; at += group)
      pieces(emitter.constant(at), group / lanes, lanes, carried);
  else
    nest.loop(emitter.constant(0), emitter.constant(done), group, carried,
              [&](Value iv, SmallVector<Value> &values) {
                pieces(iv, group / lanes, lanes, values);
              });
  int64_t whole = (size - done) / lanes;
  pieces(emitter.constant(done), whole, lanes, carried);
  done += whole * lanes;
  for (int64_t width = lanes / 2; width > 0; width /= 2)
    if ((size - done) & width) {
      pieces(emitter.constant(done), 1, width, carried);
      done += width;
    }
}

void ElementwiseWriter::eachDynamicPiece(
    LoopNest &nest, SmallVector<Value> &carried, int64_t group,
    llvm::function_ref<void(Value, int64_t, int64_t, SmallVector<Value> &)>
        pieces) {
  Value start = emitter.constant(0), bound = bounds[k.vectorLoop];
  for (int64_t width : {group, plan.lanes, int64_t(1)}) {
    Value left = arith::SubIOp::create(b, loc, bound, start);
    Value over = arith::RemUIOp::create(b, loc, left, emitter.constant(width));
    Value end = arith::SubIOp::create(b, loc, bound, over);
    nest.loop(start, end, width, carried,
              [&](Value iv, SmallVector<Value> &values) {
                int64_t each = std::min(width, plan.lanes);
                pieces(iv, width / each, each, values);
              });
    start = end;
  }
}

} // namespace mlir::lori
