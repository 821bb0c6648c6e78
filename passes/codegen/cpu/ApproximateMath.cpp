// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/CpuCodegen.h"
#include "passes/codegen/cpu/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::lori {

#define GEN_PASS_DEF_APPROXIMATEMATHPASS
#include "passes/codegen/cpu/Passes.h.inc"

void populateApproximateMathPatterns(RewritePatternSet &patterns) {
  auto chosen = [](StringRef name) {
    return name == math::ExpOp::getOperationName() ||
           name == math::TanhOp::getOperationName() ||
           name == math::LogOp::getOperationName() ||
           name == math::ErfOp::getOperationName();
  };
  populateMathPolynomialApproximationPatterns(patterns, chosen);
}

namespace {

struct ApproximateMathPass final
    : impl::ApproximateMathPassBase<ApproximateMathPass> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateApproximateMathPatterns(patterns);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::lori
