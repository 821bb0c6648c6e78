// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/conversion/Contraction.h"
#include "passes/conversion/FrozenProjection.h"
#include "passes/conversion/Patterns.h"
#include "passes/conversion/ScalarBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Transforms/DialectConversion.h"

namespace mlir::lori {
#define GEN_PASS_DEF_CONVERTLORITOLINALGPASS
#include "passes/Passes.h.inc"

namespace {

/// Emits whether any row takes part: any(weights != 0). Sits behind the
/// weights, outside of the loop over layers.
Value buildIsActive(RewriterBase &rewriter, Location loc, Value weights) {
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointAfterValue(weights);
  Value none = arith::ConstantIntOp::create(rewriter, loc, 0, 1);
  Value zero =
      arith::ConstantOp::create(rewriter, loc, rewriter.getF32FloatAttr(0));
  Value begin = arith::ConstantIndexOp::create(rewriter, loc, 0);
  Value end = tensor::DimOp::create(rewriter, loc, weights, 0);
  Value step = arith::ConstantIndexOp::create(rewriter, loc, 1);
  return scf::ForOp::create(
             rewriter, loc, begin, end, step, ValueRange{none},
             [&](OpBuilder &b, Location loc, Value row, ValueRange args) {
               Value weight =
                   tensor::ExtractOp::create(b, loc, weights, ValueRange{row});
               Value isOn = arith::CmpFOp::create(
                   b, loc, arith::CmpFPredicate::UNE, weight, zero);
               Value any = arith::OrIOp::create(b, loc, args[0], isOn);
               scf::YieldOp::create(b, loc, any);
             })
      .getResult(0);
}

/// What an update is made of; `weights`, one for each row, may be null.
struct Update {
  Value base, input, shrink, expand, scale, weights;
};

/// Emits base + scale * diag(weights) * (x * A^T) * B^T.
Value buildUpdate(OpBuilder &builder, Location loc, const Update &update) {
  Value shrunk = buildContraction(builder, loc, update.input, update.shrink,
                                  /*accumulator=*/{});
  AffineMap rows = builder.getMultiDimIdentityMap(2);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  if (update.weights) {
    inputs.push_back(update.weights);
    maps.push_back(
        AffineMap::getMultiDimMapWithTargets(2, {0}, builder.getContext()));
  }
  maps.push_back(rows);
  SmallVector<utils::IteratorType> iterators(2, utils::IteratorType::parallel);
  Value scaled =
      linalg::GenericOp::create(
          builder, loc, shrunk.getType(), inputs, shrunk, maps, iterators,
          [&](OpBuilder &b, Location loc, ValueRange args) {
            Value value =
                arith::MulFOp::create(b, loc, args.back(), update.scale);
            if (update.weights)
              value = arith::MulFOp::create(b, loc, value, args[0]);
            linalg::YieldOp::create(b, loc, value);
          })
          .getResult(0);
  return buildContraction(builder, loc, scaled, update.expand, update.base);
}

/// adapt(base, x, A, B, s) -> base + s * (x A^T) B^T, skipped as a whole where
/// no row of the batch takes part.
struct LowerAdapt final : OpConversionPattern<AdaptOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(AdaptOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Update update{adaptor.getBase(),   adaptor.getInput(),
                  adaptor.getShrink(), adaptor.getExpand(),
                  adaptor.getScale(),  adaptor.getWeights()};
    if (!op.getWeights()) {
      rewriter.replaceOp(op, buildUpdate(rewriter, loc, update));
      return success();
    }
    Value isActive = buildIsActive(rewriter, loc, op.getWeights());
    auto result = scf::IfOp::create(
        rewriter, loc, isActive,
        [&](OpBuilder &b, Location loc) {
          scf::YieldOp::create(b, loc, buildUpdate(b, loc, update));
        },
        [&](OpBuilder &b, Location loc) {
          scf::YieldOp::create(b, loc, adaptor.getBase());
        });
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// adapt_routed(base, x) -> a loop over the uses of loaded adapters, each of
/// which updates its run of rows.
struct LowerAdaptRouted final : OpConversionPattern<AdaptRoutedOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(AdaptRoutedOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto bank = SymbolTable::lookupNearestSymbolFrom<AdapterBankOp>(
        op, op.getBankAttr());
    Value begin = arith::ConstantIndexOp::create(rewriter, loc, 0);
    Value end = BankSizeOp::create(rewriter, loc, op.getBankAttr());
    Value step = arith::ConstantIndexOp::create(rewriter, loc, 1);
    auto loop = scf::ForOp::create(
        rewriter, loc, begin, end, step, ValueRange{adaptor.getBase()},
        [&](OpBuilder &b, Location loc, Value use, ValueRange args) {
          scf::YieldOp::create(b, loc,
                               updateRows(b, op, bank, use, args.front()));
        });
    rewriter.replaceOp(op, loop);
    return success();
  }

  static BankUseOp readUse(OpBuilder &b, AdaptRoutedOp op, AdapterBankOp bank,
                           Value use) {
    SiteAttr site = bank.getSite(op.getSite());
    Attribute layout;
    if (std::optional<int64_t> rows = bank.getPanels())
      layout = PanelsAttr::get(b.getContext(), *rows);
    Type f32 = b.getF32Type();
    auto shrink = RankedTensorType::get({ShapedType::kDynamic, site.getIn()},
                                        f32, layout);
    auto expand = RankedTensorType::get({site.getOut(), ShapedType::kDynamic},
                                        f32, layout);
    Type index = b.getIndexType();
    return BankUseOp::create(b, op.getLoc(),
                             TypeRange{index, index, f32, shrink, expand},
                             op.getBankAttr(), op.getSiteAttr(),
                             op.getSelectedAttr(), use, op.getLayer());
  }

  static Value updateRows(OpBuilder &b, AdaptRoutedOp op, AdapterBankOp bank,
                          Value use, Value sums) {
    Location loc = op.getLoc();
    BankUseOp factors = readUse(b, op, bank, use);
    OpFoldResult zero = b.getIndexAttr(0), one = b.getIndexAttr(1);
    auto extents = [&](Value of) {
      return SmallVector<OpFoldResult>{factors.getRows(),
                                       tensor::getMixedSize(b, loc, of, 1)};
    };
    SmallVector<OpFoldResult> offsets{factors.getFirst(), zero};
    SmallVector<OpFoldResult> strides{one, one};
    Value input = tensor::ExtractSliceOp::create(
        b, loc, op.getInput(), offsets, extents(op.getInput()), strides);
    Value part = tensor::ExtractSliceOp::create(b, loc, sums, offsets,
                                                extents(sums), strides);
    Value updated =
        buildUpdate(b, loc,
                    {part, input, factors.getShrink(), factors.getExpand(),
                     factors.getScale(), /*weights=*/Value()});
    return tensor::InsertSliceOp::create(b, loc, updated, sums, offsets,
                                         extents(sums), strides);
  }
};

/// frozen_projection -> a linalg.generic that draws each entry
struct LowerFrozenProjection final : OpConversionPattern<FrozenProjectionOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(FrozenProjectionOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    RankedTensorType type = op.getType();
    Value empty = tensor::EmptyOp::create(
        rewriter, op.getLoc(), type.getShape(), type.getElementType());
    SmallVector<AffineMap> maps{rewriter.getMultiDimIdentityMap(2)};
    SmallVector<utils::IteratorType> iterators(2,
                                               utils::IteratorType::parallel);
    auto draws = linalg::GenericOp::create(
        rewriter, op.getLoc(), type, ValueRange{}, empty, maps, iterators,
        [&](OpBuilder &b, Location loc, ValueRange) {
          ScalarBuilder s(b, loc);
          Value entry = s.add(
              s.mul(linalg::IndexOp::create(b, loc, 0), type.getDimSize(1)),
              linalg::IndexOp::create(b, loc, 1));
          Value drawn = drawEntry(b, loc, op, adaptor.getStream(), entry);
          linalg::YieldOp::create(b, loc,
                                  s.truncate(drawn, type.getElementType()));
        });
    rewriter.replaceOp(op, draws);
    return success();
  }
};

struct ConvertLoriToLinalgPass final
    : impl::ConvertLoriToLinalgPassBase<ConvertLoriToLinalgPass> {
  using Base::Base;

  void runOnOperation() override {
    ConversionTarget target(getContext());
    target.addIllegalDialect<LoriDialect>();
    // References to parameters: `lori-bind-step` gives them an address.
    target.addLegalOp<GetParamOp, AdapterWeightsOp, BankSizeOp, BankUseOp,
                      StorageOp, ParamOp, DerivedParamOp, AdapterOp,
                      AdapterBankOp>();
    target.markOpRecursivelyLegal<DerivedParamOp>();
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    RewritePatternSet patterns(&getContext());
    populateLoriToLinalgPatterns(patterns);
    if (failed(applyPartialConversion(getOperation(), target,
                                      std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

void populateLoriToLinalgPatterns(RewritePatternSet &patterns) {
  patterns.add<LowerAdapt, LowerAdaptRouted, LowerFrozenProjection>(
      patterns.getContext());
}

} // namespace mlir::lori
