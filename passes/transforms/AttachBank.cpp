// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"
#include "passes/transforms/ParameterUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::lori {
#define GEN_PASS_DEF_ATTACHBANKPASS
#include "passes/Passes.h.inc"

namespace {

/// A linear layer with a weight of the base, and where it stands.
struct Projection {
  lm::LinearOp linear;
  ParamOp weight;
};

/// The projections of one site: a stack may be read in several runs.
struct Site {
  SmallVector<Projection, 1> projections;
  int64_t layers = 0;
};

ArrayRef<int64_t> getWeightShape(Projection projection) {
  return cast<RankedTensorType>(projection.linear.getWeight().getType())
      .getShape();
}

/// Returns the path of the module that `weight` belongs to, as PEFT names it,
/// or "" if it is no module's weight.
StringRef getModulePath(ParamOp weight) {
  StringRef name = weight.getSource().getName();
  // A tied output projection reads the embedding's table.
  if (name == "model.embed_tokens.weight")
    return "lm_head";
  return name.consume_back(".weight") ? name : "";
}

struct AttachBankPass final : impl::AttachBankPassBase<AttachBankPass> {
  using Base::Base;

  void runOnOperation() override {
    if (!getOperation().getOps<AdapterBankOp>().empty())
      return;
    llvm::MapVector<StringRef, Site> sites = findSites();
    if (sites.empty())
      return;
    OpBuilder builder(&getContext());
    builder.setInsertionPointToStart(getOperation().getBody());
    SmallVector<Attribute> declared;
    for (auto &[path, site] : sites) {
      ArrayRef<int64_t> shape = getWeightShape(site.projections.front());
      declared.push_back(SiteAttr::get(&getContext(),
                                       builder.getStringAttr(path), shape[1],
                                       shape[0], site.layers));
    }
    auto bank = AdapterBankOp::create(builder, getOperation().getLoc(),
                                      "loaded", builder.getArrayAttr(declared),
                                      /*panels=*/IntegerAttr());
    SymbolTable(getOperation()).insert(bank);
    for (auto [index, entry] : llvm::enumerate(sites))
      for (Projection projection : entry.second.projections)
        attach(projection, bank, static_cast<int64_t>(index));
  }

  llvm::MapVector<StringRef, Site> findSites() {
    SymbolTable symbols(getOperation());
    llvm::MapVector<StringRef, Site> sites;
    getOperation().walk([&](lm::LinearOp linear) {
      ParamOp weight = getOriginalParam(linear.getWeight(), symbols);
      if (!weight || weight.getSource().getFile() != "base" ||
          getModulePath(weight).empty())
        return;
      Site &site = sites[getModulePath(weight)];
      site.projections.push_back({linear, weight});
      for (int64_t layer : weight.getSource().getLayers().asArrayRef())
        site.layers = std::max(site.layers, layer + 1);
    });
    // A site has one shape: what differs in it from layer to layer is none.
    sites.remove_if([](const auto &entry) {
      ArrayRef<Projection> all = entry.second.projections;
      return llvm::any_of(all, [&](Projection projection) {
        return getWeightShape(projection) != getWeightShape(all.front());
      });
    });
    return sites;
  }

  void attach(Projection projection, AdapterBankOp bank, int64_t site) {
    lm::LinearOp linear = projection.linear;
    OpBuilder builder(linear->getContext());
    Value last = getUpdatedOutput(linear);
    builder.setInsertionPointAfterValue(last);
    Value layer = getLayerIndex(linear.getWeight());
    if (layer)
      layer = toStackIndex(builder, linear.getLoc(), layer, projection.weight);
    auto routed = AdaptRoutedOp::create(
        builder, linear.getLoc(), last.getType(), last, linear.getX(),
        FlatSymbolRefAttr::get(bank), builder.getI64IntegerAttr(site),
        getSelectedRows(linear.getX()) ? builder.getUnitAttr() : UnitAttr(),
        layer);
    last.replaceAllUsesExcept(routed, routed);
  }
};

} // namespace
} // namespace mlir::lori
