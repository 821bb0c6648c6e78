// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/PanelContraction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::lori {

BodyLoops::BodyLoops(linalg::GenericOp op) : none(op.getNumLoops()) {
  for (OpOperand &operand : op->getOpOperands()) {
    llvm::SmallBitVector used(op.getNumLoops());
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        used.set(dim.getPosition());
    loops[op.getMatchingBlockArgument(&operand)] = used;
  }
  for (Operation &inner : op.getBody()->without_terminator()) {
    llvm::SmallBitVector used(op.getNumLoops());
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      used.set(index.getDim());
    for (Value operand : inner.getOperands())
      used |= of(operand);
    for (Value result : inner.getResults())
      loops[result] = used;
  }
}

const llvm::SmallBitVector &BodyLoops::of(Value value) const {
  auto it = loops.find(value);
  return it == loops.end() ? none : it->second;
}

bool hasElementwiseBody(linalg::GenericOp op) {
  return llvm::all_of(op.getBody()->without_terminator(), [](Operation &inner) {
    if (isa<linalg::IndexOp>(inner) || inner.hasTrait<OpTrait::ConstantLike>())
      return true;
    return OpTrait::hasElementwiseMappableTraits(&inner) &&
           isMemoryEffectFree(&inner) && inner.getNumResults() == 1;
  });
}

int64_t PanelContraction::innerSteps() const {
  int64_t inner = 1;
  for (unsigned loop : ArrayRef(reductions).drop_front())
    inner *= sizes[loop];
  return inner;
}

bool PanelContraction::isWeight(OpOperand &operand) {
  const llvm::SmallBitVector &used =
      loops.of(op.getMatchingBlockArgument(&operand));
  return used.test(panel) || used.test(lane);
}

void PanelContraction::erase() {
  if (zeros)
    zeros.erase();
  op.erase();
}

llvm::SmallBitVector PanelContraction::indexedLoops() {
  llvm::SmallBitVector indexed(op.getNumLoops());
  for (linalg::IndexOp index : op.getBody()->getOps<linalg::IndexOp>())
    indexed.set(index.getDim());
  return indexed;
}

Value sizeOfLoop(OpBuilder &b, PanelContraction &c, unsigned loop) {
  Location loc = c.op.getLoc();
  if (!ShapedType::isDynamic(c.sizes[loop]))
    return arith::ConstantIndexOp::create(b, loc, c.sizes[loop]);
  for (OpOperand &operand : c.op->getOpOperands())
    for (auto [position, expr] :
         llvm::enumerate(c.op.getMatchingIndexingMap(&operand).getResults()))
      if (cast<AffineDimExpr>(expr).getPosition() == loop)
        return memref::DimOp::create(b, loc, operand.get(), position);
  llvm_unreachable("a loop that indexes no operand");
}

/// Returns the fill that sets the output of `op` to zero right before it.
static linalg::FillOp findZeros(linalg::GenericOp op) {
  Operation *before = op->getPrevNode();
  while (before && isMemoryEffectFree(before))
    before = before->getPrevNode();
  auto fill = dyn_cast_or_null<linalg::FillOp>(before);
  if (!fill || fill.getDpsInitOperand(0)->get() != op.getDpsInits().front() ||
      !matchPattern(fill.getInputs().front(), m_PosZeroFloat()))
    return {};
  return fill;
}

namespace {

/// The walk through one candidate; each step refuses with its reason.
class Matcher {
public:
  Matcher(linalg::GenericOp op, RefusalFn refuse) : c(op), refuse(refuse) {}

