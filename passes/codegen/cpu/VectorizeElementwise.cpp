// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/LoopNest.h"
#include "passes/codegen/cpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace mlir::lori {

#define GEN_PASS_DEF_VECTORIZEELEMENTWISEPASS
#include "passes/codegen/cpu/Passes.h.inc"

namespace {

using Point = BodyEmitter::Point;

/// An output that is summed (or multiplied, …) along the vector loop.
struct Reduction {
  Operation *combiner; ///< of the body
  Value term;          ///< what is combined with the output
  vector::CombiningKind kind;
};

std::optional<vector::CombiningKind> combiningKind(Operation *op) {
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

class ElementwiseVectorizer {
public:
  ElementwiseVectorizer(linalg::GenericOp op,
                        const VectorizeElementwisePassOptions &options)
      : op(op), loops(op), options(options), b(op), loc(op.getLoc()),
        lanes(options.vectorBits / 32), sizes(op.getStaticLoopRanges()) {}

  LogicalResult match(RefusalFn refuse) {
    if (!op.hasPureBufferSemantics() || op.getNumLoops() == 0)
      return refuse("expected memref operands and a loop");
    for (AffineMap map : op.getIndexingMapsArray())
      if (!map.isProjectedPermutation(/*allowZeroInResults=*/true))
        return refuse("expected projected permutations as indexing maps");
    if (!hasElementwiseBody(op))
      return refuse("expected elementwise operations in the body");
    for (unsigned loop = op.getNumLoops(); loop-- > 0;)
      if (isVectorLoop(loop)) {
        vectorLoop = loop;
        return matchReductions(refuse);
      }
    return refuse("expected a loop that runs along the last dimension, with "
                  "stride 1, of all operands that it indexes");
  }

  void run() {
    for (unsigned loop = 0; loop < sizes.size(); ++loop)
      bounds.push_back(sizeOf(loop));
    std::optional<unsigned> shared = sharedLoop();
    if (!shared) {
      nest(std::nullopt, {});
      op.erase();
      return;
    }
    Value enough = enoughWork();
    auto branch = scf::IfOp::create(b, loc, enough, /*withElse=*/true);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(branch.thenBlock());
      scf::ParallelOp::create(b, loc, index(0), bounds[*shared], index(1),
                              [&](OpBuilder &inner, Location, ValueRange ivs) {
                                OpBuilder::InsertionGuard guard(b);
                                b.restoreInsertionPoint(
                                    inner.saveInsertionPoint());
                                nest(shared, ivs[0]);
                              });
      b.setInsertionPointToStart(branch.elseBlock());
      nest(std::nullopt, {});
    }
    op.erase();
  }

private:
  bool isVectorLoop(unsigned loop) {
    bool used = false;
    for (OpOperand &operand : op->getOpOperands()) {
      AffineMap map = op.getMatchingIndexingMap(&operand);
      auto type = cast<MemRefType>(operand.get().getType());
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

  LogicalResult matchReductions(RefusalFn refuse) {
    if (op.getIteratorTypesArray()[vectorLoop] ==
        utils::IteratorType::parallel) {
      for (OpOperand &init : op.getDpsInitsMutable())
        if (!loops.of(op.getMatchingBlockArgument(&init)).test(vectorLoop))
          return refuse("expected outputs that vary with the vector loop");
      return success();
    }
    Operation *yield = op.getBody()->getTerminator();
    for (OpOperand &init : op.getDpsInitsMutable()) {
      BlockArgument argument = op.getMatchingBlockArgument(&init);
      Value result =
          yield->getOperand(argument.getArgNumber() - op.getNumDpsInputs());
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
      reductions.push_back({combiner, combiner->getOperand(other), *kind});
    }
    return success();
  }

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }

  Value sizeOf(unsigned loop) {
    if (!ShapedType::isDynamic(sizes[loop]))
      return index(sizes[loop]);
    for (OpOperand &operand : op->getOpOperands())
      for (auto [position, expr] :
           llvm::enumerate(op.getMatchingIndexingMap(&operand).getResults()))
        if (auto dim = dyn_cast<AffineDimExpr>(expr);
            dim && dim.getPosition() == loop)
          return memref::DimOp::create(b, loc, operand.get(), position);
    llvm_unreachable("a loop that indexes no operand");
  }

  /// Returns the outermost parallel loop if it is worth sharing.
  std::optional<unsigned> sharedLoop() {
    if (!options.parallel || op->getParentOfType<scf::ParallelOp>())
      return std::nullopt;
    bool dynamic = llvm::any_of(sizes, ShapedType::isDynamic);
    int64_t work = 1;
    for (int64_t size : sizes)
      work *= ShapedType::isDynamic(size) ? 1 : size;
    if (!dynamic && work < options.minParallelWork)
      return std::nullopt;
    for (auto [loop, kind] : llvm::enumerate(op.getIteratorTypesArray()))
      if (loop != vectorLoop && kind == utils::IteratorType::parallel &&
          sizes[loop] != 1)
        return loop;
    return std::nullopt;
  }

  Value enoughWork() {
    Value work = bounds[0];
    for (Value bound : ArrayRef(bounds).drop_front())
      work = b.createOrFold<arith::MulIOp>(loc, work, bound);
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::uge, work,
                                 index(options.minParallelWork));
  }

  /// All loops but `outer`, whose index is given.
  void nest(std::optional<unsigned> outer, Value outerIndex) {
    BodyEmitter emitter(b, op, loops, vectorLoop);
    Point point(sizes.size());
    SmallVector<unsigned> order;
    llvm::SmallBitVector whole(sizes.size());
    for (linalg::IndexOp asked : op.getBody()->getOps<linalg::IndexOp>())
      if (!ShapedType::isDynamic(sizes[asked.getDim()]) &&
          sizes[asked.getDim()] <= options.maxUnroll)
        whole.set(asked.getDim());
    for (unsigned loop = 0; loop < sizes.size(); ++loop)
      if (loop != vectorLoop && loop != outer)
        order.push_back(loop);
    if (outer)
      point[*outer] = outerIndex;

    // A short vector loop leaves room to unroll the loops around it.
    int64_t budget = 0;
    if (!ShapedType::isDynamic(sizes[vectorLoop]))
      budget =
          options.maxUnroll * lanes / std::max<int64_t>(1, sizes[vectorLoop]);
    LoopNest nest(b, loc, emitter, sizes, bounds);
    nest.hoist = [&](const Point &at, const llvm::SmallBitVector &inner) {
      hoist(emitter, at, inner);
    };
    nest.body = [&](const Point &at, SmallVector<Value> &) {
      alongVectors(nest, emitter, at);
    };
    SmallVector<Value> none;
    nest.write(LoopNest::plan(order, sizes, whole, budget), point, none);
  }

  /// Writes scalars, and short rows of vectors, before the loops that they do
  /// not vary with.
  void hoist(BodyEmitter &emitter, Point point,
             const llvm::SmallBitVector &inner) {
    SmallVector<Value> starts = {Value()};
    int64_t size = sizes[vectorLoop];
    bool isShort = !ShapedType::isDynamic(size) && size % lanes == 0 &&
                   size <= options.maxUnroll * lanes;
    llvm::SmallBitVector later = inner;
    if (isShort) {
      starts.clear();
      for (int64_t at = 0; at < size; at += lanes)
        starts.push_back(emitter.constant(at));
    } else {
      later.set(vectorLoop);
    }
    // An output's old value is read where it is written.
    for (BlockArgument init : op.getRegionOutputArgs())
      if (!init.use_empty() && isShort)
        return;
    for (Value start : starts) {
      point[vectorLoop] = start;
      for (Value yielded : op.getBody()->getTerminator()->getOperands())
        hoistInputs(emitter, yielded, point, later);
    }
  }

  void hoistInputs(BodyEmitter &emitter, Value value, const Point &point,
                   const llvm::SmallBitVector &inner) {
    if (auto argument = dyn_cast<BlockArgument>(value);
        argument && argument.getOwner() == op.getBody() &&
        argument.getArgNumber() >= op.getNumDpsInputs())
      return;
    if (!loops.of(value).anyCommon(inner) && !readsOutput(value)) {
      emitter.emit(value, point, lanes);
      return;
    }
    if (Operation *def = value.getDefiningOp();
        def && def->getBlock() == op.getBody())
      for (Value operand : def->getOperands())
        hoistInputs(emitter, operand, point, inner);
  }

  bool readsOutput(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return argument.getOwner() == op.getBody() &&
             argument.getArgNumber() >= op.getNumDpsInputs();
    Operation *def = value.getDefiningOp();
    return def && def->getBlock() == op.getBody() &&
           llvm::any_of(def->getOperands(),
                        [&](Value operand) { return readsOutput(operand); });
  }

  SmallVector<Value> indicesOf(OpOperand &operand, const Point &point,
                               BodyEmitter &emitter) {
    SmallVector<Value> indices;
    for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      indices.push_back(dim ? point[dim.getPosition()] : emitter.constant(0));
    }
    return indices;
  }

