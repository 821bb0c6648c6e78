// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention over the paged cache. The scores of a page are one vector of
// `pageTokens` lanes, made of broadcasts of the query's entries; the output is
// kept in vectors along head_dim. Softmax is online (Milakov & Gimelshein,
// arXiv 1805.02867), one correction a page. Heads that read the same keys and
// values are computed together, so that an entry is loaded and widened once.

#include "dialect/lm/LmOps.h"
#include "passes/conversion/CacheAccess.h"
#include "passes/conversion/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"
#include <limits>

namespace mlir::lori {
namespace {

using lm::pageTokens;

/// Emits the attention of some heads of one row, all of one group.
class HeadsBuilder {
public:
  /// `set` counts sets of `heads` heads.
  HeadsBuilder(lm::AttentionOp op, Value q, Value keys, Value values,
               OpBuilder &builder, Location loc, Value row, Value set,
               int64_t heads)
      : op(op), q(q), b(builder), loc(loc), row(row), heads(heads),
        cache(op.getValues().getType()),
        access(
            b, loc, keys, values, op.getLayer(),
            arith::DivUIOp::create(b, loc, set, index(groupSize(op) / heads))) {
    firstColumn =
        arith::MulIOp::create(b, loc, set, index(heads * cache.headDim));
    // The longest vector that cuts head_dim into equal parts.
    chunk = std::min<int64_t>(pageTokens, cache.headDim & -cache.headDim);
  }

  /// Returns how many heads read the same keys and values.
  static int64_t groupSize(lm::AttentionOp op) {
    lm::CacheShape cache(op.getValues().getType());
    int64_t columns = cast<RankedTensorType>(op.getType()).getDimSize(1);
    return columns / cache.headDim / cache.kvHeads;
  }

  /// Returns how many heads to compute together: a divisor of the group, so
  /// few that their sums stay in registers.
  static int64_t headsTogether(lm::AttentionOp op) {
    int64_t group = groupSize(op);
    for (int64_t heads : {4, 3, 2})
      if (group % heads == 0)
        return heads;
    return 1;
  }

  /// Emits the heads' output into `out` `[1, heads * head_dim]`.
  Value build(Value out);

private:
  /// The online softmax. Of each head: largest score, sum of exponentials,
  /// output.
  using State = SmallVector<Value>;

  Value index(int64_t value) { return buildIndex(b, loc, value); }
  Value f32(float value) {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  }
  VectorType lanes(int64_t count) {
    return VectorType::get({count}, b.getF32Type());
  }
  Value splat(Value scalar, int64_t count) {
    return vector::BroadcastOp::create(b, loc, lanes(count), scalar);
  }
  State step(Value block, Value first, Value length, Value sequence,
             ValueRange state);
  SmallVector<Value> products(Value page, int64_t begin, int64_t end);
  SmallVector<Value> scores(Value page);
  void addValues(Value page, ArrayRef<SmallVector<Value>> weights,
                 MutableArrayRef<Value> state);
  Value addChains(ValueRange chains);
  Value largest(Value lanes);
  Value isSeen(Value block, Value first, Value length);
  SmallVector<Value> softmaxStep(Value masked, Value top, Value sum);
  int64_t parts() const { return cache.headDim / chunk; }

