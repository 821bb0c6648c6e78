// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/PanelTiler.h"
#include "passes/codegen/cpu/ContractionTile.h"
#include "passes/codegen/cpu/KernelPlan.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace mlir::lori {
namespace {

/// Returns how many steps, each of `inner` values of k, make a block of at most
/// `most` values, such that blocks are about equally large.
int64_t evenSteps(int64_t total, int64_t inner, int64_t most) {
  int64_t steps = std::max<int64_t>(1, most / inner);
  if (ShapedType::isDynamic(total))
    return steps;
  int64_t blocks = std::max<int64_t>(1, (total + steps - 1) / steps);
  int64_t even = (total + blocks - 1) / blocks;
  // Whole unrolled iterations where the loop is unrolled.
  return inner == 1 ? std::min(steps, (even + 7) / 8 * 8) : even;
}

/// Returns how many panels go through the registers at once with many rows.
int64_t panelsAtOnce(const PanelContraction &c,
                     const TileContractionsPassOptions &options) {
  RegisterPlan plan{options.vectorBits / 32, options.registers};
  int64_t together =
      options.blockPanels
          ? options.blockPanels
          : plan.panelsOfBlocks(plan.vectors(c.width()), options.maxPanels);
  int64_t panels = c.sizes[c.panel];
  if (ShapedType::isDynamic(panels))
    return together;
  return std::min<int64_t>(together, llvm::bit_floor(uint64_t(panels)));
}

/// Writes the loops around the tiles of one contraction, for a range of its
/// panels.
class PanelTiler {
public:
  PanelTiler(PanelContraction &c, const TileContractionsPassOptions &options,
             LoopRange part)
      : c(c), options(options), rowRange(part), b(c.op), loc(c.op.getLoc()),
        plan{options.vectorBits / 32, options.registers},
        caches{options.l1Bytes, options.l2Bytes},
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
    c.erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  /// Writes `body(iv)` for iv = lower, lower + step, … < upper.
  void loop(Value lower, Value upper, Value step,
            llvm::function_ref<void(Value)> body) {
    auto loop = scf::ForOp::create(b, loc, lower, upper, step);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }

