// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::lori {
#define GEN_PASS_DEF_FOLDRESIDUALPASS
#include "passes/Passes.h.inc"

namespace {

/// addf(r, linear(x, w)) -> linear(x, w) residual(r)
/// addf(r, adapt(linear(x, w), ...)) -> adapt(linear(x, w) residual(r), ...)
struct FoldAddIntoLinear final : OpRewritePattern<arith::AddFOp> {
  FoldAddIntoLinear(MLIRContext *context, DominanceInfo &dominance)
      : OpRewritePattern(context), dominance(dominance) {}

  LogicalResult matchAndRewrite(arith::AddFOp op,
                                PatternRewriter &rewriter) const override {
    for (auto [residual, update] :
         {std::pair(op.getLhs(), op.getRhs()), {op.getRhs(), op.getLhs()}}) {
      lm::LinearOp linear = getRootOfUpdate(update);
      if (!linear || !dominance.properlyDominates(residual, linear))
        continue;
      rewriter.modifyOpInPlace(
          linear, [&] { linear.getResidualMutable().assign(residual); });
      rewriter.replaceOp(op, update);
      return success();
    }
    return rewriter.notifyMatchFailure(
        op, "expected a linear layer without residual and other users");
  }

  static lm::LinearOp getRootOfUpdate(Value update) {
    while (update.hasOneUse()) {
      if (auto adapt = update.getDefiningOp<AdaptOp>()) {
        update = adapt.getBase();
        continue;
      }
      if (auto routed = update.getDefiningOp<AdaptRoutedOp>()) {
        update = routed.getBase();
        continue;
      }
      auto linear = update.getDefiningOp<lm::LinearOp>();
      return linear && !linear.getResidual() ? linear : lm::LinearOp();
    }
    return {};
  }

  DominanceInfo &dominance;
};

struct FoldResidualPass final : impl::FoldResidualPassBase<FoldResidualPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    DominanceInfo &dominance = getAnalysis<DominanceInfo>();
    patterns.add<FoldAddIntoLinear>(&getContext(), dominance);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::lori
