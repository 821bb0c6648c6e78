// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::lori {
#define GEN_PASS_DEF_ROTATEHEADSPASS
#include "passes/Passes.h.inc"

namespace {

/// Returns the size of the heads of a cache with `values` if they are worth
/// rotating, else 0.
int64_t getHeadDim(Value values) {
  auto type = cast<RankedTensorType>(values.getType());
  auto headDim = lm::CacheShape(type).headDim;
  bool isNarrow = !type.getElementType().isF32();
  return isNarrow && llvm::isPowerOf2_64(static_cast<uint64_t>(headDim))
             ? headDim
             : 0;
}

/// Replaces `operand`, [rows, heads * headDim], by its rotated heads.
void rotate(OpOperand &operand, int64_t headDim) {
  OpBuilder b(operand.getOwner());
  Location loc = operand.getOwner()->getLoc();
  Value x = operand.get();
  auto type = cast<RankedTensorType>(x.getType());
  int64_t heads = type.getDimSize(1) / headDim, rows = type.getDimSize(0);
  auto split = type.clone({rows, heads, headDim});
  SmallVector<ReassociationIndices> columns{{0}, {1, 2}}, vectors{{0, 1}, {2}};

  Value parts = tensor::ExpandShapeOp::create(b, loc, split, x, columns);
  Value flat = tensor::CollapseShapeOp::create(b, loc, parts, vectors);
  Value matrix = HadamardOp::create(
      b, loc, RankedTensorType::get({headDim, headDim}, b.getF32Type()));
  Value turned = lm::LinearOp::create(b, loc, flat.getType(), flat, matrix,
                                      /*bias=*/Value(), /*residual=*/Value());
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, parts);
  parts = tensor::ExpandShapeOp::create(b, loc, split, turned, vectors, sizes);
  operand.set(tensor::CollapseShapeOp::create(b, loc, type, parts, columns));
}

struct RotateHeadsPass final : impl::RotateHeadsPassBase<RotateHeadsPass> {
  using Base::Base;

  void runOnOperation() override {
    getOperation()->walk([](Operation *op) {
      if (auto append = dyn_cast<lm::CacheAppendOp>(op)) {
        if (int64_t headDim = getHeadDim(append.getValues()))
          rotate(append.getKMutable(), headDim);
      } else if (auto attention = dyn_cast<lm::AttentionOp>(op)) {
        if (int64_t headDim = getHeadDim(attention.getValues()))
          rotate(attention.getQMutable(), headDim);
      }
    });
  }
};

} // namespace
} // namespace mlir::lori
