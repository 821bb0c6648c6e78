// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/conversion/Contraction.h"
#include "passes/conversion/ElementAccess.h"
#include "passes/conversion/Patterns.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::lori {
#define GEN_PASS_DEF_CONVERTLMTOLINALGPASS
#include "passes/Passes.h.inc"

using utils::IteratorType;

namespace {

//===----------------------------------------------------------------------===//
// Helpers
//===----------------------------------------------------------------------===//

AffineMap pick(OpBuilder &builder, unsigned dims, ArrayRef<unsigned> results) {
  return AffineMap::getMultiDimMapWithTargets(dims, results,
                                              builder.getContext());
}

/// Emits a generic without reductions over all entries of `out`.
Value buildElementwise(
    OpBuilder &builder, Location loc, ValueRange inputs,
    ArrayRef<AffineMap> inputMaps, Value out,
    function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  int64_t rank = cast<RankedTensorType>(out.getType()).getRank();
  SmallVector<AffineMap> maps(inputMaps);
  maps.push_back(builder.getMultiDimIdentityMap(rank));
  SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
  return linalg::GenericOp::create(
             builder, loc, out.getType(), inputs, out, maps, iterators,
             [&](OpBuilder &b, Location loc, ValueRange args) {
               linalg::YieldOp::create(b, loc, body(b, loc, args));
             })
      .getResult(0);
}

/// Emits an uninitialised f32 tensor of the rows of `rows` and static `sizes`.
Value buildEmpty(OpBuilder &builder, Location loc, Value rows,
                 ArrayRef<int64_t> sizes) {
  SmallVector<OpFoldResult> dims{tensor::getMixedSize(builder, loc, rows, 0)};
  for (int64_t size : sizes)
    dims.push_back(builder.getIndexAttr(size));
  return tensor::EmptyOp::create(builder, loc, dims, builder.getF32Type());
}

/// Views the columns of `rows` as `sizes`.
Value expandColumns(OpBuilder &builder, Location loc, Value rows,
                    ArrayRef<int64_t> sizes) {
  auto type = cast<RankedTensorType>(rows.getType());
  SmallVector<int64_t> shape{type.getDimSize(0)};
  SmallVector<OpFoldResult> dims{tensor::getMixedSize(builder, loc, rows, 0)};
  ReassociationIndices inner;
  for (auto [index, size] : llvm::enumerate(sizes)) {
    shape.push_back(size);
    dims.push_back(builder.getIndexAttr(size));
    inner.push_back(index + 1);
  }
  return tensor::ExpandShapeOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), rows,
      ArrayRef<ReassociationIndices>{{0}, inner}, dims);
}

/// Views all but the first dimension of `value` as columns.
Value collapseColumns(OpBuilder &builder, Location loc, Value value) {
  int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
  ReassociationIndices inner(llvm::to_vector(llvm::seq<int64_t>(1, rank)));
  return tensor::CollapseShapeOp::create(
      builder, loc, value, ArrayRef<ReassociationIndices>{{0}, inner});
}

int64_t columns(Value rows) {
  return cast<RankedTensorType>(rows.getType()).getDimSize(1);
}

/// Returns slice `index` of dimension `dim` of `value`, without the dimension.
Value takeSlice(OpBuilder &builder, Location loc, Value value, unsigned dim,
                int64_t index) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<OpFoldResult> offsets(type.getRank(), builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(type.getRank(), builder.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, value);
  offsets[dim] = builder.getIndexAttr(index);
  sizes[dim] = builder.getIndexAttr(1);
  SmallVector<int64_t> shape(type.getShape());
  shape.erase(shape.begin() + dim);
  return tensor::ExtractSliceOp::create(
      builder, loc, RankedTensorType::get(shape, type.getElementType()), value,
      offsets, sizes, strides);
}

Value putSlice(OpBuilder &builder, Location loc, Value slice, Value into,
               unsigned dim, int64_t index) {
  int64_t rank = cast<RankedTensorType>(into.getType()).getRank();
  SmallVector<OpFoldResult> offsets(rank, builder.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(rank, builder.getIndexAttr(1));
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, into);
  offsets[dim] = builder.getIndexAttr(index);
  sizes[dim] = builder.getIndexAttr(1);
  return tensor::InsertSliceOp::create(builder, loc, slice, into, offsets,
                                       sizes, strides);
}

//===----------------------------------------------------------------------===//
// Rows in and out
//===----------------------------------------------------------------------===//

struct LowerEmbedding final : OpConversionPattern<lm::EmbeddingOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::EmbeddingOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    ElementAccess table(rewriter, loc, op.getTable());
    Value out = buildEmpty(rewriter, loc, op.getIds(), columns(op.getResult()));
    rewriter.replaceOp(
        op,
        buildElementwise(rewriter, loc, op.getIds(), pick(rewriter, 2, {0}),
                         out, [&](OpBuilder &b, Location loc, ValueRange args) {
                           Value id = arith::IndexCastOp::create(
                               b, loc, b.getIndexType(), args[0]);
                           Value column = linalg::IndexOp::create(b, loc, 1);
                           return table.load(b, loc, {id, column});
                         }));
    return success();
  }
};

