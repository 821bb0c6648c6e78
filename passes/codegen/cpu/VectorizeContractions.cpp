// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/KernelPlan.h"
#include "passes/codegen/cpu/LoopNest.h"
#include "passes/codegen/cpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::lori {

#define GEN_PASS_DEF_VECTORIZECONTRACTIONSPASS
#include "passes/codegen/cpu/Passes.h.inc"

namespace {

using Point = BodyEmitter::Point;

constexpr int64_t cacheLine = 64; ///< bytes

/// Writes one contraction as vector code.
class ContractionVectorizer {
public:
  ContractionVectorizer(PanelContraction &c,
                        const VectorizeContractionsPassOptions &options)
      : c(c), options(options), b(c.op), loc(c.op.getLoc()),
        plan{options.vectorBits / 32, options.registers},
        lanes(std::min(plan.lanes, c.width())), panels(c.sizes[c.panel]),
        perPanel(c.width() / lanes) {}

  /// Checks what does not concern the shape of the op alone.
  LogicalResult check(RefusalFn refuse) const {
    if (c.width() % lanes != 0)
      return refuse("expected panels of whole vectors");
    if (ShapedType::isDynamic(panels) ||
        panels * perPanel + 2 > options.registers)
      return refuse("expected panels whose accumulators fit in registers");
    return success();
  }

  void run() {
    for (unsigned loop = 0; loop < c.sizes.size(); ++loop)
      bounds.push_back(sizeOfLoop(b, c, loop));
    int64_t most = plan.maxRows(panels * perPanel);
    int64_t rows = c.sizes[c.row];
    if (!ShapedType::isDynamic(rows) &&
        (rows <= most || plan.fits(rows, panels * perPanel))) {
      block(index(0), rows, /*readsOnce=*/true);
    } else {
      Value rest = arith::RemUIOp::create(b, loc, bounds[c.row], index(most));
      Value end = arith::SubIOp::create(b, loc, bounds[c.row], rest);
      auto loop = scf::ForOp::create(b, loc, index(0), end, index(most));
      {
        OpBuilder::InsertionGuard guard(b);
        b.setInsertionPointToStart(loop.getBody());
        // The blocks after the first find the weights in a cache.
        block(loop.getInductionVar(), most, /*readsOnce=*/false);
      }
      remainder(end, rest, most);
    }
    c.op.erase();
  }

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  /// The rows after the last whole block: a block of exactly that many.
  void remainder(Value first, Value count, int64_t most) {
    SmallVector<int64_t> cases;
    for (int64_t rows = 1; rows < most; ++rows)
      cases.push_back(rows);
    if (cases.empty())
      return;
    auto choice = scf::IndexSwitchOp::create(b, loc, TypeRange(), count, cases,
                                             cases.size());
    OpBuilder::InsertionGuard guard(b);
    b.createBlock(&choice.getDefaultRegion());
    scf::YieldOp::create(b, loc);
    for (auto [region, rows] : llvm::zip(choice.getCaseRegions(), cases)) {
      b.createBlock(&region);
      block(first, rows, /*readsOnce=*/true);
      scf::YieldOp::create(b, loc);
    }
  }

  /// The accumulators' place in the vector of carried values.
  int64_t slot(int64_t row, int64_t panel, int64_t vector) const {
    return (row * panels + panel) * perPanel + vector;
  }

  /// Calls `f(point, row, panel, vector)` for the vectors of a block.
  void forEachVector(
      const Point &base, int64_t rows,
      llvm::function_ref<void(const Point &, int64_t, int64_t, int64_t)> f) {
    Point point = base;
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t panel = 0; panel < panels; ++panel)
        for (int64_t vector = 0; vector < perPanel; ++vector) {
          point[c.row] = rowIndices[row];
          point[c.panel] = emitter->constant(panel);
          point[c.lane] = emitter->constant(vector * lanes);
          f(point, row, panel, vector);
        }
  }

  /// `rows` rows from `first` on, in registers.
  void block(Value first, int64_t rows, bool readsOnce) {
    BodyEmitter blockEmitter(b, c.op, c.loops, c.lane);
    emitter = &blockEmitter;
    rowIndices.clear();
    for (int64_t row = 0; row < rows; ++row)
      rowIndices.push_back(blockEmitter.offset(first, row));
    BlockArgument target = c.op.getMatchingBlockArgument(c.output());
    SmallVector<Value> sums;
    Point start(c.sizes.size());
    forEachVector(start, rows, [&](const Point &point, auto...) {
      sums.push_back(blockEmitter.emit(target, point, lanes));
    });

    int64_t budget = options.unrollBudget / (rows * panels * perPanel);
    auto levels =
        LoopNest::plan(c.reductions, c.sizes, c.indexedLoops(),
                       std::clamp<int64_t>(budget, 1, options.maxUnroll));
    LoopNest nest(b, loc, blockEmitter, c.sizes, bounds);
    unrolledStep = 0;
    nest.hoist = [&](const Point &at, const llvm::SmallBitVector &inner) {
      forEachVector(at, 1, [&](const Point &point, auto...) {
        for (const ProductTerm &term : c.terms)
          for (Value factor : term.lane)
            blockEmitter.hoist(factor, point, lanes, inner);
      });
    };
    nest.body = [&](const Point &at, SmallVector<Value> &values) {
      if (options.prefetchBytes > 0 && readsOnce)
        prefetch(at);
      for (const ProductTerm &term : c.terms)
        multiply(term, at, rows, values);
    };
    nest.write(levels, start, sums);

    forEachVector(
        start, rows,
        [&](const Point &point, int64_t row, int64_t panel, int64_t vector) {
          SmallVector<Value> indices;
          for (AffineExpr expr :
               c.op.getMatchingIndexingMap(c.output()).getResults())
            indices.push_back(point[cast<AffineDimExpr>(expr).getPosition()]);
          vector::StoreOp::create(b, loc, sums[slot(row, panel, vector)],
                                  c.output()->get(), indices);
        });
  }