  /// The panels lower … upper.
  void writeRange(Value lower, Value upper) {
    int64_t threshold = manyRows(c, options);
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
    if (c.zeros)
      zeroOutput(lower, upper);
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
        Value end = lower;
        for (int64_t together = plan.panelsAtOnce(count, vectors, most);
             together > 1; together /= 2)
          end = writeGroups(end, upper, together, count);
        scf::YieldOp::create(b, loc, end);
      }
      first = choice.getResult(0);
    }
    loop(first, upper, index(1), [&](Value panel) {
      ContractionTile tile(c, fullSizes);
      tile.set(c.row, b.getIndexAttr(0), rows);
      tile.set(c.panel, panel, b.getIndexAttr(1));
      tile.write(b);
    });
  }

  void zeroOutput(Value lower, Value upper) {
    ContractionTile range(c, fullSizes);
    range.set(c.panel, lower,
              arith::SubIOp::create(b, loc, upper, lower).getResult());
    range.zeroOutput(b);
  }

  /// Writes `count` rows of the panels from `lower` on, `together` at once;
  /// returns where fewer than that are left.
  Value writeGroups(Value lower, Value upper, int64_t together, int64_t count) {
    Value span = arith::SubIOp::create(b, loc, upper, lower);
    Value rest = arith::RemUIOp::create(b, loc, span, index(together));
    Value end = arith::SubIOp::create(b, loc, upper, rest);
    loop(lower, end, index(together), [&](Value panel) {
      ContractionTile tile(c, fullSizes);
      tile.set(c.row, b.getIndexAttr(0), b.getIndexAttr(count));
      tile.set(c.panel, panel, b.getIndexAttr(together));
      tile.write(b);
    });
    return end;
  }

  /// Many rows: a block of rows, for a long stretch of the reduction, lies in
  /// the second-level cache while all panels pass by. For each few panels the
  /// sums lie beside it, and short stretches of the weights are decoded into
  /// the first-level cache and multiplied with all rows of the block.
  void writeBlocked(Value lower, Value upper) {
    unsigned outer = c.reductions.front();
    int64_t inner = c.innerSteps();
    int64_t together = panelsAtOnce(c, options);
    BlockBuffers buffers;
    buffers.panels = together;
    buffers.depth = options.blockDepth ? options.blockDepth
                                       : caches.depth(together * c.width() * 4);
    int64_t stretch = caches.stretch(buffers.depth);
    // One more vector, or rows would meet in the same sets of the cache.
    buffers.rowStride = stretch + plan.lanes;
    int64_t mostRows = allocate(buffers);
    // A reduction of unknown length may have no stretch that starts at zero.
    bool startsAtZero = c.zeros && !ShapedType::isDynamic(c.sizes[outer]);
    if (c.zeros && !startsAtZero)
      zeroOutput(lower, upper);

    int64_t longSteps = evenSteps(c.sizes[outer], inner, stretch);
    int64_t steps = evenSteps(longSteps, inner, buffers.depth);
    Value total = sizeOfLoop(b, c, outer);
    ContractionTile tile(c, fullSizes);
    Value rowStep = evenRows(mostRows, rowsAtOnce(c, options));
    loop(rowRange.lower, rowRange.upper, rowStep, [&](Value row) {
      tile.set(c.row, row, part(row, rowStep, rowRange.upper));
      loop(index(0), total, index(longSteps), [&](Value start) {
        Value end = arith::AddIOp::create(b, loc, start,
                                          part(start, index(longSteps), total));
        tile.set(outer, start, part(start, index(longSteps), total));
        tile.writeRows(b, buffers);
        eachGroup(lower, upper, together, [&](Value panel, int64_t count) {
          tile.set(c.panel, panel, b.getIndexAttr(count));
          if (startsAtZero)
            startSums(tile, buffers, start);
          else
            tile.loadSums(b, buffers);
          loop(start, end, index(steps), [&](Value at) {
            tile.set(outer, at, part(at, index(steps), end));
            tile.writeDecoded(b, buffers, start);
          });
          tile.storeSums(b, buffers);
        });
      });
    });
  }

  /// The first stretch of a reduction that starts at zero has sums of zero.
  void startSums(ContractionTile &tile, const BlockBuffers &buffers,
                 Value start) {
    Value isFirst = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                          start, index(0));
    auto branch = scf::IfOp::create(b, loc, isFirst, /*withElse=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    tile.zeroSums(b, buffers);
    b.setInsertionPointToStart(branch.elseBlock());
    tile.loadSums(b, buffers);
  }

  /// Returns min(step, end - start).
  Value part(Value start, Value step, Value end) {
    Value left = arith::SubIOp::create(b, loc, end, start);
    return arith::MinUIOp::create(b, loc, left, step);
  }

  /// Groups of `together` panels, then single ones.
  void eachGroup(Value lower, Value upper, int64_t together,
                 llvm::function_ref<void(Value, int64_t)> body) {
    Value span = arith::SubIOp::create(b, loc, upper, lower);
    Value rest = arith::RemUIOp::create(b, loc, span, index(together));
    Value end = arith::SubIOp::create(b, loc, upper, rest);
    loop(lower, end, index(together),
         [&](Value panel) { body(panel, together); });
    if (together > 1)
      loop(end, upper, index(1), [&](Value panel) { body(panel, 1); });
  }

  /// Returns about equal numbers of rows, at most `most` and whole blocks of
  /// registers.
  Value evenRows(int64_t most, int64_t block) {
    most = std::max(block, most / block * block);
    auto divideUp = [&](Value value, Value by) -> Value {
      return arith::CeilDivUIOp::create(b, loc, value, by);
    };
    // No rows make no block; the loop over them must still have a step.
    Value count = arith::SubIOp::create(b, loc, rowRange.upper, rowRange.lower);
    Value some = arith::MaxUIOp::create(b, loc, count, index(1));
    Value even = divideUp(some, divideUp(some, index(most)));
    return arith::MulIOp::create(b, loc, divideUp(even, index(block)),
                                 index(block));
  }

  /// Allocates the buffers; returns how many rows they hold.
  int64_t allocate(BlockBuffers &buffers) {
    int64_t mostRows = caches.rows(buffers.rowStride);
    if (!ShapedType::isDynamic(c.sizes[c.row]))
      mostRows = std::min(mostRows, c.sizes[c.row]);
    int64_t block = rowsAtOnce(c, options);
    mostRows = (mostRows + block - 1) / block * block;
    for (size_t term = 0; term < c.terms.size(); ++term) {
      buffers.rows.push_back(allocate({mostRows, buffers.rowStride}));
      buffers.lanes.push_back(
          allocate({buffers.panels, buffers.depth, c.width()}));
    }
    buffers.sums = allocate({mostRows, buffers.panels, c.width()});
    return mostRows;
  }

  Value allocate(ArrayRef<int64_t> shape) {
    return memref::AllocaOp::create(
        b, loc, MemRefType::get(shape, b.getF32Type()),
        b.getI64IntegerAttr(options.vectorBits / 8));
  }

  PanelContraction &c;
  const TileContractionsPassOptions &options;
  LoopRange rowRange; ///< of many rows
  OpBuilder b;
  Location loc;
  RegisterPlan plan;
  CachePlan caches;
  int64_t vectors;
  Value rows;
  SmallVector<OpFoldResult> fullSizes;
};

} // namespace

int64_t manyRows(const PanelContraction &c,
                 const TileContractionsPassOptions &options) {
  RegisterPlan plan{options.vectorBits / 32, options.registers};
  return options.expandRows > 0 ? options.expandRows
                                : plan.maxRows(plan.vectors(c.width())) + 1;
}

int64_t rowsAtOnce(const PanelContraction &c,
                   const TileContractionsPassOptions &options) {
  RegisterPlan plan{options.vectorBits / 32, options.registers};
  return plan.maxRows(panelsAtOnce(c, options) * plan.vectors(c.width()));
}

void tilePanels(PanelContraction &c, const TileContractionsPassOptions &options,
                LoopRange panels, LoopRange rows) {
  PanelTiler(c, options, rows).run(panels.lower, panels.upper);
}

} // namespace mlir::lori
