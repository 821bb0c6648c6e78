// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/Outlining.h"
#include "passes/codegen/cpu/PanelContraction.h"
#include "passes/codegen/cpu/Passes.h"

#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::lori {

#define GEN_PASS_DEF_OUTLINEKERNELSPASS
#include "passes/codegen/cpu/Passes.h.inc"

namespace {

/// Returns the type of the widest weight and its shape, e.g. "f16_48x576x32".
std::string describe(PanelContraction &contraction) {
  MemRefType largest;
  for (OpOperand *operand : contraction.op.getDpsInputOperands())
    if (contraction.isWeight(*operand)) {
      auto type = cast<MemRefType>(operand->get().getType());
      if (!largest || type.getRank() > largest.getRank())
        largest = type;
    }
  std::string text;
  llvm::raw_string_ostream os(text);
  os << largest.getElementType() << '_';
  llvm::interleave(
      largest.getShape(), os,
      [&](int64_t size) {
        if (ShapedType::isDynamic(size))
          os << 'd';
        else
          os << size;
      },
      "x");
  return text;
}

struct OutlineKernelsPass final
    : impl::OutlineKernelsPassBase<OutlineKernelsPass> {
  using Base::Base;

  void runOnOperation() override {
    SymbolTable symbols(getOperation());
    llvm::StringMap<func::FuncOp> functions;
    std::vector<PanelContraction> contractions;
    getOperation().walk([&](linalg::GenericOp op) {
      auto parent = op->getParentOfType<func::FuncOp>();
      if (parent && parent.getName().starts_with(prefix + "_"))
        return;
      auto found =
          matchPanelContraction(op, [](const Twine &) { return failure(); });
      if (succeeded(found))
        contractions.push_back(std::move(*found));
    });
    for (PanelContraction &contraction : contractions)
      outline(contraction, symbols, functions);
  }

private:
  void outline(PanelContraction &contraction, SymbolTable &symbols,
               llvm::StringMap<func::FuncOp> &functions) {
    linalg::GenericOp op = contraction.op;
    SmallVector<Value> arguments = outlinedArguments(op);
    OwningOpRef<func::FuncOp> made =
        outlineClone(op, {}, contraction.zeros).function;
    std::string key;
    llvm::raw_string_ostream os(key);
    made->print(os, OpPrintingFlags().useLocalScope());
    func::FuncOp &function = functions[key];
    if (!function) {
      function = made.release();
      function.setName(prefix + "_" + describe(contraction));
      symbols.insert(function); // makes the name unique
    }
    OpBuilder b(op);
    func::CallOp::create(b, op.getLoc(), function, arguments);
    contraction.erase();
  }
};

} // namespace
} // namespace mlir::lori
