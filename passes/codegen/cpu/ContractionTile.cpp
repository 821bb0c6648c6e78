// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/ContractionTile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::lori {

ContractionTile::ContractionTile(PanelContraction &c,
                                 ArrayRef<OpFoldResult> sizes)
    : c(c), loc(c.op.getLoc()), sizes(sizes) {
  offsets.assign(sizes.size(), Builder(c.op.getContext()).getIndexAttr(0));
}

SmallVector<unsigned> ContractionTile::laneReductions(PanelContraction &c,
                                                      const ProductTerm &term) {
  SmallVector<unsigned> found;
  for (unsigned loop : c.reductions)
    if (llvm::any_of(term.lane,
                     [&](Value value) { return c.loops.of(value).test(loop); }))
      found.push_back(loop);
  return found;
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

ContractionTile::Operand ContractionTile::view(OpBuilder &b, Value source,
                                               ArrayRef<unsigned> loops,
                                               bool isBuffer) {
  SmallVector<OpFoldResult> at, extent, steps(loops.size(), b.getIndexAttr(1));
  for (unsigned loop : loops) {
    at.push_back(isBuffer ? OpFoldResult(b.getIndexAttr(0)) : offsets[loop]);
    extent.push_back(sizes[loop]);
  }
  Value view = memref::SubViewOp::create(b, loc, source, at, extent, steps);
  MemRefType type = generalise(cast<MemRefType>(view.getType()), c, loops);
  if (type != view.getType())
    view = memref::CastOp::create(b, loc, type, view);
  return {view, SmallVector<unsigned>(loops)};
}

ContractionTile::Operand ContractionTile::view(OpBuilder &b,
                                               OpOperand &operand) {
  SmallVector<unsigned> loops;
  for (AffineExpr expr : c.op.getMatchingIndexingMap(&operand).getResults())
    loops.push_back(cast<AffineDimExpr>(expr).getPosition());
  return view(b, operand.get(), loops, /*isBuffer=*/false);
}

void ContractionTile::write(OpBuilder &b) {
  SmallVector<OpOperand *> sources = c.op.getDpsInputOperands();
  SmallVector<Operand> operands;
  for (OpOperand *operand : sources)
    operands.push_back(view(b, *operand));
  operands.push_back(view(b, *c.output()));
  contract(b, sources, operands, /*collapsed=*/false);
}

llvm::SetVector<Value> ContractionTile::sliceOf(ArrayRef<Value> values) {
  llvm::SetVector<Value> slice(values.begin(), values.end());
  for (size_t i = 0; i < slice.size(); ++i)
    if (Operation *def = slice[i].getDefiningOp();
        def && def->getBlock() == c.op.getBody())
      slice.insert(def->operand_begin(), def->operand_end());
  return slice;
}

SmallVector<OpOperand *>
ContractionTile::operandsOf(const llvm::SetVector<Value> &slice) {
  SmallVector<OpOperand *> found;
  for (OpOperand *operand : c.op.getDpsInputOperands())
    if (slice.contains(c.op.getMatchingBlockArgument(operand)))
      found.push_back(operand);
  return found;
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

ContractionTile::Operand
ContractionTile::decode(OpBuilder &b, const ProductTerm &term, Value buffer) {
  SmallVector<unsigned> loops = {c.panel};
  llvm::append_range(loops, laneReductions(c, term));
  loops.push_back(c.lane);
  SmallVector<unsigned> newLoops(sizes.size(), 0);
  for (auto [position, loop] : llvm::enumerate(loops))
    newLoops[loop] = position;

  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  SmallVector<OpOperand *> operands = operandsOf(sliceOf(term.lane));
  for (OpOperand *operand : operands) {
    Operand part = view(b, *operand);
    inputs.push_back(part.view);
    maps.push_back(mapOf(part.loops, newLoops, loops.size(), b.getContext()));
  }
  Operand target = view(b, buffer, loops, /*isBuffer=*/true);
  maps.push_back(mapOf(loops, newLoops, loops.size(), b.getContext()));
  SmallVector<utils::IteratorType> kinds(loops.size(),
                                         utils::IteratorType::parallel);
  linalg::GenericOp::create(
      b, loc, inputs, target.view, maps, kinds,
      [&](OpBuilder &body, Location, ValueRange arguments) {
        IRMapping map;
        for (auto [operand, argument] : llvm::zip(operands, arguments))
          map.map(c.op.getMatchingBlockArgument(operand), argument);
        linalg::YieldOp::create(body, loc,
                                product(body, term.lane, map, newLoops));
      });
  return target;
}

/// Collapses the reduction dimensions of all `operands` that have them. All or
/// nothing; returns whether it was possible.
bool ContractionTile::collapse(OpBuilder &b,
                               MutableArrayRef<Operand> operands) {
  SmallVector<SmallVector<ReassociationIndices>> groups;
  for (Operand &operand : operands) {
    auto &grouping = groups.emplace_back();
    SmallVector<unsigned> seen;
    for (auto [position, loop] : llvm::enumerate(operand.loops)) {
      if (!llvm::is_contained(c.reductions, loop)) {
        grouping.push_back({int64_t(position)});
        continue;
      }
      if (seen.empty())
        grouping.emplace_back();
      else if (seen.back() != operand.loops[position - 1])
        return false; // apart
      seen.push_back(loop);
      grouping.back().push_back(position);
    }
    if (!seen.empty() && seen != c.reductions)
      return false;
    if (!memref::CollapseShapeOp::isGuaranteedCollapsible(
            cast<MemRefType>(operand.view.getType()), grouping))
      return false;
  }
  for (auto [operand, grouping] : llvm::zip(operands, groups)) {
    if (grouping.size() == operand.loops.size())
      continue;
    operand.view =
        memref::CollapseShapeOp::create(b, loc, operand.view, grouping);
    llvm::erase_if(operand.loops, [&](unsigned loop) {
      return llvm::is_contained(c.reductions, loop) &&
             loop != c.reductions.front();
    });
  }
  return true;
}

void ContractionTile::writeDecoded(OpBuilder &b, ArrayRef<Value> buffers) {
  SmallVector<Value> rowValues;
  for (const ProductTerm &term : c.terms)
    llvm::append_range(rowValues, term.row);
  llvm::SetVector<Value> slice = sliceOf(rowValues);
  SmallVector<OpOperand *> sources = operandsOf(slice);
  SmallVector<Operand> operands;
  for (OpOperand *operand : sources)
    operands.push_back(view(b, *operand));
  for (auto [term, buffer] : llvm::zip(c.terms, buffers))
    operands.push_back(decode(b, term, buffer));
  operands.push_back(view(b, *c.output()));
  bool asksIndex = llvm::any_of(slice, [](Value value) {
    return value.getDefiningOp<linalg::IndexOp>() != nullptr;
  });
  contract(b, sources, operands, !asksIndex && collapse(b, operands));
}

void ContractionTile::contract(OpBuilder &b, ArrayRef<OpOperand *> sources,
                               ArrayRef<Operand> operands, bool collapsed) {
  // One order of the loops, whatever the source's.
  SmallVector<unsigned> order = {c.row, c.panel};
  llvm::append_range(
      order, ArrayRef(c.reductions).take_front(collapsed ? 1 : SIZE_MAX));
  order.push_back(c.lane);
  SmallVector<unsigned> newLoops(sizes.size(), 0);
  SmallVector<utils::IteratorType> kinds;
  for (auto [position, loop] : llvm::enumerate(order)) {
    newLoops[loop] = position;
    kinds.push_back(llvm::is_contained(c.reductions, loop)
                        ? utils::IteratorType::reduction
                        : utils::IteratorType::parallel);
  }
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (const Operand &operand : operands) {
    inputs.push_back(operand.view);
    maps.push_back(
        mapOf(operand.loops, newLoops, order.size(), b.getContext()));
  }
  Value output = inputs.pop_back_val();
  bool decoded = inputs.size() > sources.size();
  linalg::GenericOp::create(
      b, loc, inputs, output, maps, kinds,
      [&](OpBuilder &body, Location, ValueRange arguments) {
        IRMapping map;
        for (auto [operand, argument] : llvm::zip(sources, arguments))
          map.map(c.op.getMatchingBlockArgument(operand), argument);
        Value sum;
        for (auto [position, term] : llvm::enumerate(c.terms)) {
          Value row = product(body, term.row, map, newLoops);
          Value lane = decoded ? arguments[sources.size() + position]
                               : product(body, term.lane, map, newLoops);
          Value value = arith::MulFOp::create(body, loc, row, lane);
          sum = sum ? arith::AddFOp::create(body, loc, sum, value) : value;
        }
        sum = arith::AddFOp::create(body, loc, arguments.back(), sum);
        linalg::YieldOp::create(body, loc, sum);
      });
}

} // namespace mlir::lori
