// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace mlir::lori;

/// Returns whether `value` is known to hold zeros only.
static bool isAllZero(Value value) {
  if (matchPattern(value, m_AnyZeroFloat()))
    return true;
  DenseElementsAttr constant;
  if (!matchPattern(value, m_Constant(&constant)) || !constant.isSplat())
    return false;
  if (isa<FloatType>(constant.getElementType()))
    return constant.getSplatValue<APFloat>().isZero();
  return constant.getElementType().isIntOrIndex() &&
         constant.getSplatValue<APInt>().isZero();
}

//===----------------------------------------------------------------------===//
// mask
//===----------------------------------------------------------------------===//

OpFoldResult MaskOp::fold(FoldAdaptor adaptor) {
  // mask(mask(b, m), m) -> mask(b, m)
  if (auto inner = getFactor().getDefiningOp<MaskOp>())
    if (inner.getMask() == getMask())
      return inner.getResult();
  auto mask = dyn_cast_or_null<DenseElementsAttr>(adaptor.getMask());
  // mask(b, 1) -> b
  if (mask && mask.isSplat() && mask.getSplatValue<bool>())
    return getFactor();
  // mask(0, m) -> 0
  if (isAllZero(getFactor()))
    return getFactor();
  return {};
}

namespace {
/// mask(mask(b, m), n) -> mask(b, m and n)
struct MergeNestedMasks final : OpRewritePattern<MaskOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(MaskOp op,
                                PatternRewriter &rewriter) const override {
    auto inner = op.getFactor().getDefiningOp<MaskOp>();
    if (!inner)
      return rewriter.notifyMatchFailure(op, "expected a masked factor");
    Value both = arith::AndIOp::create(rewriter, op.getLoc(), inner.getMask(),
                                       op.getMask());
    rewriter.replaceOpWithNewOp<MaskOp>(op, inner.getFactor(), both);
    return success();
  }
};

/// mask(b, 0) -> 0
struct FoldEmptyMask final : OpRewritePattern<MaskOp> {
  using Base::Base;

  LogicalResult matchAndRewrite(MaskOp op,
                                PatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getType());
    if (!isAllZero(op.getMask()) || !type.hasStaticShape())
      return rewriter.notifyMatchFailure(op, "expected a mask of zeros");
    rewriter.replaceOpWithNewOp<arith::ConstantOp>(
        op, DenseElementsAttr::get(
                type, rewriter.getZeroAttr(type.getElementType())));
    return success();
  }
};
} // namespace

void MaskOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                         MLIRContext *context) {
  patterns.add<FoldEmptyMask, MergeNestedMasks>(context);
}

//===----------------------------------------------------------------------===//
// adapt
//===----------------------------------------------------------------------===//

OpFoldResult AdaptOp::fold(FoldAdaptor adaptor) {
  // adapt(base, x, A, 0) -> base and adapt(base, x, A, B) scale(0) -> base
  if (isAllZero(getExpand()) || isAllZero(getScale()))
    return getBase();
  // adapt(base, x, A, B) weights(0) -> base
  if (getWeights() && isAllZero(getWeights()))
    return getBase();
  return {};
}

//===----------------------------------------------------------------------===//
// Expressions of parameters
//===----------------------------------------------------------------------===//

OpFoldResult ConvertOp::fold(FoldAdaptor adaptor) {
  // convert(w : T to T) -> w
  return getSource().getType() == getType() ? getSource() : Value();
}

OpFoldResult StorageOp::fold(FoldAdaptor adaptor) {
  // storage(w) -> w where w is stored as it is
  return getSource().getType() == getType() ? getSource() : Value();
}
