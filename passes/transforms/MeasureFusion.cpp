// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/transforms/ParameterUtils.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::lori {
#define GEN_PASS_DEF_MEASUREFUSIONPASS
#include "passes/Passes.h.inc"

/// Returns the sum that `fused` is without any rounding but f32's.
static Value buildExactSum(OpBuilder &builder, Value fused) {
  auto fuse = fused.getDefiningOp<FuseOp>();
  if (!fuse)
    return fused;
  auto type = cast<RankedTensorType>(fuse.getType());
  return FuseOp::create(builder, fuse.getLoc(),
                        type.clone(builder.getF32Type()),
                        buildExactSum(builder, fuse.getWeight()),
                        fuse.getShrink(), fuse.getExpand(), fuse.getScale());
}

/// Returns whether `layer` runs over the `count` layers of a stack.
static bool runsOverStack(Value layer, int64_t count) {
  auto loop = dyn_cast<scf::ForOp>(layer.getParentBlock()->getParentOp());
  return loop && loop.getInductionVar() == layer &&
         getConstantIntValue(loop.getLowerBound()) == 0 &&
         getConstantIntValue(loop.getUpperBound()) == count &&
         getConstantIntValue(loop.getStep()) == 1;
}

/// Declares the error of `fused`, which is made of `weight` and factors.
static LogicalResult measure(FuseOp fused, ParamOp weight,
                             SymbolTable &symbols) {
  int64_t layers = weight.getSource().getLayers().size();
  Value layer = getLayerIndex(fused.getWeight());
  if (layer && getConstantIntValue(layer))
    layer = {};
  if (layer && !runsOverStack(layer, layers))
    return fused.emitError("expected a loop over the layers of @")
           << weight.getSymName();
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.omitBlockArguments = true;
  options.inclusive = true;
  (void)getBackwardSlice(fused.getOperation(), &slice, options);
  slice = topologicalSort(slice);

  OpBuilder builder(weight);
  Location loc = fused.getLoc();
  Type f32 = builder.getF32Type();
  auto type = RankedTensorType::get({1}, f32);
  auto derived = DerivedParamOp::create(
      builder, loc, ("error." + weight.getSource().getName().getValue()).str(),
      layer ? getStackedType(type, layers) : type);
  symbols.insert(derived);
  Block &body = derived.getInitializer().emplaceBlock();
  IRMapping mapping;
  if (layer)
    mapping.map(layer, body.addArgument(builder.getIndexType(), loc));
  builder.setInsertionPointToStart(&body);
  for (Operation *op : slice)
    builder.clone(*op, mapping);
  Value rounded = mapping.lookup(fused.getResult());
  Value error = RoundingErrorOp::create(builder, loc, type, rounded,
                                        buildExactSum(builder, rounded));
  YieldOp::create(builder, loc, error);
  return success();
}

namespace {

struct MeasureFusionPass final
    : impl::MeasureFusionPassBase<MeasureFusionPass> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    WalkResult result = getOperation().walk([&](lm::LinearOp linear) {
      auto fused = linear.getWeight().getDefiningOp<FuseOp>();
      if (!fused)
        return WalkResult::advance();
      ParamOp weight = getOriginalParam(fused, symbols);
      if (!weight) {
        fused.emitError("expected a weight that is a stored parameter");
        return WalkResult::interrupt();
      }
      return WalkResult(measure(fused, weight, symbols));
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (auto function : llvm::make_early_inc_range(
             getOperation().getOps<FunctionOpInterface>()))
      function.erase();
  }
};

} // namespace
} // namespace mlir::lori