  lm::AttentionOp op;
  Value q;
  OpBuilder &b;
  Location loc;
  Value row;
  int64_t heads;
  lm::CacheShape cache;
  CacheAccess access;
  Value firstColumn;
  int64_t chunk;
};

/// Returns `sums` plus the products of each head's query with the keys of
/// `page` in the entries [begin, end) of head_dim, keys without their scales.
SmallVector<Value> HeadsBuilder::products(Value page, int64_t begin,
                                          int64_t end) {
  // Several sums, since one chain of additions would wait for each of them.
  int64_t most = heads == 1 ? 4 : heads < 4 ? 2 : 1;
  int64_t chains = std::min(most, cache.headDim & -cache.headDim);
  Value zeros = splat(f32(0), pageTokens);
  auto loop =
      scf::ForOp::create(b, loc, index(begin), index(end), index(chains),
                         SmallVector<Value>(heads * chains, zeros));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    SmallVector<Value> sums(loop.getRegionIterArgs());
    for (int64_t chain = 0; chain < chains; ++chain) {
      Value d =
          arith::AddIOp::create(b, loc, loop.getInductionVar(), index(chain));
      Value key = access.keys(page, d);
      Value column = arith::AddIOp::create(b, loc, firstColumn, d);
      for (int64_t head = 0; head < heads; ++head) {
        Value at =
            arith::AddIOp::create(b, loc, column, index(head * cache.headDim));
        Value entry = tensor::ExtractOp::create(b, loc, q, ValueRange{row, at});
        Value &sum = sums[head * chains + chain];
        sum = vector::FMAOp::create(b, loc, splat(entry, pageTokens), key, sum);
      }
    }
    scf::YieldOp::create(b, loc, sums);
  }
  SmallVector<Value> result;
  for (int64_t head = 0; head < heads; ++head)
    result.push_back(addChains(loop.getResults().slice(head * chains, chains)));
  return result;
}

/// Returns the scores of each head with the keys of `page`.
SmallVector<Value> HeadsBuilder::scores(Value page) {
  SmallVector<Value> sums;
  int64_t block = access.entriesOfScale();
  for (int64_t begin = 0; begin < cache.headDim; begin += block) {
    SmallVector<Value> part = products(page, begin, begin + block);
    if (Value scales = access.keyScales(page, begin))
      for (auto [head, sum] : llvm::enumerate(part))
        sum = begin == 0
                  ? arith::MulFOp::create(b, loc, sum, scales).getResult()
                  : vector::FMAOp::create(b, loc, sum, scales, sums[head]);
    sums = part;
  }
  Value scale = splat(f32(op.getScale().convertToDouble()), pageTokens);
  for (Value &sum : sums)
    sum = arith::MulFOp::create(b, loc, sum, scale);
  return sums;
}

Value HeadsBuilder::addChains(ValueRange chains) {
  Value sum = chains.front();
  for (Value chain : chains.drop_front())
    sum = arith::AddFOp::create(b, loc, sum, chain);
  return sum;
}

/// Returns which positions of the block are in [first, length).
Value HeadsBuilder::isSeen(Value block, Value first, Value length) {
  auto type = VectorType::get({pageTokens}, b.getIndexType());
  Value begin = arith::MulIOp::create(b, loc, block, index(pageTokens));
  Value position =
      arith::AddIOp::create(b, loc, vector::StepOp::create(b, loc, type),
                            vector::BroadcastOp::create(b, loc, type, begin));
  auto compare = [&](arith::CmpIPredicate predicate, Value bound) -> Value {
    return arith::CmpIOp::create(
        b, loc, predicate, position,
        vector::BroadcastOp::create(b, loc, type, bound));
  };
  return arith::AndIOp::create(b, loc,
                               compare(arith::CmpIPredicate::uge, first),
                               compare(arith::CmpIPredicate::ult, length));
}

/// Returns the largest lane. LLVM's reduction would go lane by lane, for NaN's
/// sake; halves keep to vectors.
Value HeadsBuilder::largest(Value lanes) {
  for (int64_t half = pageTokens / 2; half > 0; half /= 2) {
    auto take = [&](int64_t first) -> Value {
      return vector::ExtractStridedSliceOp::create(
          b, loc, lanes, ArrayRef<int64_t>{first}, ArrayRef<int64_t>{half},
          ArrayRef<int64_t>{1});
    };
    lanes = arith::MaxNumFOp::create(b, loc, take(0), take(half));
  }
  return vector::ExtractOp::create(b, loc, lanes, 0);
}

/// Returns the largest score, the sum of exponentials, the correction of what
/// was summed before, and the page's weights.
SmallVector<Value> HeadsBuilder::softmaxStep(Value masked, Value top,
                                             Value sum) {
  Value newTop = arith::MaxNumFOp::create(b, loc, top, largest(masked));
  Value correction = math::ExpOp::create(
      b, loc, arith::SubFOp::create(b, loc, top, newTop).getResult());
  Value weights = math::ExpOp::create(
      b, loc,
      arith::SubFOp::create(b, loc, masked, splat(newTop, pageTokens))
          .getResult());
  Value newSum = vector::ReductionOp::create(
      b, loc, vector::CombiningKind::ADD, weights,
      arith::MulFOp::create(b, loc, sum, correction),
      arith::FastMathFlags::reassoc); // a tree instead of a chain
  return {newTop, newSum, correction, weights};
}

/// Adds the values of `page`, weighed by `weights` [head][slot].
void HeadsBuilder::addValues(Value page, ArrayRef<SmallVector<Value>> weights,
                             MutableArrayRef<Value> state) {
  int64_t perHead = 2 + parts();
  for (int64_t slot = 0; slot < pageTokens; ++slot) {
    Value scale;
    for (int64_t part = 0; part < parts(); ++part) {
      int64_t column = part * chunk;
      if (column % access.entriesOfScale() == 0)
        scale = access.valueScale(page, slot, column);
      Value value = access.values(page, slot, column, chunk);
      for (int64_t head = 0; head < heads; ++head) {
        Value weight = weights[head][slot];
        if (scale)
          weight = arith::MulFOp::create(b, loc, weight, scale);
        Value &out = state[head * perHead + 2 + part];
        out = vector::FMAOp::create(b, loc, splat(weight, chunk), value, out);
      }
    }
  }
}

HeadsBuilder::State HeadsBuilder::step(Value block, Value first, Value length,
                                       Value sequence, ValueRange state) {
  Value page = loadId(b, loc, op.getPages(), {sequence, block});
  Value seen = isSeen(block, first, length);
  Value minusInfinity =
      splat(f32(-std::numeric_limits<float>::infinity()), pageTokens);
  int64_t perHead = 2 + parts();
  State next(state);
  SmallVector<SmallVector<Value>> weights(heads);
  for (auto [head, score] : llvm::enumerate(scores(page))) {
    Value masked = arith::SelectOp::create(b, loc, seen, score, minusInfinity);
    Value *own = &next[head * perHead];
    SmallVector<Value> made = softmaxStep(masked, own[0], own[1]);
    own[0] = made[0];
    own[1] = made[1];
    for (int64_t slot = 0; slot < pageTokens; ++slot)
      weights[head].push_back(vector::ExtractOp::create(b, loc, made[3], slot));
    for (int64_t part = 0; part < parts(); ++part)
      own[2 + part] =
          arith::MulFOp::create(b, loc, own[2 + part], splat(made[2], chunk));
  }
  addValues(page, weights, next);
  return next;
}

Value HeadsBuilder::build(Value out) {
  Value position = loadId(b, loc, op.getPositions(), row);
  Value sequence = loadId(b, loc, op.getSequences(), row);
  Value length = arith::AddIOp::create(b, loc, position, index(1));
  // max(0, length - window), and 0 for a window of 0.
  Value isShort = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ule,
                                        length, op.getWindow());
  Value isOpen = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                       op.getWindow(), index(0));
  Value all = arith::OrIOp::create(b, loc, isShort, isOpen);
  Value first = arith::SelectOp::create(
      b, loc, all, index(0),
      arith::SubIOp::create(b, loc, length, op.getWindow()));
  Value tokens = index(pageTokens);
  Value firstBlock = arith::DivUIOp::create(b, loc, first, tokens);
  Value endBlock = arith::CeilDivUIOp::create(b, loc, length, tokens);

  State state;
  for (int64_t head = 0; head < heads; ++head) {
    state.push_back(f32(-std::numeric_limits<float>::infinity()));
    state.push_back(f32(0));
    state.append(parts(), splat(f32(0), chunk));
  }
  auto loop = scf::ForOp::create(b, loc, firstBlock, endBlock, index(1), state);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(b, loc,
                         step(loop.getInductionVar(), first, length, sequence,
                              loop.getRegionIterArgs()));
  }
  for (int64_t head = 0; head < heads; ++head) {
    ResultRange own =
        loop.getResults().slice(head * (2 + parts()), 2 + parts());
    Value sum = splat(own[1], chunk);
    for (auto [part, value] : llvm::enumerate(own.drop_front(2))) {
      Value quotient = arith::DivFOp::create(b, loc, value, sum);
      int64_t column = head * cache.headDim + int64_t(part) * chunk;
      out = vector::TransferWriteOp::create(b, loc, quotient, out,
                                            ValueRange{index(0), index(column)},
                                            ArrayRef<bool>{true})
                .getResult();
    }
  }
  return out;
}

