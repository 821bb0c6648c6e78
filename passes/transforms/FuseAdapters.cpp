// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/transforms/ParameterUtils.h"

#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::lori {
#define GEN_PASS_DEF_FUSEADAPTERSPASS
#include "passes/Passes.h.inc"

namespace {

/// adapt(linear(x, w), x, A, B, s) -> linear(x, fuse(w, A, B, s))
struct FuseIntoLinear final : OpRewritePattern<AdaptOp> {
  FuseIntoLinear(MLIRContext *context, Type storage)
      : OpRewritePattern(context), storage(storage) {}

  LogicalResult matchAndRewrite(AdaptOp op,
                                PatternRewriter &rewriter) const override {
    if (op.getWeights())
      return rewriter.notifyMatchFailure(op, "weighed when the program runs");
    auto linear = op.getBase().getDefiningOp<lm::LinearOp>();
    if (!linear || linear.getX() != op.getInput())
      return rewriter.notifyMatchFailure(
          op, "expected a base that is a linear layer of the same input");
    if (!linear->hasOneUse())
      return rewriter.notifyMatchFailure(op, "the base has other users");

    Value weight = linear.getWeight();
    auto type = cast<RankedTensorType>(weight.getType());
    if (type.getEncoding())
      return rewriter.notifyMatchFailure(op, "the weight is laid out already");
    auto inner = weight.getDefiningOp<FuseOp>();
    // A sum of several updates is rounded once: inner sums stay in f32.
    if (inner && !inner.getType().getElementType().isF32()) {
      rewriter.setInsertionPoint(inner);
      weight = FuseOp::create(rewriter, inner.getLoc(),
                              inner.getType().clone(rewriter.getF32Type()),
                              inner.getWeight(), inner.getShrink(),
                              inner.getExpand(), inner.getScale());
    }
    rewriter.setInsertionPoint(op);
    Value fused = FuseOp::create(
        rewriter, op.getLoc(), RankedTensorType::get(type.getShape(), storage),
        weight, op.getShrink(), op.getExpand(), op.getScale());
    rewriter.replaceOpWithNewOp<lm::LinearOp>(op, op.getType(), op.getInput(),
                                              fused, linear.getBias(),
                                              linear.getResidual());
    return success();
  }

  Type storage;
};

struct FuseAdaptersPass final : impl::FuseAdaptersPassBase<FuseAdaptersPass> {
  using Base::Base;

  void runOnOperation() override {
    Type storage = parseStorageType(&getContext(), type);
    if (!isa_and_nonnull<FloatType>(storage)) {
      getOperation().emitError("expected a fused type of f32, f16 or bf16, "
                               "found '")
          << type << "'";
      return signalPassFailure();
    }
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseIntoLinear>(&getContext(), storage);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::lori
