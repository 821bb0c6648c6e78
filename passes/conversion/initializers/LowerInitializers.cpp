// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Initializers become functions that the driver calls; equal ones share one.

#include "passes/Passes.h"
#include "passes/conversion/initializers/InitializerResult.h"

#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::lori {
#define GEN_PASS_DEF_LOWERINITIALIZERSPASS
#include "passes/Passes.h.inc"

/// The driver finds a leaf's bytes by its parameter and its layer alone.
static LogicalResult checkLeaves(DerivedParamOp derived, SymbolTable &symbols) {
  int64_t layers =
      derived.isStacked() ? getParamType(derived).getDimSize(0) : 1;
  llvm::DenseMap<Attribute, std::optional<int64_t>> firstLayers;
  WalkResult result = derived.getInitializer().walk([&](GetParamOp get) {
    auto leaf = symbols.lookup<ParamOp>(get.getParam());
    if (!leaf) {
      get.emitError("expected a stored parameter, found the derived @")
          << get.getParam();
      return WalkResult::interrupt();
    }
    std::optional<int64_t> first = getLeafLayer(get, 0);
    std::optional<int64_t> last = getLeafLayer(get, layers - 1);
    if (leaf.isStacked() && (!first || *first < 0 || !last ||
                             *last >= getParamType(leaf).getDimSize(0))) {
      get.emitError("expected a layer of @")
          << get.getParam()
          << ", at a constant distance from the initializer's";
      return WalkResult::interrupt();
    }
    if (firstLayers.try_emplace(get.getParamAttr(), first).first->second !=
        first) {
      get.emitError("expected one layer of @") << get.getParam() << " only";
      return WalkResult::interrupt();
    }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Emits the function of `derived` at the end of the module; null after an
/// error.
static func::FuncOp buildEvaluator(OpBuilder &builder, DerivedParamOp derived,
                                   SymbolTable &symbols) {
  if (failed(checkLeaves(derived, symbols)))
    return {};
  builder.setInsertionPointToEnd(cast<ModuleOp>(symbols.getOp()).getBody());
  InitializerBuilder emitter(builder, derived);
  emitter.createFunction(getLeaves(derived));
  LogicalResult status = InitializerResult(emitter).store(derived.getYielded());
  emitter.createReturn();
  if (succeeded(status))
    return emitter.getFunction();
  emitter.getFunction().erase();
  return {};
}

namespace {

struct LowerInitializersPass final
    : impl::LowerInitializersPassBase<LowerInitializersPass> {
  using Base::Base;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    SymbolTable symbols(module);
    OpBuilder builder(&getContext());
    // Functions name no parameter, so equal text is equal meaning.
    llvm::StringMap<FlatSymbolRefAttr> known;
    for (auto derived : llvm::to_vector(module.getOps<DerivedParamOp>())) {
      if (derived.getEvaluator())
        continue;
      func::FuncOp function = buildEvaluator(builder, derived, symbols);
      if (!function)
        return signalPassFailure();
      std::string text;
      llvm::raw_string_ostream(text) << function;
      auto [entry, isNew] = known.try_emplace(text);
      if (isNew) {
        function.setName("init." + std::to_string(known.size() - 1));
        symbols.insert(function);
        entry->second = FlatSymbolRefAttr::get(function);
      } else {
        function.erase();
      }
      derived.setEvaluatorAttr(entry->second);
    }
  }
};

} // namespace
} // namespace mlir::lori
