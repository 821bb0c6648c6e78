// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/transforms/ParameterUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/Support/InterleavedRange.h"

namespace mlir::lori {
#define GEN_PASS_DEF_ATTACHADAPTERSPASS
#include "passes/Passes.h.inc"

namespace {

/// Adds the modules of one adapter to the linear layers of a module.
class Attacher {
public:
  Attacher(AdapterOp adapter, SymbolTable &symbols, bool live)
      : adapter(adapter), symbols(symbols), live(live) {}

  /// Adds the update of `module` behind `linear`, which reads the layers of
  /// `weight`.
  LogicalResult attach(lm::LinearOp linear, ParamOp weight, ModuleAttr module);

private:
  LogicalResult checkLayers(ParamOp weight, ModuleAttr module);
  Value getWeights(lm::LinearOp linear);
  Value getWeightsOfRows(OpBuilder &builder, lm::LinearOp linear);
  Value scale(OpBuilder &builder, Location loc, ModuleAttr module, Value layer);
  Value factor(OpBuilder &builder, Location loc, FlatSymbolRefAttr symbol,
               Value layer);

  AdapterOp adapter;
  SymbolTable &symbols;
  bool live;
  llvm::DenseMap<Operation *, Value> weightsOf;
};

} // namespace

Value Attacher::factor(OpBuilder &builder, Location loc,
                       FlatSymbolRefAttr symbol, Value layer) {
  Operation *param = symbols.lookup(symbol.getValue());
  RankedTensorType type = getParamType(param);
  bool isStacked = isStackedParam(param);
  return GetParamOp::create(builder, loc, isStacked ? getLayerType(type) : type,
                            symbol, isStacked ? layer : Value());
}

/// Refuses factors and scales that do not cover the layers of `weight`.
LogicalResult Attacher::checkLayers(ParamOp weight, ModuleAttr module) {
  ArrayRef<int64_t> layers = weight.getSource().getLayers();
  StringRef target = module.getTarget().getValue();
  if (layers.empty() && module.getScales().size() > 1)
    return adapter.emitError("expected one scale, since '")
           << target << "' is not stacked";
  for (FlatSymbolRefAttr factor : {module.getShrink(), module.getExpand()}) {
    Operation *param = symbols.lookup(factor.getValue());
    if (!isStackedParam(param))
      continue;
    if (layers.empty())
      return adapter.emitError("expected ")
             << factor << " not to be stacked, since '" << target << "' is not";
    int64_t count = layers.size();
    if (layers.front() < 0 || layers.back() - layers.front() + 1 != count ||
        !llvm::is_sorted(layers) ||
        layers.back() >= getParamType(param).getDimSize(0))
      return adapter.emitError("expected ")
             << factor << " (" << getParamType(param)
             << ") to cover the layers of '" << target
             << "': " << llvm::interleaved_array(layers)
             << ", one after another";
  }
  return success();
}

Value Attacher::scale(OpBuilder &builder, Location loc, ModuleAttr module,
                      Value layer) {
  double weight = live ? 1.0 : adapter.getWeight().convertToDouble();
  SmallVector<float> scales;
  for (double scale : module.getScales().asArrayRef())
    scales.push_back(static_cast<float>(scale * weight));
  if (llvm::all_equal(scales))
    return arith::ConstantFloatOp::create(builder, loc, builder.getF32Type(),
                                          APFloat(scales[0]));
  auto type = RankedTensorType::get({static_cast<int64_t>(scales.size())},
                                    builder.getF32Type());
  Value table = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(type, ArrayRef<float>(scales)));
  return tensor::ExtractOp::create(builder, loc, table, ValueRange{layer});
}

/// Reads the weights once a function, ahead of the loop over layers.
Value Attacher::getWeights(lm::LinearOp linear) {
  auto function = linear->getParentOfType<FunctionOpInterface>();
  Value &weights = weightsOf[function];
  if (!weights) {
    OpBuilder builder(linear->getContext());
    builder.setInsertionPointToStart(&function.getFunctionBody().front());
    weights = AdapterWeightsOp::create(
        builder, adapter.getLoc(),
        RankedTensorType::get({ShapedType::kDynamic}, builder.getF32Type()),
        FlatSymbolRefAttr::get(adapter));
  }
  return weights;
}

/// Emits the weights of the rows that `linear` reads.
Value Attacher::getWeightsOfRows(OpBuilder &builder, lm::LinearOp linear) {
  Value weights = getWeights(linear);
  Value ids = getSelectedRows(linear.getX());
  if (!ids)
    return weights;
  Location loc = linear.getLoc();
  auto column =
      RankedTensorType::get({ShapedType::kDynamic, 1}, builder.getF32Type());
  SmallVector<ReassociationIndices> columns{{0, 1}};
  weights =
      tensor::ExpandShapeOp::create(builder, loc, column, weights, columns);
  weights = lm::SelectRowsOp::create(builder, loc, column, weights, ids);
  return tensor::CollapseShapeOp::create(builder, loc, weights, columns);
}

LogicalResult Attacher::attach(lm::LinearOp linear, ParamOp weight,
                               ModuleAttr module) {
  if (failed(checkLayers(weight, module)))
    return failure();
  OpBuilder builder(linear->getContext());
  // Behind the adapters that are attached already.
  Value last = getUpdatedOutput(linear);
  builder.setInsertionPointAfterValue(last);
  Location loc = linear.getLoc();

  Value layer = getLayerIndex(linear.getWeight());
  if (layer)
    layer = toStackIndex(builder, loc, layer, weight);
  Value shrink = factor(builder, loc, module.getShrink(), layer);
  Value expand = factor(builder, loc, module.getExpand(), layer);
  Value weights = live ? getWeightsOfRows(builder, linear) : Value();
  auto adapt =
      AdaptOp::create(builder, loc, last.getType(), last, linear.getX(), shrink,
                      expand, scale(builder, loc, module, layer), weights);
  last.replaceAllUsesExcept(adapt, adapt);
  remark::passed(
      loc,
      remark::RemarkOpts::name("attached").category("lori-attach-adapters"))
      << remark::add("attached adapter '{0}'{1}", adapter.getSymName(),
                     live ? ", weighed when the program runs" : "");
  return success();
}

namespace {

struct AttachAdaptersPass final
    : impl::AttachAdaptersPassBase<AttachAdaptersPass> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    // The linear layers of functions by the source name of their weight.
    llvm::StringMap<SmallVector<std::pair<lm::LinearOp, ParamOp>>> linears;
    getOperation().walk([&](lm::LinearOp linear) {
      if (!linear->getParentOfType<FunctionOpInterface>())
        return;
      if (ParamOp param = getOriginalParam(linear.getWeight(), symbols))
        linears[param.getSource().getName()].push_back({linear, param});
    });
    for (auto adapter : getOperation().getOps<AdapterOp>()) {
      if (adapter.getAttached())
        continue;
      Attacher attacher(adapter, symbols, live);
      for (auto module : adapter.getModules().getAsRange<ModuleAttr>()) {
        auto targets = linears.find(module.getTarget());
        if (targets == linears.end()) {
          adapter.emitError("expected a linear layer with weight '")
              << module.getTarget().getValue() << "'";
          return signalPassFailure();
        }
        for (auto [linear, weight] : targets->second)
          if (failed(attacher.attach(linear, weight, module)))
            return signalPassFailure();
      }
      adapter.setAttached(true);
    }
    // Updates that are always on no longer have a name.
    if (!live)
      for (auto adapter :
           llvm::make_early_inc_range(getOperation().getOps<AdapterOp>()))
        adapter.erase();
  }
};

} // namespace
} // namespace mlir::lori