  /// Asks for the cache lines of the weights that will be read
  /// `prefetchBytes` later: for the operands that vary with the innermost loop,
  /// at the steps where a line begins.
  void prefetch(const Point &at) {
    unsigned innermost = c.reductions.back();
    for (OpOperand *operand : c.op.getDpsInputOperands()) {
      AffineMap map = c.op.getMatchingIndexingMap(operand);
      unsigned results = map.getNumResults();
      if (!c.isWeight(*operand) || results < 2 ||
          map.getDimPosition(results - 1) != c.lane ||
          map.getDimPosition(results - 2) != innermost)
        continue;
      auto type = cast<MemRefType>(operand->get().getType());
      int64_t stride = type.getStridesAndOffset().first[results - 2];
      if (ShapedType::isDynamic(stride))
        continue;
      int64_t step = stride * type.getElementTypeBitWidth() / 8;
      int64_t unrolledAt = unrolledStep++;
      if (step < cacheLine && (unrolledAt * step) % cacheLine != 0)
        continue;
      prefetchStep(*operand, at, step);
    }
  }

  void prefetchStep(OpOperand &operand, Point point, int64_t step) {
    int64_t elementBytes =
        cast<MemRefType>(operand.get().getType()).getElementTypeBitWidth() / 8;
    unsigned innermost = c.reductions.back();
    point[innermost] = emitter->offset(
        point[innermost], std::max<int64_t>(1, options.prefetchBytes / step));
    for (int64_t panel = 0; panel < panels; ++panel)
      for (int64_t byte = 0; byte < std::max(step, cacheLine);
           byte += cacheLine) {
        point[c.panel] = emitter->constant(panel);
        point[c.lane] = emitter->constant(byte / elementBytes);
        SmallVector<Value> indices;
        for (AffineExpr expr :
             c.op.getMatchingIndexingMap(&operand).getResults())
          indices.push_back(point[cast<AffineDimExpr>(expr).getPosition()]);
        memref::PrefetchOp::create(b, loc, operand.get(), indices,
                                   /*isWrite=*/false, /*localityHint=*/3,
                                   /*isDataCache=*/true);
      }
  }

  Value product(ArrayRef<Value> factors, const Point &point) {
    Value result;
    for (Value factor : factors) {
      Value value = emitter->emit(factor, point, lanes);
      result = result ? arith::MulFOp::create(b, loc, result, value) : value;
    }
    return result;
  }

  Value broadcast(Value value) {
    auto type = VectorType::get(lanes, b.getF32Type());
    if (value.getType() == type)
      return value;
    return vector::BroadcastOp::create(b, loc, type, value);
  }

  /// sums[m, n] += row(m) * lane(n) at one step of the reduction.
  void multiply(const ProductTerm &term, const Point &at, int64_t rows,
                SmallVector<Value> &sums) {
    SmallVector<Value> weights;
    forEachVector(at, 1, [&](const Point &point, auto...) {
      weights.push_back(broadcast(product(term.lane, point)));
    });
    Point point = at;
    for (int64_t row = 0; row < rows; ++row) {
      point[c.row] = rowIndices[row];
      Value x = broadcast(product(term.row, point));
      for (auto [place, weight] : llvm::enumerate(weights)) {
        Value &sum = sums[row * weights.size() + place];
        sum = vector::FMAOp::create(b, loc, x, weight, sum);
      }
    }
  }

  PanelContraction &c;
  const VectorizeContractionsPassOptions &options;
  OpBuilder b;
  Location loc;
  RegisterPlan plan;
  int64_t lanes, panels, perPanel;
  SmallVector<Value> bounds, rowIndices;
  BodyEmitter *emitter = nullptr;
  int64_t unrolledStep = 0;
};

struct VectorizeContractionsPass final
    : impl::VectorizeContractionsPassBase<VectorizeContractionsPass> {
  using Base::Base;

  void runOnOperation() override {
    VectorizeContractionsPassOptions options;
    options.vectorBits = vectorBits;
    options.registers = registers;
    options.unrollBudget = unrollBudget;
    options.maxUnroll = maxUnroll;
    options.prefetchBytes = prefetchBytes;
    SmallVector<linalg::GenericOp> candidates;
    getOperation().walk(
        [&](linalg::GenericOp op) { candidates.push_back(op); });
    for (linalg::GenericOp op : candidates) {
      auto refuse = [&](const Twine &reason) -> LogicalResult {
        if (explain)
          op.emitRemark("not vectorised: ") << reason;
        return failure();
      };
      FailureOr<PanelContraction> found = matchPanelContraction(op, refuse);
      if (failed(found))
        continue;
      ContractionVectorizer vectorizer(*found, options);
      if (succeeded(vectorizer.check(refuse)))
        vectorizer.run();
    }
  }
};

} // namespace
} // namespace mlir::lori
