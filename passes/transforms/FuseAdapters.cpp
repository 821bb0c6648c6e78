// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/transforms/ParameterUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringSet.h"

namespace mlir::lori {
#define GEN_PASS_DEF_FUSEADAPTERSPASS
#include "passes/Passes.h.inc"

namespace {

/// Fuses the updates behind one linear layer into its weight.
class Fuser {
public:
  Fuser(lm::LinearOp linear, Type storage, bool roundedUpdate)
      : linear(linear), storage(storage), roundedUpdate(roundedUpdate) {}

  /// Finds the updates, and says whether there are any.
  bool match();

  /// adapt(linear(x, w), x, A, B, s) -> linear(x, fuse(w, A, B, s))
  void fuse();

  /// Fuses the layers of a stack that `isLive` does not hold for; the others
  /// are updated at run time. Where the fused type cannot hold the weights of
  /// those as they would be stored otherwise, all layers are.
  void fuseSome(ArrayRef<bool> isLive);

  RankedTensorType fusedType();

private:
  /// Returns the weight with all updates, each scaled by `factor` if given.
  Value fuseWeight(OpBuilder &builder, Value factor);

  lm::LinearOp linear;
  Type storage;
  bool roundedUpdate;
  SmallVector<AdaptOp> updates;
};

} // namespace

/// Returns `weight` as it is stored in the checkpoint: fusing rounds once, and
/// not to the base's new type before.
static Value getUnconverted(Value weight) {
  while (auto convert = weight.getDefiningOp<ConvertOp>())
    weight = convert.getSource();
  return weight;
}

bool Fuser::match() {
  if (cast<RankedTensorType>(linear.getWeight().getType()).getEncoding())
    return false;
  Value last = linear.getResult();
  while (last.hasOneUse()) {
    auto adapt = dyn_cast<AdaptOp>(*last.user_begin());
    if (!adapt || adapt.getBase() != last || adapt.getWeights() ||
        adapt.getInput() != linear.getX())
      break;
    updates.push_back(adapt);
    last = adapt.getResult();
  }
  return !updates.empty();
}

RankedTensorType Fuser::fusedType() {
  auto type = cast<RankedTensorType>(linear.getWeight().getType());
  return RankedTensorType::get(type.getShape(),
                               storage ? storage : type.getElementType());
}

Value Fuser::fuseWeight(OpBuilder &builder, Value factor) {
  RankedTensorType type = fusedType();
  // A sum of several updates is rounded once: inner sums stay in f32.
  auto inner = type.clone(builder.getF32Type());
  Value weight = getUnconverted(linear.getWeight());
  for (AdaptOp update : updates) {
    Location loc = update.getLoc();
    bool isLast = update == updates.back();
    Value scale = update.getScale();
    if (factor)
      scale = arith::MulFOp::create(builder, loc, scale, factor);
    weight = FuseOp::create(
        builder, loc, isLast || roundedUpdate ? type : inner, weight,
        update.getShrink(), update.getExpand(), scale, roundedUpdate);
  }
  return weight;
}

void Fuser::fuse() {
  // Behind the factors; nothing reads the layer before its updates.
  OpBuilder builder(updates.back());
  Value weight = fuseWeight(builder, /*factor=*/Value());
  remark::passed(linear.getLoc(), remark::RemarkOpts::name("fused").category(
                                      "lori-fuse-adapters"))
      << remark::add("fused {0} adapter(s) into the weight, stored as {1}",
                     updates.size(), printType(weight.getType()));
  linear->moveBefore(updates.back());
  linear.getWeightMutable().assign(weight);
  updates.back().replaceAllUsesWith(linear.getResult());
  for (AdaptOp update : llvm::reverse(updates))
    update.erase();
}

/// Returns whether every entry of type `from` is one of type `to`.
static bool holdsExactly(Type to, Type from) {
  return to == from || (to.isF32() && isa<Float16Type, BFloat16Type>(from));
}

/// Reads 1 where `isOn` holds for the layer, else 0.
static Value readSwitch(OpBuilder &builder, Location loc, ArrayRef<bool> isOn,
                        Value layer) {
  SmallVector<float> numbers(isOn.begin(), isOn.end());
  auto type = RankedTensorType::get({static_cast<int64_t>(numbers.size())},
                                    builder.getF32Type());
  Value table = arith::ConstantOp::create(
      builder, loc, DenseElementsAttr::get(type, ArrayRef<float>(numbers)));
  return tensor::ExtractOp::create(builder, loc, table, ValueRange{layer});
}

void Fuser::fuseSome(ArrayRef<bool> isLive) {
  bool isExact = holdsExactly(
      fusedType().getElementType(),
      cast<RankedTensorType>(linear.getWeight().getType()).getElementType());
  if (llvm::all_of(isLive, [](bool live) { return live; }) || !isExact) {
    remark::missed(linear.getLoc(), remark::RemarkOpts::name("live").category(
                                        "lori-fuse-adapters"))
        << remark::add("{0} adapter(s) stay live in all layers",
                       updates.size());
    return;
  }
  OpBuilder builder(updates.back());
  Location loc = linear.getLoc();
  Value layer = getLayerIndex(linear.getWeight());
  SmallVector<bool> isFused;
  for (bool live : isLive)
    isFused.push_back(!live);
  Value fused = fuseWeight(builder, readSwitch(builder, loc, isFused, layer));
  remark::passed(
      loc, remark::RemarkOpts::name("fused").category("lori-fuse-adapters"))
      << remark::add("fused {0} adapter(s) into the weight of {1} of {2} "
                     "layers, stored as {3}",
                     updates.size(), llvm::count(isFused, true), isLive.size(),
                     printType(fused.getType()));
  linear->moveBefore(updates.back());
  linear.getWeightMutable().assign(fused);
  Value live = readSwitch(builder, loc, isLive, layer);
  for (AdaptOp update : updates) {
    if (update != updates.back())
      update->moveBefore(updates.back());
    builder.setInsertionPoint(update);
    update.getScaleMutable().assign(
        arith::MulFOp::create(builder, loc, update.getScale(), live));
  }
}

namespace {

struct FuseAdaptersPass final : impl::FuseAdaptersPassBase<FuseAdaptersPass> {
  using Base::Base;