  FailureOr<PanelContraction> run() {
    if (failed(matchLoops()) || failed(matchOperands()) || failed(matchBody()))
      return failure();
    c.zeros = findZeros(c.op);
    return std::move(c);
  }

private:
  LogicalResult matchLoops() {
    linalg::GenericOp op = c.op;
    if (!op.hasPureBufferSemantics() || op.getNumDpsInits() != 1)
      return refuse("expected memref operands and one output");
    for (AffineMap map : op.getIndexingMapsArray())
      if (!map.isProjectedPermutation())
        return refuse("expected projected permutations as indexing maps");
    AffineMap out = op.getMatchingIndexingMap(c.output());
    if (out.getNumResults() != 3)
      return refuse("expected an output of (row, panel, lane)");
    c.row = out.getDimPosition(0);
    c.panel = out.getDimPosition(1);
    c.lane = out.getDimPosition(2);
    c.sizes = op.getStaticLoopRanges();
    if (ShapedType::isDynamic(c.sizes[c.lane]))
      return refuse("expected a static number of lanes");
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray())) {
      bool inOutput = loop == c.row || loop == c.panel || loop == c.lane;
      if (inOutput != (kind == utils::IteratorType::parallel))
        return refuse("expected row, panel and lane as the parallel loops");
      if (inOutput)
        continue;
      if (!c.reductions.empty() && ShapedType::isDynamic(c.sizes[loop]))
        return refuse("expected static sizes of the inner reduction loops");
      c.reductions.push_back(loop);
    }
    if (c.reductions.empty())
      return refuse("expected a reduction loop");
    return success();
  }

  LogicalResult matchOperands() {
    for (OpOperand &operand : c.op->getOpOperands()) {
      auto type = dyn_cast<MemRefType>(operand.get().getType());
      if (!type)
        return refuse("expected ranked memrefs");
      const llvm::SmallBitVector &used =
          c.loops.of(c.op.getMatchingBlockArgument(&operand));
      bool isOutput = &operand == c.output();
      if (!isOutput && used.test(c.row) && c.isWeight(operand))
        return refuse("expected each input on the row or on the lane side");
      if (!used.test(c.lane))
        continue;
      AffineMap map = c.op.getMatchingIndexingMap(&operand);
      if (map.getDimPosition(map.getNumResults() - 1) != c.lane ||
          !type.isLastDimUnitStride())
        return refuse("expected the lanes of a panel to lie side by side");
    }
    return success();
  }

  LogicalResult matchBody() {
    if (!hasElementwiseBody(c.op))
      return refuse("expected elementwise operations in the body");
    llvm::SmallBitVector indexed = c.indexedLoops();
    for (unsigned loop : indexed.set_bits())
      if (!llvm::is_contained(c.reductions, loop) ||
          ShapedType::isDynamic(c.sizes[loop]))
        return refuse("expected only indices of static reduction loops");
    Value accumulator = c.op.getMatchingBlockArgument(c.output());
    auto add = c.op.getBody()
                   ->getTerminator()
                   ->getOperand(0)
                   .getDefiningOp<arith::AddFOp>();
    if (!add || !accumulator.getType().isF32() || !accumulator.hasOneUse())
      return refuse("expected the body to add to an f32 output");
    if (add.getLhs() == accumulator)
      return matchSum(add.getRhs());
    if (add.getRhs() == accumulator)
      return matchSum(add.getLhs());
    return refuse("expected the body to add to an f32 output");
  }

  // a sum of products -> its terms
  LogicalResult matchSum(Value value) {
    auto add = value.getDefiningOp<arith::AddFOp>();
    if (add && isMixed(add.getLhs()) && isMixed(add.getRhs()))
      return success(succeeded(matchSum(add.getLhs())) &&
                     succeeded(matchSum(add.getRhs())));
    ProductTerm term;
    if (failed(matchProduct(value, term)))
      return failure();
    if (term.row.empty() || term.lane.empty())
      return refuse("expected products of a row value with a lane value");
    c.terms.push_back(std::move(term));
    return success();
  }

  LogicalResult matchProduct(Value value, ProductTerm &term) {
    if (!isMixed(value)) {
      bool isLane = onLaneSide(value);
      (isLane ? term.lane : term.row).push_back(value);
      return success();
    }
    auto mul = value.getDefiningOp<arith::MulFOp>();
    if (!mul)
      return refuse("expected a sum of products of both sides");
    return success(succeeded(matchProduct(mul.getLhs(), term)) &&
                   succeeded(matchProduct(mul.getRhs(), term)));
  }

  bool onLaneSide(Value value) const {
    const llvm::SmallBitVector &used = c.loops.of(value);
    return used.test(c.panel) || used.test(c.lane);
  }
  bool isMixed(Value value) const {
    return onLaneSide(value) && c.loops.of(value).test(c.row);
  }

  PanelContraction c;
  RefusalFn refuse;
};

} // namespace

FailureOr<PanelContraction> matchPanelContraction(linalg::GenericOp op,
                                                  RefusalFn refuse) {
  return Matcher(op, refuse).run();
}

} // namespace mlir::lori