struct LowerSelectRows final : OpConversionPattern<lm::SelectRowsOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::SelectRowsOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value x = adaptor.getX();
    Value out = buildEmpty(rewriter, loc, op.getRows(), columns(x));
    rewriter.replaceOp(
        op, buildElementwise(
                rewriter, loc, op.getRows(), pick(rewriter, 2, {0}), out,
                [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
                  Value row = arith::IndexCastOp::create(
                      b, loc, b.getIndexType(), args[0]);
                  Value column = linalg::IndexOp::create(b, loc, 1);
                  return tensor::ExtractOp::create(b, loc, x,
                                                   ValueRange{row, column});
                }));
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

/// x / sqrt(mean(x^2) + eps) * weight, run by run
struct LowerRmsNorm final : OpConversionPattern<lm::RmsNormOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::RmsNormOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t run =
        cast<RankedTensorType>(op.getWeight().getType()).getDimSize(0);
    int64_t runs = columns(op.getX()) / run;
    // With one run a row, the dimension of runs is left out.
    bool isFlat = runs == 1;
    Value x = isFlat
                  ? adaptor.getX()
                  : expandColumns(rewriter, loc, adaptor.getX(), {runs, run});
    unsigned rank = isFlat ? 2 : 3;
    SmallVector<unsigned> outer =
        llvm::to_vector(llvm::seq<unsigned>(0, rank - 1));
    AffineMap all = rewriter.getMultiDimIdentityMap(rank);
    AffineMap perRun = pick(rewriter, rank, outer);

    Value zero =
        arith::ConstantOp::create(rewriter, loc, rewriter.getF32FloatAttr(0));
    SmallVector<int64_t> sumSizes;
    if (!isFlat)
      sumSizes.push_back(runs);
    Value empty = buildEmpty(rewriter, loc, x, sumSizes);
    Value sums =
        linalg::FillOp::create(rewriter, loc, zero, empty).getResult(0);
    SmallVector<IteratorType> iterators(rank, IteratorType::parallel);
    iterators.back() = IteratorType::reduction;
    sums =
        linalg::GenericOp::create(
            rewriter, loc, sums.getType(), x, sums,
            ArrayRef<AffineMap>{all, perRun}, iterators,
            [&](OpBuilder &b, Location loc, ValueRange args) {
              Value square = arith::MulFOp::create(b, loc, args[0], args[0]);
              linalg::YieldOp::create(
                  b, loc,
                  arith::AddFOp::create(b, loc, args[1], square).getResult());
            })
            .getResult(0);

    SmallVector<int64_t> sizes;
    if (!isFlat)
      sizes.push_back(runs);
    sizes.push_back(run);
    Value normal = buildElementwise(
        rewriter, loc, {x, sums, op.getWeight()},
        {all, perRun, pick(rewriter, rank, {rank - 1})},
        buildEmpty(rewriter, loc, x, sizes),
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          auto constant = [&](double value) -> Value {
            return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
          };
          Value mean = arith::DivFOp::create(b, loc, args[1], constant(run));
          Value shifted = arith::AddFOp::create(
              b, loc, mean, constant(op.getEpsilon().convertToDouble()));
          Value factor = math::RsqrtOp::create(b, loc, shifted);
          Value scaled = arith::MulFOp::create(b, loc, args[0], factor);
          return arith::MulFOp::create(b, loc, scaled, widen(b, loc, args[2]));
        });
    rewriter.replaceOp(op, isFlat ? normal
                                  : collapseColumns(rewriter, loc, normal));
    return success();
  }
};

struct LowerLinear final : OpConversionPattern<lm::LinearOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::LinearOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value start = adaptor.getResidual();
    if (op.getBias()) {
      SmallVector<Value> inputs{op.getBias()};
      SmallVector<AffineMap> maps{pick(rewriter, 2, {1})};
      Value out = start ? start
                        : buildEmpty(rewriter, loc, adaptor.getX(),
                                     columns(op.getResult()));
      start = buildElementwise(
          rewriter, loc, inputs, maps, out,
          [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
            Value bias = widen(b, loc, args[0]);
            if (!op.getResidual())
              return bias;
            return arith::AddFOp::create(b, loc, args[1], bias);
          });
    }
    rewriter.replaceOp(op, buildContraction(rewriter, loc, adaptor.getX(),
                                            op.getWeight(), start));
    return success();
  }
};

/// gate / (1 + exp(-gate)) * up
struct LowerGatedActivation final : OpConversionPattern<lm::GatedActivationOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::GatedActivationOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Value result = buildElementwise(
        rewriter, op.getLoc(), adaptor.getUp(),
        rewriter.getMultiDimIdentityMap(2), adaptor.getGate(),
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          Value up = args[0], gate = args[1];
          Value one = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(1));
          Value power = math::ExpOp::create(
              b, loc, arith::NegFOp::create(b, loc, gate).getResult());
          Value sigmoid = arith::DivFOp::create(
              b, loc, gate, arith::AddFOp::create(b, loc, power, one));
          return arith::MulFOp::create(b, loc, sigmoid, up);
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Rotary positions
//===----------------------------------------------------------------------===//

