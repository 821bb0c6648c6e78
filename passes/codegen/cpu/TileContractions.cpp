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
    Value panels = sizeOfLoop(b, c, c.panel);
    int64_t work = c.width();
    for (auto [loop, size] : llvm::enumerate(c.sizes))
      if (loop != c.lane && !ShapedType::isDynamic(size))
        work *= size;
    bool manyRows = ShapedType::isDynamic(c.sizes[c.row]);
    if (!options.parallel || c.sizes[c.panel] == 1 ||
        (!manyRows && work < options.minParallelWork)) {
      callAll(panels);
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
      callAll(panels);
    }
    c.erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  void call(LoopRange panels, LoopRange rows) {
    SmallVector<Value> operands = {panels.lower, panels.upper, rows.lower,
                                   rows.upper};
    llvm::append_range(operands, arguments);
    func::CallOp::create(b, loc, range, operands);
  }

  void callAll(Value panels) {
    call({index(0), panels}, {index(0), sizeOfLoop(b, c, c.row)});
  }

  void share(Value panels) {
    Value threads =
        func::CallOp::create(b, loc, threadCount, b.getI32Type(), {})
            .getResult(0);
    Value workers =
        arith::IndexCastOp::create(b, loc, b.getIndexType(), threads);
    Value rows = sizeOfLoop(b, c, c.row);
    auto [rowParts, panelParts] = divide(rows, workers);
    scf::ParallelOp::create(
        b, loc, ValueRange{index(0), index(0)},
        ValueRange{rowParts, panelParts}, ValueRange{index(1), index(1)},
        [&, rowParts = rowParts, panelParts = panelParts](
            OpBuilder &inner, Location, ValueRange worker) {
          OpBuilder::InsertionGuard guard(b);
          b.restoreInsertionPoint(inner.saveInsertionPoint());
          call(part(panels, worker[1], panelParts, 1),
               part(rows, worker[0], rowParts, rowsAtOnce(c, options)));
        });
  }

  /// Returns how many parts to make of the rows and of the panels, at most
  /// `workers` in all. Each part of the rows decodes all weights of its panels
  /// but shares nothing else, so that few large parts are the best.
  std::pair<Value, Value> divide(Value rows, Value workers) {
    int64_t least = std::max(options.rowPart, manyRows(c, options));
    if (!ShapedType::isDynamic(c.sizes[c.row]) && c.sizes[c.row] < 2 * least)
      return {index(1), workers};
    Value most = arith::DivUIOp::create(b, loc, rows, index(least));
    most = arith::MaxUIOp::create(b, loc, most, index(1));
    most = arith::MinUIOp::create(b, loc, most, workers);
    Value panelParts = arith::CeilDivUIOp::create(b, loc, workers, most);
    return {arith::DivUIOp::create(b, loc, workers, panelParts), panelParts};
  }

  /// Returns part `number` of `parts` of `count` things, in whole blocks.
  LoopRange part(Value count, Value number, Value parts, int64_t block) {
    Value blocks = arith::CeilDivUIOp::create(b, loc, count, index(block));
    auto bound = [&](Value number) -> Value {
      Value product = arith::MulIOp::create(b, loc, number, blocks);
      Value first = arith::DivUIOp::create(b, loc, product, parts);
      Value start = arith::MulIOp::create(b, loc, first, index(block));
      return arith::MinUIOp::create(b, loc, start, count);
    };
    Value lower = bound(number);
    return {lower, bound(arith::AddIOp::create(b, loc, number, index(1)))};
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
    OutlinedClone range =
        outlineClone(c.op, {index, index, index, index}, c.zeros);
    auto parent = c.op->getParentOfType<func::FuncOp>();
    range.function.setName((parent.getName() + "_panels").str());
    symbols.insert(range.function); // makes the name unique
    Sharer(c, range.function, chosen).run();
    PanelContraction inside = *matchPanelContraction(
        range.op, [](const Twine &) { return failure(); });
    Block::BlockArgListType bounds = range.function.getArguments();
    tilePanels(inside, chosen, {bounds[0], bounds[1]}, {bounds[2], bounds[3]});
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
    made.rowPart = rowPart;
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
