// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"

namespace mlir::lori {
#define GEN_PASS_DEF_ERASEPARAMSPASS
#include "passes/Passes.h.inc"

namespace {

struct EraseParamsPass final : impl::EraseParamsPassBase<EraseParamsPass> {
  using Base::Base;

  void runOnOperation() override {
    for (Operation &op : llvm::make_early_inc_range(*getOperation().getBody()))
      if (isa<AdapterOp, AdapterBankOp, ParamOp, DerivedParamOp>(op))
        op.erase();
  }
};

} // namespace
} // namespace mlir::lori