  void runOnOperation() override {
    Type storage;
    if (type != "base") {
      storage = parseStorageType(&getContext(), type);
      if (!isa_and_nonnull<FloatType>(storage)) {
        getOperation().emitError("expected a fused type of f32, f16, bf16 or "
                                 "base, found '")
            << type << "'";
        return signalPassFailure();
      }
    }
    SymbolTable symbols(getOperation());
    llvm::StringSet<> liveNames;
    for (const std::string &name : live)
      liveNames.insert(name);
    SmallVector<lm::LinearOp> linears;
    getOperation().walk([&](lm::LinearOp op) { linears.push_back(op); });
    for (lm::LinearOp linear : linears) {
      Fuser fuser(linear, storage, roundedUpdate);
      if (!fuser.match())
        continue;
      if (roundedUpdate &&
          !isa<FloatType>(fuser.fusedType().getElementType())) {
        linear.emitError("expected a weight of floats to add a rounded update "
                         "to, found ")
            << linear.getWeight().getType();
        return signalPassFailure();
      }
      ParamOp weight = getOriginalParam(linear.getWeight(), symbols);
      SmallVector<bool> isLive;
      if (weight)
        for (const std::string &name :
             getSourceNames(linear.getWeight(), weight))
          isLive.push_back(liveNames.contains(name));
      if (llvm::none_of(isLive, [](bool live) { return live; }))
        fuser.fuse();
      else
        fuser.fuseSome(isLive);
    }
  }
};

} // namespace
} // namespace mlir::lori
