// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/ContractionTile.h"
#include "passes/codegen/cpu/KernelPlan.h"
#include "passes/codegen/cpu/Outlining.h"
#include "passes/codegen/cpu/Passes.h"

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

/// Returns `size` of loop `loop`, read from the first operand it indexes.
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

/// Writes the loops around the tiles of one contraction, for a range of its
/// panels.
class Tiler {
public:
  Tiler(PanelContraction &c, const TileContractionsPassOptions &options)
      : c(c), options(options), b(c.op), loc(c.op.getLoc()),
        plan{options.vectorBits / 32, options.registers},
        vectors(plan.vectors(c.width())) {}

  void run(Value lower, Value upper) {
    for (unsigned loop = 0; loop < c.sizes.size(); ++loop) {
      Value known = sizeOfLoop(b, c, loop);
      if (loop == c.row)
        rows = known;
      fullSizes.push_back(ShapedType::isDynamic(c.sizes[loop])
                              ? OpFoldResult(known)
                              : b.getIndexAttr(c.sizes[loop]));
    }
    writeRange(lower, upper);
    c.op.erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  /// Writes `body(iv)` for iv = lower, lower + step, … < upper.
  void loop(Value lower, Value upper, int64_t step,
            llvm::function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(b, loc, lower, upper, index(step));
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }

  Value minimum(Value left, Value right) {
    return arith::MinUIOp::create(b, loc, left, right);
  }

  /// The panels lower … upper with all rows.
  void writeRange(Value lower, Value upper) {
    int64_t threshold =
        options.expandRows > 0 ? options.expandRows : plan.maxRows(vectors) + 1;
    if (!ShapedType::isDynamic(c.sizes[c.row])) {
      if (c.sizes[c.row] >= threshold)
        writeBlocked(lower, upper);
      else
        writeDirect(lower, upper);
      return;
    }
    Value many = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, rows,
                                       index(threshold));
    scf::IfOp branch = scf::IfOp::create(b, loc, many, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    writeBlocked(lower, upper);
    b.setInsertionPointToStart(branch.elseBlock());
    writeDirect(lower, upper);
  }

  /// Weights decoded in registers: several panels at once for few rows, then
  /// one panel with all rows for the panels that are left.
  void writeDirect(Value lower, Value upper) {
    SmallVector<int64_t> cases;
    int64_t most = std::min(options.maxPanels, c.sizes[c.panel]);
    if (ShapedType::isDynamic(most))
      most = options.maxPanels;
    for (int64_t count = 1; plan.panelsAtOnce(count, vectors, most) > 1;
         ++count)
      if (ShapedType::isDynamic(c.sizes[c.row]) || c.sizes[c.row] == count)
        cases.push_back(count);
    Value first = lower;
    if (!cases.empty()) {
      auto choice = scf::IndexSwitchOp::create(b, loc, b.getIndexType(), rows,
                                               cases, cases.size());
      OpBuilder::InsertionGuard guard(b);
      b.createBlock(&choice.getDefaultRegion());
      scf::YieldOp::create(b, loc, lower);
      for (auto [region, count] : llvm::zip(choice.getCaseRegions(), cases)) {
        b.createBlock(&region);
        int64_t together = plan.panelsAtOnce(count, vectors, most);
        Value span = arith::SubIOp::create(b, loc, upper, lower);
        Value rest = arith::RemUIOp::create(b, loc, span, index(together));
        Value end = arith::SubIOp::create(b, loc, upper, rest);
        loop(lower, end, together, [&](Value panel) {
          ContractionTile tile(c, fullSizes);
          tile.set(c.row, b.getIndexAttr(0), b.getIndexAttr(count));
          tile.set(c.panel, panel, b.getIndexAttr(together));
          tile.write(b);
        });
        scf::YieldOp::create(b, loc, end);
      }
      first = choice.getResult(0);
    }
    loop(first, upper, 1, [&](Value panel) {
      ContractionTile tile(c, fullSizes);
      tile.set(c.row, b.getIndexAttr(0), rows);
      tile.set(c.panel, panel, b.getIndexAttr(1));
      tile.write(b);
    });
  }

  /// Many rows: a block of rows and of the reduction lies in the second-level
  /// cache while all panels pass by; the same block of a few panels is decoded
  /// into a buffer that all rows are multiplied with.
  void writeBlocked(Value lower, Value upper) {
    unsigned outer = c.reductions.front();
    int64_t inner = 1;
    for (unsigned loop : ArrayRef(c.reductions).drop_front())
      inner *= c.sizes[loop];
    int64_t together = plan.panelsOfBlocks(vectors, options.maxPanels);
    if (!ShapedType::isDynamic(c.sizes[c.panel]))
      together = std::min(together, c.sizes[c.panel]);
    BlockBuffers buffers;
    buffers.depth = mostDepth(together);
    int64_t depth = evenDepth(outer, inner, buffers.depth);
    // One more vector, or rows would meet in the same sets of the cache.
    buffers.rowStride = buffers.depth + plan.lanes;
    int64_t mostRows =
        std::max<int64_t>(1, options.l2Bytes / 2 / (buffers.rowStride * 4));
    if (!ShapedType::isDynamic(c.sizes[c.row]))
      mostRows = std::min(mostRows, c.sizes[c.row]);
    for (const ProductTerm &term : c.terms) {
      buffers.rows.push_back(allocate({mostRows, buffers.rowStride}));
      buffers.lanes.push_back(
          ContractionTile::needsNoBuffer(c, term)
              ? Value()
              : allocate({together, buffers.depth, c.width()}));
    }
    Value total = sizeOfLoop(b, c, outer);
    loop(index(0), rows, mostRows, [&](Value row) {
      Value rowsLeft = arith::SubIOp::create(b, loc, rows, row);
      Value rowsHere = minimum(rowsLeft, index(mostRows));
      loop(index(0), total, depth, [&](Value start) {
        Value depthLeft = arith::SubIOp::create(b, loc, total, start);
        Value depthHere = minimum(depthLeft, index(depth));
        ContractionTile tile(c, fullSizes);
        tile.set(c.row, row, rowsHere);
        tile.set(outer, start, depthHere);
        tile.writeRows(b, buffers);
        Value first = lower;
        for (int64_t count = together; count > 0; count /= together) {
          Value span = arith::SubIOp::create(b, loc, upper, lower);
          Value rest = arith::RemUIOp::create(b, loc, span, index(count));
          Value end = arith::SubIOp::create(b, loc, upper, rest);
          loop(first, end, count, [&](Value panel) {
            tile.set(c.panel, panel, b.getIndexAttr(count));
            tile.writeDecoded(b, buffers);
          });
          first = end;
          if (count == 1)
            break;
        }
      });
    });
  }

  Value allocate(ArrayRef<int64_t> shape) {
    return memref::AllocaOp::create(
        b, loc, MemRefType::get(shape, b.getF32Type()),
        b.getI64IntegerAttr(options.vectorBits / 8));
  }

  /// Returns the most values of k in a block: the decoded weights fill at most
  /// three quarters of the first-level cache.
  int64_t mostDepth(int64_t together) const {
    if (options.blockDepth > 0)
      return options.blockDepth;
    int64_t bytes = together * c.width() * 4;
    return std::max<int64_t>(32, options.l1Bytes * 3 / 4 / bytes / 32 * 32);
  }

  /// Returns how many steps of the outermost reduction loop make a block, such
  /// that all blocks are about equally large.
  int64_t evenDepth(unsigned outer, int64_t inner, int64_t most) const {
    int64_t steps = std::max<int64_t>(1, most / inner);
    if (ShapedType::isDynamic(c.sizes[outer]))
      return steps;
    int64_t blocks = (c.sizes[outer] + steps - 1) / steps;
    int64_t even = (c.sizes[outer] + blocks - 1) / blocks;
    // Whole unrolled iterations where the loop is unrolled.
    return inner == 1 ? std::min(steps, (even + 7) / 8 * 8) : even;
  }

  PanelContraction &c;
  const TileContractionsPassOptions &options;
  OpBuilder b;
  Location loc;
  RegisterPlan plan;
  int64_t vectors;
  Value rows;
  SmallVector<OpFoldResult> fullSizes;
};

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
    Tiler(inside, chosen)
        .run(range.function.getArgument(0), range.function.getArgument(1));
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
