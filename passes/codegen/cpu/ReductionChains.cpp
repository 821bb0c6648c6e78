// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/ReductionChains.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace mlir::lori {

Value ReductionChains::neutral(const VectorReduction &reduction,
                               int64_t width) {
  TypedAttr attr = *arith::getNeutralElement(reduction.combiner);
  if (width == 1)
    return arith::ConstantOp::create(b, loc, attr);
  auto type = VectorType::get(width, attr.getType());
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(type, attr));
}

SmallVector<Value> ReductionChains::start() {
  SmallVector<Value> partial;
  for (const VectorReduction &reduction : reductions)
    for (int64_t chain = 0; chain < chains; ++chain)
      partial.push_back(neutral(reduction, lanes));
  for (const VectorReduction &reduction : reductions)
    partial.push_back(neutral(reduction, 1));
  return partial;
}

Value ReductionChains::combine(size_t reduction, Value left, Value right) {
  Operation *combiner = reductions[reduction].combiner;
  OperationState state(loc, combiner->getName(), {left, right}, left.getType(),
                       combiner->getAttrs());
  return b.create(state)->getResult(0);
}

/// The lanes in any order: a tree instead of a chain.
Value ReductionChains::reduceLanes(const VectorReduction &reduction,
                                   Value vector) {
  auto fast = isa<FloatType>(getElementTypeOrSelf(vector.getType()))
                  ? arith::FastMathFlags::reassoc
                  : arith::FastMathFlags::none;
  return vector::ReductionOp::create(b, loc, reduction.kind, vector, fast);
}

void ReductionChains::add(size_t reduction, Value term, int64_t width,
                          int64_t chain, MutableArrayRef<Value> partial) {
  if (width == lanes) {
    Value &sum = partial[reduction * chains + chain];
    sum = combine(reduction, sum, term);
    return;
  }
  Value &sum = partial[reductions.size() * chains + reduction];
  sum = combine(reduction, sum, reduceLanes(reductions[reduction], term));
}

Value ReductionChains::finish(size_t reduction, ArrayRef<Value> partial) {
  SmallVector<Value> parts(partial.slice(reduction * chains, chains));
  while (parts.size() > 1) {
    SmallVector<Value> halved;
    for (size_t i = 0; i + 1 < parts.size(); i += 2)
      halved.push_back(combine(reduction, parts[i], parts[i + 1]));
    if (parts.size() % 2)
      halved.push_back(parts.back());
    parts = std::move(halved);
  }
  Value lanesReduced = reduceLanes(reductions[reduction], parts[0]);
  return combine(reduction, lanesReduced,
                 partial[reductions.size() * chains + reduction]);
}

} // namespace mlir::lori
