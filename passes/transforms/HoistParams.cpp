// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::lori {
#define GEN_PASS_DEF_HOISTPARAMSPASS
#include "passes/Passes.h.inc"

namespace {

/// What a value is made of.
enum class Origin {
  /// Activations, state, anything of the running program.
  Runtime,
  /// Constants and layer indices: take part, but give no reason to hoist.
  Neutral,
  /// A parameter as it is stored.
  Leaf,
  /// An expression of parameters.
  Expression,
};

class Hoister {
public:
  Hoister(ModuleOp module) : module(module), symbols(module) {}

  LogicalResult run();

private:
  Origin getOrigin(Value value);
  Origin computeOrigin(Value value);
  bool isRoot(Operation *op);
  LogicalResult hoist(Operation *root);

  ModuleOp module;
  SymbolTable symbols;
  DenseMap<Value, Origin> origins;
};

} // namespace

Origin Hoister::getOrigin(Value value) {
  if (auto known = origins.find(value); known != origins.end())
    return known->second;
  Origin origin = computeOrigin(value);
  origins[value] = origin;
  return origin;
}

Origin Hoister::computeOrigin(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op) {
    auto loop = dyn_cast<scf::ForOp>(value.getParentBlock()->getParentOp());
    return loop && loop.getInductionVar() == value ? Origin::Neutral
                                                   : Origin::Runtime;
  }
  if (matchPattern(op, m_Constant()))
    return Origin::Neutral;
  if (auto get = dyn_cast<GetParamOp>(op))
    return get.getLayer() && getOrigin(get.getLayer()) != Origin::Neutral
               ? Origin::Runtime
               : Origin::Leaf;
  if (auto projection = dyn_cast<FrozenProjectionOp>(op))
    return projection.getStream() &&
                   getOrigin(projection.getStream()) != Origin::Neutral
               ? Origin::Runtime
               : Origin::Expression;
  if (isa<HadamardOp>(op))
    return Origin::Expression;
  if (!isMemoryEffectFree(op) ||
      isa<AdapterWeightsOp, BankSizeOp, BankUseOp>(op))
    return Origin::Runtime;

  SetVector<Value> inputs(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), inputs);
  Origin origin = Origin::Neutral;
  for (Value input : inputs) {
    Origin part = getOrigin(input);
    if (part == Origin::Runtime)
      return Origin::Runtime;
    if (part != Origin::Neutral)
      origin = Origin::Expression;
  }
  return inputs.empty() ? Origin::Runtime : origin;
}

/// An expression whose value leaves the world of parameters.
bool Hoister::isRoot(Operation *op) {
  return op->getNumResults() == 1 &&
         isa<RankedTensorType>(op->getResult(0).getType()) &&
         getOrigin(op->getResult(0)) == Origin::Expression &&
         llvm::any_of(op->getUsers(), [&](Operation *user) {
           return user->getNumResults() == 0 ||
                  getOrigin(user->getResult(0)) != Origin::Expression;
         });
}

/// Returns the loops over layers whose index the ops of `slice` read.
static SetVector<Operation *> getLoops(const SetVector<Operation *> &slice) {
  SetVector<Operation *> loops;
  for (Operation *op : slice)
    for (Value operand : op->getOperands())
      if (auto index = dyn_cast<BlockArgument>(operand))
        loops.insert(index.getOwner()->getParentOp());
  return loops;
}

LogicalResult Hoister::hoist(Operation *root) {
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  options.omitBlockArguments = true;
  options.inclusive = true;
  options.omitUsesFromAbove = false;
  (void)getBackwardSlice(root, &slice, options);
  slice = topologicalSort(slice);

  SetVector<Operation *> loops = getLoops(slice);
  if (loops.size() > 1)
    return root->emitError("expected the layers of one loop, found those of ")
           << loops.size();
  auto loop = loops.empty() ? scf::ForOp() : cast<scf::ForOp>(loops.front());
  int64_t layers = 0;
  if (loop) {
    std::optional<int64_t> count = getConstantIntValue(loop.getUpperBound());
    if (!count || *count <= 0 || !isZeroInteger(loop.getLowerBound()) ||
        !isOneInteger(loop.getStep()))
      return loop.emitError("expected a loop over layers: from 0 by 1 to a "
                            "constant");
    layers = *count;
  }

  auto type = cast<RankedTensorType>(root->getResult(0).getType());
  OpBuilder builder(module.getContext());
  builder.setInsertionPoint(root->getParentOfType<FunctionOpInterface>());
  auto derived =
      DerivedParamOp::create(builder, root->getLoc(), "derived",
                             loop ? getStackedType(type, layers) : type);
  symbols.insert(derived);
  Block &body = derived.getInitializer().emplaceBlock();
  IRMapping mapping;
  if (loop)
    mapping.map(loop.getInductionVar(),
                body.addArgument(builder.getIndexType(), root->getLoc()));
  builder.setInsertionPointToStart(&body);
  for (Operation *op : slice)
    builder.clone(*op, mapping);
  YieldOp::create(builder, root->getLoc(),
                  ValueRange{mapping.lookup(root->getResult(0))});

  builder.setInsertionPoint(root);
  Value value = GetParamOp::create(builder, root->getLoc(), type,
                                   FlatSymbolRefAttr::get(derived),
                                   loop ? loop.getInductionVar() : Value());
  origins[value] = Origin::Leaf;
  root->getResult(0).replaceAllUsesWith(value);
  return success();
}

LogicalResult Hoister::run() {
  SmallVector<Operation *> roots, expressions;
  module.walk([&](Operation *op) {
    if (!op->getParentOfType<FunctionOpInterface>() || op->getNumResults() != 1)
      return;
    Origin origin = getOrigin(op->getResult(0));
    if (origin == Origin::Leaf || origin == Origin::Expression)
      expressions.push_back(op);
    if (isRoot(op))
      roots.push_back(op);
  });
  for (Operation *root : roots)
    if (failed(hoist(root)))
      return failure();
  for (Operation *op : llvm::reverse(expressions))
    if (op->use_empty())
      op->erase();
  return success();
}

namespace {

struct HoistParamsPass final : impl::HoistParamsPassBase<HoistParamsPass> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(Hoister(getOperation()).run()))
      signalPassFailure();
  }
};

} // namespace
} // namespace mlir::lori
