// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Attention over the paged cache. The scores of a page are one vector of
// `pageTokens` lanes, made of broadcasts of the query's entries; the output is
// kept in vectors along head_dim. Softmax is online (Milakov & Gimelshein,
// arXiv 1805.02867), one correction a page.

#include "dialect/lm/LmOps.h"
#include "passes/conversion/ElementAccess.h"
#include "passes/conversion/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
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

Value buildIndex(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

/// Emits `ids[row]` as an index.
Value loadId(OpBuilder &builder, Location loc, Value ids, ValueRange at) {
  Value id = tensor::ExtractOp::create(builder, loc, ids, at);
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), id);
}

//===----------------------------------------------------------------------===//
// Cache
//===----------------------------------------------------------------------===//

struct LowerCacheAppend final : OpConversionPattern<lm::CacheAppendOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::CacheAppendOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value zero = buildIndex(rewriter, loc, 0);
    Value one = buildIndex(rewriter, loc, 1);
    Value rows = tensor::DimOp::create(rewriter, loc, op.getPositions(), 0);
    lm::CacheShape cache(op.getValues().getType());
    auto loop = scf::ForOp::create(
        rewriter, loc, zero, rows, one,
        ValueRange{adaptor.getKeys(), adaptor.getValues()},
        [&](OpBuilder &b, Location loc, Value row, ValueRange caches) {
          Value tokens = buildIndex(b, loc, pageTokens);
          Value position = loadId(b, loc, op.getPositions(), row);
          Value sequence = loadId(b, loc, op.getSequences(), row);
          Value block = arith::DivUIOp::create(b, loc, position, tokens);
          Value slot = arith::RemUIOp::create(b, loc, position, tokens);
          Value page = loadId(b, loc, op.getPages(), {sequence, block});
          Value keys =
              put(b, loc, adaptor.getK(), row, caches[0],
                  {page, op.getLayer(), Value(), Value(), slot}, cache);
          Value values =
              put(b, loc, adaptor.getV(), row, caches[1],
                  {page, op.getLayer(), Value(), slot, Value()}, cache);
          scf::YieldOp::create(b, loc, ValueRange{keys, values});
        });
    rewriter.replaceOp(op, loop.getResults());
    return success();
  }

  /// Emits the write of row `row` of `rows` into `into` at `place`, whose null
  /// entries are the dimensions of the heads and of head_dim.
  static Value put(OpBuilder &builder, Location loc, Value rows, Value row,
                   Value into, ArrayRef<Value> place,
                   const lm::CacheShape &cache) {
    OpFoldResult zero = builder.getIndexAttr(0), one = builder.getIndexAttr(1);
    OpFoldResult heads = builder.getIndexAttr(cache.kvHeads);
    OpFoldResult headDim = builder.getIndexAttr(cache.headDim);
    Value flat = tensor::ExtractSliceOp::create(
        builder, loc,
        RankedTensorType::get({cache.kvHeads * cache.headDim},
                              builder.getF32Type()),
        rows, ArrayRef<OpFoldResult>{row, zero},
        ArrayRef<OpFoldResult>{
            one, builder.getIndexAttr(cache.kvHeads * cache.headDim)},
        ArrayRef<OpFoldResult>{one, one});
    Value source = tensor::ExpandShapeOp::create(
        builder, loc,
        RankedTensorType::get({cache.kvHeads, cache.headDim},
                              builder.getF32Type()),
        flat, ArrayRef<ReassociationIndices>{{0, 1}},
        ArrayRef<OpFoldResult>{heads, headDim});

    SmallVector<OpFoldResult> offsets, sizes, strides(5, one);
    SmallVector<OpFoldResult> lengths{heads, headDim};
    for (Value at : place) {
      offsets.push_back(at ? OpFoldResult(at) : zero);
      sizes.push_back(at ? one : lengths.front());
      if (!at)
        lengths.erase(lengths.begin());
    }
    Type element = cast<RankedTensorType>(into.getType()).getElementType();
    Value target = tensor::ExtractSliceOp::create(
        builder, loc,
        RankedTensorType::get({cache.kvHeads, cache.headDim}, element), into,
        offsets, sizes, strides);
    AffineMap identity = builder.getMultiDimIdentityMap(2);
    SmallVector<utils::IteratorType> iterators(2,
                                               utils::IteratorType::parallel);
    Value rounded = linalg::GenericOp::create(
                        builder, loc, target.getType(), source, target,
                        ArrayRef<AffineMap>{identity, identity}, iterators,
                        [&](OpBuilder &b, Location loc, ValueRange args) {
                          Value value = args[0];
                          if (!element.isF32())
                            value =
                                arith::TruncFOp::create(b, loc, element, value);
                          linalg::YieldOp::create(b, loc, value);
                        })
                        .getResult(0);
    return tensor::InsertSliceOp::create(builder, loc, rounded, into, offsets,
                                         sizes, strides);
  }
};

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