  /// The vector loop: groups of vectors, then single ones, then what is left.
  void alongVectors(LoopNest &nest, BodyEmitter &emitter, const Point &at) {
    if (reductions.empty()) {
      SmallVector<Value> none;
      eachPiece(nest, emitter, at, none,
                [&](const Point &point, int64_t width, int64_t,
                    SmallVector<Value> &) { store(emitter, point, width); });
      return;
    }
    SmallVector<Value> partial;
    int64_t chains = options.chains;
    for (Reduction &reduction : reductions)
      for (int64_t chain = 0; chain < chains; ++chain)
        partial.push_back(neutral(reduction, lanes));
    SmallVector<Value> rest;
    for (Reduction &reduction : reductions)
      rest.push_back(neutral(reduction, 1));
    // partial holds the chains of all reductions, then one scalar each.
    llvm::append_range(partial, rest);
    eachPiece(nest, emitter, at, partial,
              [&](const Point &point, int64_t width, int64_t chain,
                  SmallVector<Value> &values) {
                accumulate(emitter, point, width, chain, values);
              });
    finish(emitter, at, partial);
  }

  Value neutral(Reduction &reduction, int64_t width) {
    TypedAttr attr = *arith::getNeutralElement(reduction.combiner);
    Type element = reduction.combiner->getResult(0).getType();
    if (width == 1)
      return arith::ConstantOp::create(b, loc, attr);
    auto type = VectorType::get(width, element);
    return arith::ConstantOp::create(b, loc,
                                     DenseElementsAttr::get(type, attr));
  }