/// Returns the row of step `step` of `rows` steps: from the first and from the
/// last in turns. Later rows of a prompt see more tokens, and workers take one
/// stretch of steps each.
Value takeTurns(OpBuilder &b, Location loc, Value step, OpFoldResult rows) {
  Value two = buildIndex(b, loc, 2), one = buildIndex(b, loc, 1);
  Value half = arith::DivUIOp::create(b, loc, step, two);
  Value last = arith::SubIOp::create(
      b, loc, getValueOrCreateConstantIndexOp(b, loc, rows), one);
  Value fromLast = arith::SubIOp::create(b, loc, last, half);
  Value isOdd =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                            arith::RemUIOp::create(b, loc, step, two), one);
  return arith::SelectOp::create(b, loc, isOdd, fromLast, half);
}

struct LowerAttention final : OpConversionPattern<lm::AttentionOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::AttentionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op.getType());
    lm::CacheShape cache(op.getValues().getType());
    OpFoldResult rows = tensor::getMixedSize(rewriter, loc, adaptor.getQ(), 0);
    int64_t heads = HeadsBuilder::headsTogether(op);
    int64_t width = heads * cache.headDim;
    OpFoldResult sets = rewriter.getIndexAttr(type.getDimSize(1) / width);
    Value empty = tensor::EmptyOp::create(
        rewriter, loc, {rows, rewriter.getIndexAttr(type.getDimSize(1))},
        type.getElementType());
    auto loop =
        scf::ForallOp::create(rewriter, loc, ArrayRef<OpFoldResult>{rows, sets},
                              ValueRange{empty}, std::nullopt);
    rewriter.setInsertionPointToStart(loop.getBody());
    Value row = takeTurns(rewriter, loc, loop.getInductionVar(0), rows);
    Value set = loop.getInductionVar(1);
    Value shared = loop.getRegionIterArgs()[0];
    Value column = arith::MulIOp::create(rewriter, loc, set,
                                         buildIndex(rewriter, loc, width));
    OpFoldResult one = rewriter.getIndexAttr(1);
    SmallVector<OpFoldResult> offsets{row, column};
    SmallVector<OpFoldResult> sizes{one, rewriter.getIndexAttr(width)};
    SmallVector<OpFoldResult> strides{one, one};
    Value slice = tensor::ExtractSliceOp::create(rewriter, loc, shared, offsets,
                                                 sizes, strides);
    HeadsBuilder builder(op, adaptor.getQ(), adaptor.getKeys(),
                         adaptor.getValues(), rewriter, loc, row, set, heads);
    Value result = builder.build(slice);
    rewriter.setInsertionPointToStart(loop.getTerminator().getBody());
    tensor::ParallelInsertSliceOp::create(rewriter, loc, result, shared,
                                          offsets, sizes, strides);
    rewriter.replaceOp(op, loop.getResults());
    return success();
  }
};

} // namespace

void populateAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerAttention>(patterns.getContext());
}

} // namespace mlir::lori
