// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/PassRunner.h"
#include "passes/pipelines/Pipelines.h"
#include "runtime/support/Error.h"
#include "tools/driver/Remarks.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace lori;

PassRunner::PassRunner(mlir::MLIRContext &context, std::string file,
                       bool wantsRemarks)
    : context(context), file(std::move(file)) {
  if (wantsRemarks)
    remarks = RemarkPrinter::install(context);
}

void PassRunner::run(mlir::ModuleOp module,
                     llvm::function_ref<void(mlir::OpPassManager &)> build,
                     bool isSilent) const {
  // Diagnostics of passes become the one line that errors are.
  std::string message;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error &&
            message.empty())
          message = diagnostic.str();
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Remark &&
            remarks)
          remarks->print(diagnostic);
        return mlir::success();
      });
  if (remarks)
    remarks->setSilent(isSilent);
  mlir::PassManager pm(&context);
  build(pm);
  if (mlir::failed(pm.run(module)))
    throw Error(file, "cannot be compiled: " + message);
}

mlir::OwningOpRef<mlir::ModuleOp> lori::cloneFunctions(mlir::ModuleOp module,
                                                       bool initializers) {
  auto part = mlir::ModuleOp::create(module->getLoc());
  mlir::OwningOpRef<mlir::ModuleOp> owned(part);
  for (auto function : module.getOps<mlir::func::FuncOp>())
    if (function.getName().starts_with("init.") == initializers)
      part.push_back(function.clone());
  return owned;
}

Jit lori::compileInitializers(mlir::ModuleOp module, const PassRunner &passes) {
  auto functions = cloneFunctions(module, /*initializers=*/true);
  passes.run(*functions, [](mlir::OpPassManager &pm) {
    mlir::lori::buildBufferizationPipeline(pm);
    mlir::lori::buildReferenceCodegenPipeline(pm);
  });
  return Jit::create(*functions, CpuTarget::native());
}
