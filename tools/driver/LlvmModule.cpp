// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/LlvmModule.h"
#include "runtime/support/Error.h"

#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/OpenMP/OpenMPToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Passes/PassBuilder.h"

using namespace lori;

void lori::skipRedundantBarriers(mlir::ModuleOp module) {
  module.walk([](mlir::omp::TerminatorOp end) {
    if (!llvm::isa<mlir::omp::ParallelOp>(end->getParentOp()))
      return;
    if (auto loop =
            llvm::dyn_cast_or_null<mlir::omp::WsloopOp>(end->getPrevNode()))
      loop.setNowait(true);
  });
}

static void registerTranslations(mlir::MLIRContext &context) {
  mlir::DialectRegistry registry;
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerOpenMPDialectTranslation(registry);
  context.appendDialectRegistry(registry);
}

static std::unique_ptr<llvm::Module> translate(mlir::ModuleOp source,
                                               llvm::LLVMContext &context) {
  std::string errors;
  mlir::ScopedDiagnosticHandler handler(
      source.getContext(), [&](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
          errors += (errors.empty() ? "" : "; ") + diagnostic.str();
        return mlir::success();
      });
  auto module = mlir::translateModuleToLLVMIR(source, context);
  if (!module)
    throw Error("cannot be translated to LLVM IR: " + errors);
  return module;
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::PipelineTuningOptions options;
  options.LoopVectorization = true;
  options.SLPVectorization = true;
  llvm::PassBuilder builder(&machine, options);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, modules);
}

LlvmModule lori::compileToLlvm(mlir::ModuleOp source, const CpuTarget &target) {
  registerTranslations(*source.getContext());
  skipRedundantBarriers(source);
  LlvmModule result;
  result.context = std::make_unique<llvm::LLVMContext>();
  result.machine = target.createMachine();
  result.module = translate(source, *result.context);
  target.applyTo(*result.module, *result.machine);
  optimize(*result.module, *result.machine);
  return result;
}
