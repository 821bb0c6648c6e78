// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/ElementwiseKernel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::lori {

bool ElementwiseKernel::readsOutput(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value))
    return argument.getOwner() == op.getBody() &&
           argument.getArgNumber() >= op.getNumDpsInputs();
  Operation *def = value.getDefiningOp();
  return def && def->getBlock() == op.getBody() &&
         llvm::any_of(def->getOperands(),
                      [&](Value operand) { return readsOutput(operand); });
}

static std::optional<vector::CombiningKind> combiningKind(Operation *op) {
  using Kind = vector::CombiningKind;
  return llvm::TypeSwitch<Operation *, std::optional<Kind>>(op)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return Kind::ADD; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return Kind::MUL; })
      .Case([](arith::MaximumFOp) { return Kind::MAXIMUMF; })
      .Case([](arith::MinimumFOp) { return Kind::MINIMUMF; })
      .Case([](arith::MaxNumFOp) { return Kind::MAXNUMF; })
      .Case([](arith::MinNumFOp) { return Kind::MINNUMF; })
      .Case([](arith::MaxSIOp) { return Kind::MAXSI; })
      .Case([](arith::MinSIOp) { return Kind::MINSI; })
      .Case([](arith::MaxUIOp) { return Kind::MAXUI; })
      .Case([](arith::MinUIOp) { return Kind::MINUI; })
      .Default([](auto) { return std::nullopt; });
}

/// Whether `loop` is the last dimension, with stride 1, of all operands that
/// it indexes, and indexes one.
static bool canHoldVectors(linalg::GenericOp op, unsigned loop) {
  bool used = false;
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type)
      continue; // a scalar, as linalg.fill has it
    AffineMap map = op.getMatchingIndexingMap(&operand);
    for (auto [position, expr] : llvm::enumerate(map.getResults())) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim || dim.getPosition() != loop)
        continue;
      used = true;
      if (position + 1 != map.getNumResults() || !type.isLastDimUnitStride())
        return false;
    }
  }
  return used;
}

static LogicalResult matchReduction(ElementwiseKernel &k, OpOperand &init,
                                    RefusalFn refuse) {
  linalg::GenericOp op = k.op;
  BlockArgument argument = op.getMatchingBlockArgument(&init);
  Value result = op.getBody()->getTerminator()->getOperand(
      argument.getArgNumber() - op.getNumDpsInputs());
  Operation *combiner = result.getDefiningOp();
  std::optional<vector::CombiningKind> kind;
  if (combiner && combiner->getBlock() == op.getBody())
    kind = combiningKind(combiner);
  if (!kind || !argument.hasOneUse() || !result.hasOneUse() ||
      !llvm::is_contained(combiner->getOperands(), argument) ||
      !arith::getNeutralElement(combiner))
    return refuse("expected each reduced output to be combined once with a "
                  "known neutral element");
  unsigned other = combiner->getOperand(0) == argument ? 1 : 0;
  k.reductions.push_back({combiner, combiner->getOperand(other), *kind});
  return success();
}

/// What becomes of the outputs along the vector loop.
static LogicalResult matchOutputs(ElementwiseKernel &k, RefusalFn refuse) {
  bool isParallel = k.op.getIteratorTypesArray()[k.vectorLoop] ==
                    utils::IteratorType::parallel;
  for (OpOperand &init : k.op.getDpsInitsMutable()) {
    if (!isParallel) {
      if (failed(matchReduction(k, init, refuse)))
        return failure();
    } else if (!k.loops.of(k.op.getMatchingBlockArgument(&init))
                    .test(k.vectorLoop)) {
      return refuse("expected outputs that vary with the vector loop");
    }
  }
  return success();
}

FailureOr<ElementwiseKernel> matchElementwise(linalg::GenericOp op,
                                              RefusalFn refuse) {
  auto isMemref = [](Type type) { return isa<MemRefType>(type); };
  if (op.getNumLoops() == 0 || op.getNumDpsInits() == 0 ||
      !llvm::all_of(op.getDpsInits().getTypes(), isMemref) ||
      !op.hasPureBufferSemantics())
    return refuse("expected memref operands and a loop");
  for (AffineMap map : op.getIndexingMapsArray())
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return refuse("expected projected permutations as indexing maps");
  if (!hasElementwiseBody(op))
    return refuse("expected elementwise operations in the body");
  ElementwiseKernel kernel(op);
  for (unsigned loop = op.getNumLoops(); loop-- > 0;)
    if (canHoldVectors(op, loop)) {
      kernel.vectorLoop = loop;
      if (failed(matchOutputs(kernel, refuse)))
        return failure();
      return std::move(kernel);
    }
  return refuse("expected a loop that runs along the last dimension, with "
                "stride 1, of all operands that it indexes");
}

} // namespace mlir::lori
