// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/conversion/Contraction.h"
#include "passes/conversion/Patterns.h"

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

/// Emits base + scale * diag(weights) * (x * A^T) * B^T.
Value buildUpdate(OpBuilder &builder, Location loc, AdaptOp::Adaptor op) {
  Value shrunk = buildContraction(builder, loc, op.getInput(), op.getShrink(),
                                  /*accumulator=*/{});
  AffineMap rows = builder.getMultiDimIdentityMap(2);
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  if (op.getWeights()) {
    inputs.push_back(op.getWeights());
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
                arith::MulFOp::create(b, loc, args.back(), op.getScale());
            if (op.getWeights())
              value = arith::MulFOp::create(b, loc, value, args[0]);
            linalg::YieldOp::create(b, loc, value);
          })
          .getResult(0);
  return buildContraction(builder, loc, scaled, op.getExpand(), op.getBase());
}

/// adapt(base, x, A, B, s) -> base + s * (x A^T) B^T, skipped as a whole where
/// no row of the batch takes part.
struct LowerAdapt final : OpConversionPattern<AdaptOp> {
  using Base::Base;

  LogicalResult
  matchAndRewrite(AdaptOp op, OpAdaptor adaptor,
                  ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    if (!op.getWeights()) {
      rewriter.replaceOp(op, buildUpdate(rewriter, loc, adaptor));
      return success();
    }
    Value isActive = buildIsActive(rewriter, loc, op.getWeights());
    auto update = scf::IfOp::create(
        rewriter, loc, isActive,
        [&](OpBuilder &b, Location loc) {
          scf::YieldOp::create(b, loc, buildUpdate(b, loc, adaptor));
        },
        [&](OpBuilder &b, Location loc) {
          scf::YieldOp::create(b, loc, adaptor.getBase());
        });
    rewriter.replaceOp(op, update);
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
    target.addLegalOp<GetParamOp, AdapterWeightsOp, StorageOp, ParamOp,
                      DerivedParamOp, AdapterOp>();
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
  patterns.add<LowerAdapt>(patterns.getContext());
}

} // namespace mlir::lori