  Value combine(Reduction &reduction, Value left, Value right) {
    OperationState state(loc, reduction.combiner->getName(), {left, right},
                         left.getType(), reduction.combiner->getAttrs());
    return b.create(state)->getResult(0);
  }

  /// The lanes in any order: a tree instead of a chain.
  Value reduce(Reduction &reduction, Value vector) {
    auto fast = isa<FloatType>(getElementTypeOrSelf(vector.getType()))
                    ? arith::FastMathFlags::reassoc
                    : arith::FastMathFlags::none;
    return vector::ReductionOp::create(b, loc, reduction.kind, vector, fast);
  }

  void accumulate(BodyEmitter &emitter, const Point &point, int64_t width,
                  int64_t chain, SmallVector<Value> &values) {
    for (auto [i, reduction] : llvm::enumerate(reductions)) {
      Value term = emitter.emitVector(reduction.term, point, width);
      if (width == lanes) {
        Value &sum = values[i * options.chains + chain];
        sum = combine(reduction, sum, term);
        continue;
      }
      Value &sum = values[reductions.size() * options.chains + i];
      Value reduced = reduce(reduction, term);
      sum = combine(reduction, sum, reduced);
    }
  }

  void finish(BodyEmitter &emitter, const Point &at, ArrayRef<Value> partial) {
    for (auto [i, reduction] : llvm::enumerate(reductions)) {
      SmallVector<Value> chains(
          partial.slice(i * options.chains, options.chains));
      while (chains.size() > 1) {
        SmallVector<Value> halved;
        for (size_t j = 0; j + 1 < chains.size(); j += 2)
          halved.push_back(combine(reduction, chains[j], chains[j + 1]));
        if (chains.size() % 2)
          halved.push_back(chains.back());
        chains = std::move(halved);
      }
      Value reduced = reduce(reduction, chains[0]);
      reduced = combine(reduction, reduced,
                        partial[reductions.size() * options.chains + i]);
      OpOperand &init = op.getDpsInitsMutable()[i];
      SmallVector<Value> indices = indicesOf(init, at, emitter);
      Value old = memref::LoadOp::create(b, loc, init.get(), indices);
      memref::StoreOp::create(b, loc, combine(reduction, old, reduced),
                              init.get(), indices);
    }
  }

  void store(BodyEmitter &emitter, const Point &point, int64_t width) {
    SmallVector<Value> values;
    for (Value yielded : op.getBody()->getTerminator()->getOperands())
      values.push_back(emitter.emitVector(yielded, point, width));
    for (auto [init, value] : llvm::zip(op.getDpsInitsMutable(), values))
      vector::StoreOp::create(b, loc, value, init.get(),
                              indicesOf(init, point, emitter));
  }

