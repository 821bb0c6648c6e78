// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/transforms/ParameterUtils.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"

namespace mlir::lori {
#define GEN_PASS_DEF_PACKWEIGHTSPASS
#include "passes/Passes.h.inc"

namespace {

struct PackWeightsPass final : impl::PackWeightsPassBase<PackWeightsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (rows <= 0) {
      getOperation().emitError("expected a positive number of panel rows, "
                               "found ")
          << rows.getValue();
      return signalPassFailure();
    }
    getOperation().walk([&](Operation *op) {
      if (auto linear = dyn_cast<lm::LinearOp>(op))
        pack(linear.getWeightMutable());
      else if (auto embedding = dyn_cast<lm::EmbeddingOp>(op))
        pack(embedding.getTableMutable());
      else if (auto adapt = dyn_cast<AdaptOp>(op)) {
        pack(adapt.getShrinkMutable());
        pack(adapt.getExpandMutable());
      } else if (auto bank = dyn_cast<AdapterBankOp>(op)) {
        bank.setPanels(rows);
      }
    });
  }

  void pack(OpOperand &operand) {
    auto type = cast<RankedTensorType>(operand.get().getType());
    // Only parameters are laid out ahead of time; a weight that is computed by
    // something else at run time stays as it is.
    if (type.getEncoding() || !isParameter(operand.get()))
      return;
    auto packed = RankedTensorType::get(type.getShape(), type.getElementType(),
                                        PanelsAttr::get(&getContext(), rows));
    // One pack serves all users, so it must stand ahead of them.
    for (Operation *user : operand.get().getUsers())
      if (auto twin = dyn_cast<PackOp>(user);
          twin && twin.getType() == packed) {
        twin->moveAfter(operand.get().getDefiningOp());
        return operand.set(twin);
      }
    remark::passed(
        operand.getOwner()->getLoc(),
        remark::RemarkOpts::name("packed").category("lori-pack-weights"))
        << remark::add("laid out {0} x {1} of {2} in panels of {3} rows",
                       type.getDimSize(0), type.getDimSize(1), printType(type),
                       rows.getValue());
    OpBuilder builder(&getContext());
    builder.setInsertionPointAfterValue(operand.get());
    operand.set(PackOp::create(builder, operand.getOwner()->getLoc(), packed,
                               operand.get()));
  }
};

} // namespace
} // namespace mlir::lori
