// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/Outlining.h"
#include "passes/codegen/cpu/PanelTiler.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/SymbolTable.h"

namespace mlir::lori {

#define GEN_PASS_DEF_TILECONTRACTIONSPASS
#include "passes/codegen/cpu/Passes.h.inc"

namespace {

/// The OpenMP API's name for the number of threads of the next region.
constexpr StringLiteral threadCount = "omp_get_max_threads";

/// Writes who does which panels: a call of the function of a range by each
/// worker, or one call where threads are not worth waking.
class Sharer {
public:
  Sharer(PanelContraction &c, func::FuncOp range,
         const TileContractionsPassOptions &options)
      : c(c), range(range), options(options), b(c.op), loc(c.op.getLoc()),
        arguments(outlinedArguments(c.op)) {}

  void run() {
    Value none = index(0), panels = sizeOfLoop(b, c, c.panel);
    int64_t work = c.width();
    for (auto [loop, size] : llvm::enumerate(c.sizes))
      if (loop != c.lane && !ShapedType::isDynamic(size))
        work *= size;
    bool manyRows = ShapedType::isDynamic(c.sizes[c.row]);
    if (!options.parallel || c.sizes[c.panel] == 1 ||
        (!manyRows && work < options.minParallelWork)) {
      call(none, panels);
    } else if (work >= options.minParallelWork) {
      share(panels);
    } else {
      // Few rows of a small matrix are done before the threads are awake.
      Value least = index((options.minParallelWork + work - 1) / work);
      Value enough = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge,
                                           sizeOfLoop(b, c, c.row), least);
      auto branch = scf::IfOp::create(b, loc, enough, /*withElse=*/true);
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      share(panels);
      b.setInsertionPointToStart(branch.elseBlock());
      call(none, panels);
    }
    c.op.erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  void call(Value lower, Value upper) {
    SmallVector<Value> operands = {lower, upper};
    llvm::append_range(operands, arguments);
    func::CallOp::create(b, loc, range, operands);
  }

  void share(Value panels) {
    Value threads =
        func::CallOp::create(b, loc, threadCount, b.getI32Type(), {})
            .getResult(0);
    Value workers =
        arith::IndexCastOp::create(b, loc, b.getIndexType(), threads);
    Value one = index(1);
    scf::ParallelOp::create(
        b, loc, index(0), workers, one,
        [&](OpBuilder &inner, Location, ValueRange worker) {
          OpBuilder::InsertionGuard guard(b);
          b.restoreInsertionPoint(inner.saveInsertionPoint());
          auto bound = [&](Value number) -> Value {
            Value product = arith::MulIOp::create(b, loc, number, panels);
            return arith::DivUIOp::create(b, loc, product, workers);
          };
          Value lower = bound(worker[0]);
          call(lower, bound(arith::AddIOp::create(b, loc, worker[0], one)));
        });
  }

  PanelContraction &c;
  func::FuncOp range;
  const TileContractionsPassOptions &options;
  OpBuilder b;
  Location loc;
  SmallVector<Value> arguments;
};

struct TileContractionsPass final
    : impl::TileContractionsPassBase<TileContractionsPass> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    SmallVector<linalg::GenericOp> candidates;
    getOperation().walk(
        [&](linalg::GenericOp op) { candidates.push_back(op); });
    for (linalg::GenericOp op : candidates) {
      FailureOr<PanelContraction> found =
          matchPanelContraction(op, [&](const Twine &reason) -> LogicalResult {
            if (explain)
              op.emitRemark("not tiled: ") << reason;
            return failure();
          });
      if (succeeded(found))
        tile(*found, symbols);
    }
  }

private:
  void tile(PanelContraction &c, SymbolTable &symbols) {
    if (parallel)
      declareThreadCount();
    TileContractionsPassOptions chosen = options();
    Type index = IndexType::get(&getContext());
    OutlinedClone range = outlineClone(c.op, {index, index});
    auto parent = c.op->getParentOfType<func::FuncOp>();
    range.function.setName((parent.getName() + "_panels").str());
    symbols.insert(range.function); // makes the name unique
    Sharer(c, range.function, chosen).run();
    PanelContraction inside = *matchPanelContraction(
        range.op, [](const Twine &) { return failure(); });
    tilePanels(inside, chosen, range.function.getArgument(0),
               range.function.getArgument(1));
  }

  TileContractionsPassOptions options() const {
    TileContractionsPassOptions made;
    made.vectorBits = vectorBits;
    made.registers = registers;
    made.l1Bytes = l1Bytes;
    made.l2Bytes = l2Bytes;
    made.maxPanels = maxPanels;
    made.expandRows = expandRows;
    made.parallel = parallel;
    made.minParallelWork = minParallelWork;
    made.blockDepth = blockDepth;
    made.blockPanels = blockPanels;
    return made;
  }

  void declareThreadCount() {
    if (getOperation().lookupSymbol(threadCount))
      return;
    OpBuilder b = OpBuilder::atBlockEnd(getOperation().getBody());
    auto type = b.getFunctionType({}, b.getI32Type());
    func::FuncOp::create(b, getOperation().getLoc(), threadCount, type)
        .setPrivate();
  }
};

} // namespace
} // namespace mlir::lori