struct LowerRotaryTable final : OpConversionPattern<lm::RotaryTableOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::RotaryTableOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t pairs = op.getFrequencies().size();
    auto type = RankedTensorType::get({pairs}, rewriter.getF32Type());
    Value frequencies = arith::ConstantOp::create(
        rewriter, loc, DenseElementsAttr::get(type, op.getFrequencies()));
    Value table = buildEmpty(rewriter, loc, op.getPositions(), {2, pairs});
    for (int64_t part : {0, 1}) {
      Value slice = buildElementwise(
          rewriter, loc, {op.getPositions(), frequencies},
          {pick(rewriter, 2, {0}), pick(rewriter, 2, {1})},
          takeSlice(rewriter, loc, table, 1, part),
          [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
            Value position =
                arith::SIToFPOp::create(b, loc, b.getF32Type(), args[0]);
            Value angle = arith::MulFOp::create(b, loc, position, args[1]);
            if (part == 0)
              return math::CosOp::create(b, loc, angle);
            return math::SinOp::create(b, loc, angle);
          });
      table = putSlice(rewriter, loc, slice, table, 1, part);
    }
    rewriter.replaceOp(op, table);
    return success();
  }
};

/// (a, b) -> (a cos - b sin, b cos + a sin)
struct LowerRope final : OpConversionPattern<lm::RopeOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(lm::RopeOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    int64_t pairs =
        cast<RankedTensorType>(op.getTable().getType()).getDimSize(2);
    int64_t heads = columns(op.getX()) / (2 * pairs);
    Value x = expandColumns(rewriter, loc, adaptor.getX(), {heads, 2, pairs});
    Value a = takeSlice(rewriter, loc, x, 2, 0);
    Value b = takeSlice(rewriter, loc, x, 2, 1);
    Value cosine = takeSlice(rewriter, loc, adaptor.getTable(), 1, 0);
    Value sine = takeSlice(rewriter, loc, adaptor.getTable(), 1, 1);
    AffineMap pairMap = rewriter.getMultiDimIdentityMap(3);
    AffineMap angleMap = pick(rewriter, 3, {0, 2});
    Value out = buildEmpty(rewriter, loc, x, {heads, 2, pairs});
    for (int64_t part : {0, 1}) {
      Value slice = buildElementwise(
          rewriter, loc, {a, b, cosine, sine},
          {pairMap, pairMap, angleMap, angleMap},
          takeSlice(rewriter, loc, out, 2, part),
          [&](OpBuilder &bb, Location loc, ValueRange args) -> Value {
            Value own = args[part], other = args[1 - part];
            Value kept = arith::MulFOp::create(bb, loc, own, args[2]);
            Value turned = arith::MulFOp::create(bb, loc, other, args[3]);
            if (part == 0)
              return arith::SubFOp::create(bb, loc, kept, turned);
            return arith::AddFOp::create(bb, loc, kept, turned);
          });
      out = putSlice(rewriter, loc, slice, out, 2, part);
    }
    rewriter.replaceOp(op, collapseColumns(rewriter, loc, out));
    return success();
  }
};

/// addf on rows -> an elementwise generic into the first operand
struct LowerAdd final : OpConversionPattern<arith::AddFOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(arith::AddFOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa<RankedTensorType>(op.getType()))
      return rewriter.notifyMatchFailure(op, "expected tensors");
    int64_t rank = cast<RankedTensorType>(op.getType()).getRank();
    Value sum = buildElementwise(
        rewriter, op.getLoc(), adaptor.getRhs(),
        rewriter.getMultiDimIdentityMap(rank), adaptor.getLhs(),
        [&](OpBuilder &b, Location loc, ValueRange args) -> Value {
          return arith::AddFOp::create(b, loc, args[1], args[0]);
        });
    rewriter.replaceOp(op, sum);
    return success();
  }
};

struct ConvertLmToLinalgPass final
    : impl::ConvertLmToLinalgPassBase<ConvertLmToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    ConversionTarget target(getContext());
    target.addIllegalDialect<lm::LmDialect>();
    target.addDynamicallyLegalOp<arith::AddFOp>(
        [](arith::AddFOp op) { return !isa<RankedTensorType>(op.getType()); });
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    RewritePatternSet patterns(&getContext());
    populateLmToLinalgPatterns(patterns);
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

void populateLmToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerAdd, LowerEmbedding, LowerGatedActivation, LowerLinear,
               LowerRmsNorm, LowerRope, LowerRotaryTable, LowerSelectRows>(
      patterns.getContext());
  populateAttentionPatterns(patterns);
  populateCacheAppendPatterns(patterns);
}

} // namespace mlir::lori