  using PieceFn = llvm::function_ref<void(const Point &, int64_t width,
                                          int64_t chain, SmallVector<Value> &)>;

  void eachPiece(LoopNest &nest, BodyEmitter &emitter, Point point,
                 SmallVector<Value> &carried, PieceFn piece) {
    int64_t group =
        lanes * (reductions.empty() ? options.unroll : options.chains);
    int64_t size = sizes[vectorLoop];
    auto pieces = [&](Value start, int64_t count, int64_t width,
                      SmallVector<Value> &values) {
      for (int64_t i = 0; i < count; ++i) {
        point[vectorLoop] = emitter.offset(start, i * width);
        piece(point, width, i, values);
      }
    };
    if (ShapedType::isDynamic(size)) {
      Value start = emitter.constant(0);
      for (int64_t width : {group, lanes, int64_t(1)}) {
        Value left = arith::SubIOp::create(b, loc, bounds[vectorLoop], start);
        Value over =
            arith::RemUIOp::create(b, loc, left, emitter.constant(width));
        Value end = arith::SubIOp::create(b, loc, bounds[vectorLoop], over);
        nest.loop(start, end, width, carried,
                  [&](Value iv, SmallVector<Value> &values) {
                    int64_t each = std::min(width, lanes);
                    pieces(iv, width / each, each, values);
                  });
        start = end;
      }
      return;
    }
    int64_t done = size - size % group;
    if (done == group || done <= options.maxUnroll * lanes)
      for (int64_t at = 0; at < done; at += group)
        pieces(emitter.constant(at), group / lanes, lanes, carried);
    else
      nest.loop(emitter.constant(0), emitter.constant(done), group, carried,
                [&](Value iv, SmallVector<Value> &values) {
                  pieces(iv, group / lanes, lanes, values);
                });
    int64_t whole = (size - done) / lanes;
    pieces(emitter.constant(done), whole, lanes, carried);
    done += whole * lanes;
    for (int64_t width = lanes / 2; width > 0; width /= 2)
      if ((size - done) & width) {
        pieces(emitter.constant(done), 1, width, carried);
        done += width;
      }
  }

  linalg::GenericOp op;
  BodyLoops loops;
  const VectorizeElementwisePassOptions &options;
  OpBuilder b;
  Location loc;
  int64_t lanes;
  SmallVector<int64_t> sizes;
  SmallVector<Value> bounds;
  unsigned vectorLoop = 0;
  SmallVector<Reduction> reductions;
};

/// memref.copy(a, b) -> linalg.generic that yields a: a strided copy would
/// become a call into a library.
void generaliseCopy(memref::CopyOp copy) {
  auto type = dyn_cast<MemRefType>(copy.getTarget().getType());
  if (!type || type.getRank() == 0 ||
      !isa<MemRefType>(copy.getSource().getType()))
    return;
  OpBuilder b(copy);
  AffineMap map = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> kinds(type.getRank(),
                                         utils::IteratorType::parallel);
  linalg::GenericOp::create(
      b, copy.getLoc(), copy.getSource(), copy.getTarget(),
      ArrayRef<AffineMap>{map, map}, kinds,
      [](OpBuilder &body, Location loc, ValueRange arguments) {
        linalg::YieldOp::create(body, loc, arguments[0]);
      });
  copy.erase();
}

struct VectorizeElementwisePass final
    : impl::VectorizeElementwisePassBase<VectorizeElementwisePass> {
  using Base::Base;

  void runOnOperation() override {
    VectorizeElementwisePassOptions options;
    options.vectorBits = vectorBits;
    options.unroll = unroll;
    options.chains = chains;
    options.maxUnroll = maxUnroll;
    options.parallel = parallel;
    options.minParallelWork = minParallelWork;
    getOperation().walk([](memref::CopyOp copy) { generaliseCopy(copy); });
    SmallVector<linalg::GenericOp> candidates;
    getOperation().walk(
        [&](linalg::GenericOp op) { candidates.push_back(op); });
    for (linalg::GenericOp op : candidates) {
      ElementwiseVectorizer vectorizer(op, options);
      if (succeeded(vectorizer.match([&](const Twine &reason) -> LogicalResult {
            if (explain)
              op.emitRemark("not vectorised: ") << reason;
            return failure();
          })))
        vectorizer.run();
    }
  }
};

} // namespace
} // namespace mlir::lori
