// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/ElementwiseWriter.h"
#include "passes/codegen/cpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::lori {

#define GEN_PASS_DEF_VECTORIZEELEMENTWISEPASS
#include "passes/codegen/cpu/Passes.h.inc"

namespace {

/// Replaces one kernel's linalg op, shared between the threads or not.
class ElementwiseReplacer {
public:
  ElementwiseReplacer(ElementwiseKernel &kernel, const ElementwisePlan &plan,
                      std::optional<int64_t> minParallelWork)
      : k(kernel), plan(plan), minParallelWork(minParallelWork), b(kernel.op),
        loc(kernel.op.getLoc()) {}

  void run() {
    for (unsigned loop = 0; loop < k.sizes.size(); ++loop)
      bounds.push_back(sizeOf(loop));
    if (std::optional<unsigned> shared = sharedLoop())
      writeShared(*shared);
    else
      write(std::nullopt, {});
    k.op.erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  Value sizeOf(unsigned loop) {
    if (!ShapedType::isDynamic(k.sizes[loop]))
      return index(k.sizes[loop]);
    for (OpOperand &operand : k.op->getOpOperands())
      for (auto [position, expr] :
           llvm::enumerate(k.op.getMatchingIndexingMap(&operand).getResults()))
        if (auto dim = dyn_cast<AffineDimExpr>(expr);
            dim && dim.getPosition() == loop)
          return memref::DimOp::create(b, loc, operand.get(), position);
    llvm_unreachable("a loop that indexes no operand");
  }

  /// Returns the outermost parallel loop if it is worth sharing.
  std::optional<unsigned> sharedLoop() {
    if (!minParallelWork || k.op->getParentOfType<scf::ParallelOp>())
      return std::nullopt;
    bool dynamic = llvm::any_of(k.sizes, ShapedType::isDynamic);
    int64_t work = 1;
    for (int64_t size : k.sizes)
      work *= ShapedType::isDynamic(size) ? 1 : size;
    if (!dynamic && work < *minParallelWork)
      return std::nullopt;
    for (auto [loop, kind] : llvm::enumerate(k.op.getIteratorTypesArray()))
      if (loop != k.vectorLoop && kind == utils::IteratorType::parallel &&
          k.sizes[loop] != 1)
        return loop;
    return std::nullopt;
  }

  void writeShared(unsigned shared) {
    Value work = bounds[0];
    for (Value bound : ArrayRef(bounds).drop_front())
      work = b.createOrFold<arith::MulIOp>(loc, work, bound);
    Value enough = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge,
                                         work, index(*minParallelWork));
    auto branch = scf::IfOp::create(b, loc, enough, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    scf::ParallelOp::create(b, loc, index(0), bounds[shared], index(1),
                            [&](OpBuilder &inner, Location, ValueRange ivs) {
                              OpBuilder::InsertionGuard guard(b);
                              b.restoreInsertionPoint(
                                  inner.saveInsertionPoint());
                              write(shared, ivs[0]);
                            });
    b.setInsertionPointToStart(branch.elseBlock());
    write(std::nullopt, {});
  }

  void write(std::optional<unsigned> outer, Value outerIndex) {
    ElementwiseWriter(b, k, plan, bounds).write(outer, outerIndex);
  }

  ElementwiseKernel &k;
  const ElementwisePlan &plan;
  std::optional<int64_t> minParallelWork; ///< nullopt: one thread
  OpBuilder b;
  Location loc;
  SmallVector<Value> bounds;
};

/// Returns the functions that a parallel loop calls, directly or not.
llvm::SmallPtrSet<Operation *, 8> functionsOfWorkers(ModuleOp module) {
  SymbolTable symbols(module);
  llvm::SmallPtrSet<Operation *, 8> found;
  SmallVector<Operation *> open;
  auto addCallees = [&](Operation *root) {
    root->walk([&](func::CallOp call) {
      Operation *callee = symbols.lookup(call.getCallee());
      if (callee && found.insert(callee).second)
        open.push_back(callee);
    });
  };
  module.walk([&](scf::ParallelOp loop) { addCallees(loop); });
  while (!open.empty())
    addCallees(open.pop_back_val());
  return found;
}

struct VectorizeElementwisePass final
    : impl::VectorizeElementwisePassBase<VectorizeElementwisePass> {
  using Base::Base;

  void runOnOperation() override {
    auto workers = functionsOfWorkers(getOperation());
    SmallVector<linalg::GenericOp> candidates;
    getOperation().walk(
        [&](linalg::GenericOp op) { candidates.push_back(op); });
    ElementwisePlan plan{vectorBits / 32, unroll, chains, maxUnroll};
    for (linalg::GenericOp op : candidates) {
      FailureOr<ElementwiseKernel> kernel =
          matchElementwise(op, [&](const Twine &reason) -> LogicalResult {
            if (explain)
              op.emitRemark("not vectorised: ") << reason;
            return failure();
          });
      if (failed(kernel))
        continue;
      std::optional<int64_t> threshold;
      if (parallel && !workers.contains(op->getParentOfType<func::FuncOp>()))
        threshold = minParallelWork;
      ElementwiseReplacer(*kernel, plan, threshold).run();
    }
  }
};

} // namespace
} // namespace mlir::lori
