// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/CacheAccess.h"
#include "passes/conversion/Patterns.h"
#include "passes/conversion/ScalarBuilder.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::lori {
namespace {

using lm::pageTokens;

/// Writes a row's keys, or values, as q8_0 blocks: the scale is the largest
/// magnitude over 127, in f16, an entry the nearest multiple of it.
class BlockAppender {
public:
  /// Where a block's position and bytes are in the cache.
  enum class Order { SlotLast, BytesLast };
  struct Place {
    Value page, layer, slot;
  };

  BlockAppender(OpBuilder &builder, Location loc, Value row,
                const lm::CacheShape &cache, Place place)
      : b(builder), loc(loc), row(row), cache(cache), place(place) {}

  /// Returns `into` with row `row` of `rows` written.
  Value put(Value rows, Value into, Order order);

private:
  Value index(int64_t value) { return buildIndex(b, loc, value); }
  Value loop(int64_t count, Value into, function_ref<Value(Value, Value)> body);
  Value entry(Value rows, Value first, Value i);
  Value largest(Value rows, Value first);
  Value insert(Value byte, Value into, Value head, Value block, Value at,
               Order order);

  OpBuilder &b;
  Location loc;
  Value row;
  const lm::CacheShape &cache;
  Place place;
};

Value BlockAppender::loop(int64_t count, Value into,
                          function_ref<Value(Value, Value)> body) {
  auto loop = scf::ForOp::create(b, loc, index(0), index(count), index(1),
                                 ValueRange{into});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, loc,
                       body(loop.getInductionVar(), loop.getRegionIterArg(0)));
  return loop.getResult(0);
}

Value BlockAppender::entry(Value rows, Value first, Value i) {
  Value column = arith::AddIOp::create(b, loc, first, i);
  return tensor::ExtractOp::create(b, loc, rows, ValueRange{row, column});
}

Value BlockAppender::largest(Value rows, Value first) {
  return loop(lm::CacheShape::blockEntries, ScalarBuilder(b, loc).f32(0),
              [&](Value i, Value most) -> Value {
                Value size =
                    math::AbsFOp::create(b, loc, entry(rows, first, i));
                return arith::MaxNumFOp::create(b, loc, most, size);
              });
}

Value BlockAppender::insert(Value byte, Value into, Value head, Value block,
                            Value at, Order order) {
  SmallVector<Value> indices{place.page, place.layer, head};
  if (order == Order::SlotLast)
    indices.append({block, at, place.slot});
  else
    indices.append({place.slot, block, at});
  return tensor::InsertOp::create(b, loc, byte, into, indices);
}

Value BlockAppender::put(Value rows, Value into, Order order) {
  ScalarBuilder s(b, loc);
  int64_t entries = lm::CacheShape::blockEntries;
  int64_t blocks = cache.headDim / entries;
  return loop(cache.kvHeads * blocks, into, [&](Value number, Value target) {
    Value head = s.div(number, blocks), block = s.rem(number, blocks);
    Value first = s.mul(number, entries);
    Value most = largest(rows, first);
    Value half = arith::TruncFOp::create(b, loc, b.getF16Type(),
                                         s.fdiv(most, s.f32(127)));
    Value bits = arith::BitcastOp::create(b, loc, b.getI16Type(), half);
    target = insert(s.toByte(bits), target, head, block, index(0), order);
    target =
        insert(s.toByte(s.shr(bits, 8)), target, head, block, index(1), order);
    Value isZero = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ,
                                         most, s.f32(0));
    Value by = s.select(isZero, s.f32(0), s.fdiv(s.f32(127), most));
    return loop(entries, target, [&](Value i, Value inner) {
      Value nearest =
          math::RoundOp::create(b, loc, s.fmul(entry(rows, first, i), by));
      Value byte = arith::FPToSIOp::create(b, loc, b.getI8Type(), nearest);
      return insert(byte, inner, head, block, s.add(i, 2), order);
    });
  });
}

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
          if (cache.isQuantised) {
            BlockAppender appender(b, loc, row, cache,
                                   {page, op.getLayer(), slot});
            Value keys = appender.put(adaptor.getK(), caches[0],
                                      BlockAppender::Order::SlotLast);
            Value values = appender.put(adaptor.getV(), caches[1],
                                        BlockAppender::Order::BytesLast);
            scf::YieldOp::create(b, loc, ValueRange{keys, values});
            return;
          }
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

} // namespace

void populateCacheAppendPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerCacheAppend>(patterns.getContext());
}

} // namespace mlir::lori