/// Emits the attention of one head of one row.
class HeadBuilder {
public:
  HeadBuilder(lm::AttentionOp op, Value q, Value keys, Value values,
              OpBuilder &builder, Location loc, Value row, Value head)
      : op(op), q(q), keys(keys), values(values), b(builder), loc(loc),
        row(row), cache(op.getValues().getType()) {
    int64_t heads =
        cast<RankedTensorType>(q.getType()).getDimSize(1) / cache.headDim;
    Value group = index(heads / cache.kvHeads);
    kvHead = arith::DivUIOp::create(b, loc, head, group);
    firstColumn = arith::MulIOp::create(b, loc, head, index(cache.headDim));
    // The longest vector that cuts head_dim into equal parts.
    chunk = std::min<int64_t>(pageTokens, cache.headDim & -cache.headDim);
  }

  /// Emits the head's output into `out` `[1, head_dim]`.
  Value build(Value out);

private:
  /// The online softmax: largest score, sum of exponentials, output.
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
  Value read(Value from, ValueRange at, int64_t count);
  State step(Value block, Value first, Value length, Value sequence,
             ValueRange state);
  Value scores(Value page);
  Value maskScores(Value scores, Value block, Value first, Value length);

  lm::AttentionOp op;
  Value q, keys, values;
  OpBuilder &b;
  Location loc;
  Value row;
  lm::CacheShape cache;
  Value kvHead, firstColumn;
  int64_t chunk;
};

Value HeadBuilder::read(Value from, ValueRange at, int64_t count) {
  Type element = cast<RankedTensorType>(from.getType()).getElementType();
  auto type = VectorType::get({count}, element);
  Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  Value value = vector::TransferReadOp::create(b, loc, type, from, at, padding,
                                               ArrayRef<bool>{true});
  if (element.isF32())
    return value;
  return arith::ExtFOp::create(b, loc, lanes(count), value);
}

Value HeadBuilder::scores(Value page) {
  // Several sums, since one chain of additions would wait for each of them.
  int64_t chains = std::min<int64_t>(4, cache.headDim & -cache.headDim);
  Value zeros = splat(f32(0), pageTokens);
  auto loop =
      scf::ForOp::create(b, loc, index(0), index(cache.headDim), index(chains),
                         SmallVector<Value>(chains, zeros));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> sums;
  for (int64_t chain = 0; chain < chains; ++chain) {
    Value d =
        arith::AddIOp::create(b, loc, loop.getInductionVar(), index(chain));
    Value column = arith::AddIOp::create(b, loc, firstColumn, d);
    Value entry = tensor::ExtractOp::create(b, loc, q, ValueRange{row, column});
    Value key =
        read(keys, {page, op.getLayer(), kvHead, d, index(0)}, pageTokens);
    sums.push_back(vector::FMAOp::create(b, loc, splat(entry, pageTokens), key,
                                         loop.getRegionIterArg(chain)));
  }
  scf::YieldOp::create(b, loc, sums);
  b.setInsertionPointAfter(loop);
  Value sum = loop.getResult(0);
  for (Value part : loop.getResults().drop_front())
    sum = arith::AddFOp::create(b, loc, sum, part);
  Value scale = f32(op.getScale().convertToDouble());
  return arith::MulFOp::create(b, loc, sum, splat(scale, pageTokens));
}

/// Gives positions outside of [first, length) a score of minus infinity.
Value HeadBuilder::maskScores(Value scores, Value block, Value first,
                              Value length) {
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
  Value isSeen =
      arith::AndIOp::create(b, loc, compare(arith::CmpIPredicate::uge, first),
                            compare(arith::CmpIPredicate::ult, length));
  Value minusInfinity =
      splat(f32(-std::numeric_limits<float>::infinity()), pageTokens);
  return arith::SelectOp::create(b, loc, isSeen, scores, minusInfinity);
}

