// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/passes/codegen/KernelJit.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <chrono>

using namespace mlir;

namespace lori::testing {

std::vector<Target> targets() {
  mlir::lori::CpuCodegenOptions avx2, avx512;
  avx512.vectorBits = 512;
  avx512.registers = 32;
  avx512.l1Bytes = 48 << 10;
  avx512.l2Bytes = 2 << 20;
  auto features = llvm::sys::getHostCPUFeatures();
  bool hasAvx2 = features.lookup("avx2") && features.lookup("fma");
  bool hasAvx512 = features.lookup("avx512f") && features.lookup("avx512bw") &&
                   features.lookup("avx512vl") && features.lookup("avx512dq");
  return {{"x86-64-v3", avx2, hasAvx2}, {"x86-64-v4", avx512, hasAvx512}};
}

namespace {

DialectRegistry &registry() {
  static DialectRegistry registry = [] {
    DialectRegistry made;
    registerAllDialects(made);
    registerAllExtensions(made);
    registerAllToLLVMIRTranslations(made);
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    return made;
  }();
  return registry;
}

std::unique_ptr<llvm::TargetMachine> machine(const Target &target) {
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::string error;
  const llvm::Target *found = llvm::TargetRegistry::lookupTarget(triple, error);
  llvm::TargetOptions options;
  return std::unique_ptr<llvm::TargetMachine>(found->createTargetMachine(
      triple, target.name, "", options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive, /*JIT=*/true));
}

void addLoops(OpPassManager &pm) {
  pm.addPass(createConvertLinalgToLoopsPass());
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

/// As the compiler does it: O3 without LLVM's own vectorisers.
void optimize(llvm::Module &module, llvm::TargetMachine &tm,
              const Target &target) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.name);
    function.addFnAttr("prefer-vector-width",
                       std::to_string(target.options.vectorBits));
  }
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::LoopAnalysisManager lam;
  llvm::FunctionAnalysisManager fam;
  llvm::CGSCCAnalysisManager cam;
  llvm::ModuleAnalysisManager mam;
  llvm::PassBuilder builder(&tm, tuning);
  builder.registerModuleAnalyses(mam);
  builder.registerCGSCCAnalyses(cam);
  builder.registerFunctionAnalyses(fam);
  builder.registerLoopAnalyses(lam);
  builder.crossRegisterProxies(lam, fam, cam, mam);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3)
      .run(module, mam);
}

void printAssembly(llvm::Module &module, llvm::TargetMachine &tm,
                   std::string &text) {
  llvm::SmallString<0> buffer;
  llvm::raw_svector_ostream os(buffer);
  llvm::legacy::PassManager pm;
  auto copy = llvm::CloneModule(module);
  if (!tm.addPassesToEmitFile(pm, os, nullptr,
                              llvm::CodeGenFileType::AssemblyFile))
    pm.run(*copy);
  text = buffer.str().str();
}

/// What C callers of a memref<?x?xf32> pass.
struct Matrix {
  const void *allocated, *aligned;
  int64_t offset, sizes[2], strides[2];
};
struct Bytes {
  const void *allocated, *aligned;
  int64_t offset, size, stride;
};

} // namespace

KernelJit::KernelJit(const std::string &text, const Target &target, Road road,
                     std::string *assembly)
    : context(std::make_unique<MLIRContext>(registry())) {
  auto start = std::chrono::steady_clock::now();
  auto collect = [this](Diagnostic &diagnostic) {
    message += diagnostic.str() + "\n";
  };
  ScopedDiagnosticHandler handler(context.get(), collect);
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(text, ParserConfig(context.get()));
  if (!module)
    return;
  PassManager pm(context.get());
  if (road == Road::Loops)
    addLoops(pm);
  else
    mlir::lori::buildCpuCodegenPipeline(pm, target.options);
  if (failed(pm.run(*module))) {
    message += "the pipeline failed";
    return;
  }
  std::unique_ptr<llvm::TargetMachine> tm = machine(target);
  auto transform = [&](llvm::Module *llvmModule) -> llvm::Error {
    optimize(*llvmModule, *tm, target);
    if (assembly)
      printAssembly(*llvmModule, *tm, *assembly);
    return llvm::Error::success();
  };
  ExecutionEngineOptions options;
  options.transformer = transform;
  options.jitCodeGenOptLevel = llvm::CodeGenOptLevel::Aggressive;
  auto made = ExecutionEngine::create(*module, options, machine(target));
  if (!made) {
    message += llvm::toString(made.takeError());
    return;
  }
  engine = std::move(*made);
  linear = lookup("_mlir_ciface_linear");
  if (!linear && message.empty())
    message = "no function linear";
  compileSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
}

KernelJit::~KernelJit() = default;

void *KernelJit::lookup(const std::string &name) const {
  if (!engine)
    return nullptr;
  auto found = engine->lookup(name);
  if (!found) {
    llvm::consumeError(found.takeError());
    return nullptr;
  }
  return *found;
}

void KernelJit::call(const float *x, int64_t rows, int64_t depth,
                     const uint8_t *weights, int64_t bytes, float *y,
                     int64_t columns) const {
  Matrix xs{x, x, 0, {rows, depth}, {depth, 1}};
  Matrix ys{y, y, 0, {rows, columns}, {columns, 1}};
  Bytes ws{weights, weights, 0, bytes, 1};
  reinterpret_cast<void (*)(Matrix *, Bytes *, Matrix *)>(linear)(&xs, &ws,
                                                                  &ys);
}

} // namespace lori::testing
