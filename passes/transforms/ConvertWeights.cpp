// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/transforms/ParameterUtils.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

namespace mlir::lori {
#define GEN_PASS_DEF_CONVERTWEIGHTSPASS
#include "passes/Passes.h.inc"

namespace {

/// Returns whether kernels read `type` as it is.
static bool isKernelType(Type type) {
  auto quant = dyn_cast<QuantType>(type);
  return !quant || quant.getBlockEntries() == 32;
}

struct ConvertWeightsPass final
    : impl::ConvertWeightsPassBase<ConvertWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    Type chosen;
    if (type != "auto") {
      chosen = parseStorageType(&getContext(), type);
      if (!chosen || !isKernelType(chosen)) {
        getOperation().emitError(
            "expected a weight type of auto, f32, f16, bf16, q8_0, q4_0 or "
            "q4_1, found '")
            << type << "'";
        return signalPassFailure();
      }
    }
    getOperation().walk([&](Operation *op) {
      if (auto linear = dyn_cast<lm::LinearOp>(op))
        convert(linear.getWeightMutable(), chosen);
      else if (auto embedding = dyn_cast<lm::EmbeddingOp>(op))
        convert(embedding.getTableMutable(), chosen);
    });
  }

  /// Stores the weight that `operand` reads as `chosen`, or as what it is
  /// where that is null.
  void convert(OpOperand &operand, Type chosen) {
    // Only parameters are converted ahead of time, and only before they are
    // laid out. A fused weight has the type that fusing chose.
    auto type = cast<RankedTensorType>(operand.get().getType());
    if (type.getEncoding() || !isParameter(operand.get()) ||
        operand.get().getDefiningOp<FuseOp>())
      return;
    Type f16 = Float16Type::get(&getContext());
    Type target = chosen;
    if (!target)
      target =
          isKernelType(type.getElementType()) ? type.getElementType() : f16;
    if (auto quant = dyn_cast<QuantType>(target))
      if (type.getDimSize(1) % quant.getBlockEntries() != 0)
        target = f16;
    if (target == type.getElementType())
      return;
    remark::passed(
        operand.getOwner()->getLoc(),
        remark::RemarkOpts::name("converted").category("lori-convert-weights"))
        << remark::add("stored as {0} instead of {1}", printType(target),
                       printType(type));
    OpBuilder builder(operand.getOwner());
    builder.setInsertionPointAfterValue(operand.get());
    // One conversion serves all users, so it must stand ahead of them.
    for (Operation *user : operand.get().getUsers())
      if (auto twin = dyn_cast<ConvertOp>(user);
          twin && twin.getType().getElementType() == target) {
        twin->moveAfter(operand.get().getDefiningOp());
        return operand.set(twin);
      }
    operand.set(ConvertOp::create(
        builder, operand.getOwner()->getLoc(),
        RankedTensorType::get(type.getShape(), target), operand.get()));
  }
};

} // namespace
} // namespace mlir::lori