HeadBuilder::State HeadBuilder::step(Value block, Value first, Value length,
                                     Value sequence, ValueRange state) {
  Value page = loadId(b, loc, op.getPages(), {sequence, block});
  Value masked = maskScores(scores(page), block, first, length);
  Value top = vector::ReductionOp::create(
      b, loc, vector::CombiningKind::MAXNUMF, masked, state[0]);
  Value correction = math::ExpOp::create(
      b, loc, arith::SubFOp::create(b, loc, state[0], top).getResult());
  Value weights = math::ExpOp::create(
      b, loc,
      arith::SubFOp::create(b, loc, masked, splat(top, pageTokens))
          .getResult());
  Value sum = vector::ReductionOp::create(
      b, loc, vector::CombiningKind::ADD, weights,
      arith::MulFOp::create(b, loc, state[1], correction));
  State next{top, sum};
  SmallVector<Value> weight;
  for (int64_t slot = 0; slot < pageTokens; ++slot)
    weight.push_back(vector::ExtractOp::create(b, loc, weights, slot));
  for (auto [part, old] : llvm::enumerate(state.drop_front(2))) {
    Value out = arith::MulFOp::create(b, loc, old, splat(correction, chunk));
    for (int64_t slot = 0; slot < pageTokens; ++slot) {
      Value value = read(values,
                         {page, op.getLayer(), kvHead, index(slot),
                          index(static_cast<int64_t>(part) * chunk)},
                         chunk);
      out =
          vector::FMAOp::create(b, loc, splat(weight[slot], chunk), value, out);
    }
    next.push_back(out);
  }
  return next;
}

Value HeadBuilder::build(Value out) {
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

  State state{f32(-std::numeric_limits<float>::infinity()), f32(0)};
  state.append(cache.headDim / chunk, splat(f32(0), chunk));
  auto loop = scf::ForOp::create(b, loc, firstBlock, endBlock, index(1), state);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    scf::YieldOp::create(b, loc,
                         step(loop.getInductionVar(), first, length, sequence,
                              loop.getRegionIterArgs()));
  }
  Value sum = splat(loop.getResult(1), chunk);
  for (auto [part, value] : llvm::enumerate(loop.getResults().drop_front(2))) {
    Value quotient = arith::DivFOp::create(b, loc, value, sum);
    out = vector::TransferWriteOp::create(
              b, loc, quotient, out,
              ValueRange{index(0), index(static_cast<int64_t>(part) * chunk)},
              ArrayRef<bool>{true})
              .getResult();
  }
  return out;
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
    OpFoldResult heads =
        rewriter.getIndexAttr(type.getDimSize(1) / cache.headDim);
    Value empty = tensor::EmptyOp::create(
        rewriter, loc, {rows, rewriter.getIndexAttr(type.getDimSize(1))},
        type.getElementType());
    auto loop = scf::ForallOp::create(rewriter, loc,
                                      ArrayRef<OpFoldResult>{rows, heads},
                                      ValueRange{empty}, std::nullopt);
    rewriter.setInsertionPointToStart(loop.getBody());
    Value row = loop.getInductionVar(0), head = loop.getInductionVar(1);
    Value shared = loop.getRegionIterArgs()[0];
    Value column = arith::MulIOp::create(
        rewriter, loc, head, buildIndex(rewriter, loc, cache.headDim));
    OpFoldResult one = rewriter.getIndexAttr(1);
    SmallVector<OpFoldResult> offsets{row, column};
    SmallVector<OpFoldResult> sizes{one, rewriter.getIndexAttr(cache.headDim)};
    SmallVector<OpFoldResult> strides{one, one};
    Value slice = tensor::ExtractSliceOp::create(rewriter, loc, shared, offsets,
                                                 sizes, strides);
    HeadBuilder builder(op, adaptor.getQ(), adaptor.getKeys(),
                        adaptor.getValues(), rewriter, loc, row, head);
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
  patterns.add<LowerAttention, LowerCacheAppend>(patterns.getContext());
}

} // namespace mlir::lori
