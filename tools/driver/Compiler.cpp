// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/Compiler.h"
#include "passes/Passes.h"
#include "passes/pipelines/Pipelines.h"
#include "passes/pipelines/Registration.h"
#include "runtime/engine/ArtefactWriter.h"
#include "runtime/support/Error.h"
#include "runtime/threads/Threads.h"
#include "tools/driver/Linker.h"
#include "tools/driver/ModelMetadata.h"
#include "tools/driver/ObjectEmitter.h"
#include "tools/driver/ParameterSection.h"
#include "tools/driver/Progress.h"
#include "tools/import/Import.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/Support/raw_ostream.h"

#include <unistd.h>

using namespace lori;

namespace {

/// One run of the compiler.
class Compilation {
public:
  explicit Compilation(const CompileOptions &options);
  void run();

private:
  void openAdapters();
  ImportOptions chooseImport() const;
  std::string chooseFuseType() const;

  void lowerModel();
  mlir::OwningOpRef<mlir::ModuleOp> takeFunctions(bool initializers);
  void generate(mlir::ModuleOp module, bool isStep);
  void runPasses(mlir::ModuleOp module,
                 llvm::function_ref<void(mlir::OpPassManager &)> build);
  void writeText(llvm::function_ref<void(llvm::raw_ostream &)> print);
  void writeProgram(const std::string &image, ImageKind kind);

  const CompileOptions &options;
  CpuTarget target;
  Checkpoint checkpoint;
  std::vector<PeftAdapter> adapters;
  ParameterFiles files;
  mlir::DialectRegistry registry;
  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ImportOptions import;
};

} // namespace

static mlir::DialectRegistry makeRegistry() {
  mlir::DialectRegistry registry;
  mlir::lori::registerCompilerDialects(registry);
  return registry;
}

Compilation::Compilation(const CompileOptions &options)
    : options(options), target(CpuTarget::parse(options.cpu)),
      checkpoint(Checkpoint::open(options.model)), files(checkpoint),
      registry(makeRegistry()), context(registry) {
  openAdapters();
  import = chooseImport();
}

void Compilation::openAdapters() {
  // The files refer to the adapters, so that these must not move afterwards.
  adapters.reserve(options.adapters.size());
  for (const AdapterArgument &argument : options.adapters) {
    adapters.push_back(PeftAdapter::open(argument.path, checkpoint));
    files.addAdapter(argument.name, adapters.back());
    if (options.quiet)
      continue;
    for (const std::string &warning : adapters.back().warnings())
      llvm::errs() << "lori-compile: warning: " << warning << '\n';
    for (const std::string &note : adapters.back().notes())
      llvm::errs() << "lori-compile: note: " << note << '\n';
  }
}

ImportOptions Compilation::chooseImport() const {
  ImportOptions import;
  import.context =
      options.context != 0 ? options.context : checkpoint.config().context;
  bool allF32 = true;
  for (const StoredTensor &tensor : checkpoint.tensors())
    allF32 &= tensor.type == StorageType::F32;
  if (options.kvType == "f32" || (options.kvType == "auto" && allF32))
    import.cacheType = StorageType::F32;
  else if (options.kvType == "bf16")
    import.cacheType = StorageType::BF16;
  else if (options.kvType == "q8_0")
    import.cacheType = StorageType::Q8_0;
  else
    import.cacheType = StorageType::F16;
  int64_t headDim = checkpoint.config().headDim;
  if (import.cacheType == StorageType::Q8_0 && headDim % 32 != 0)
    throw Error(options.model,
                "--kv-type=q8_0 stores blocks of 32 entries, but the model's "
                "head_dim is " +
                    std::to_string(headDim) + ", take f16 or bf16");
  return import;
}

std::string Compilation::chooseFuseType() const {
  if (options.fuseType != "auto")
    return options.fuseType;
  for (const StoredTensor &tensor : checkpoint.tensors())
    if (tensor.shape.size() == 2 && tensor.type != StorageType::F32)
      return "f16";
  return "f32";
}

void Compilation::runPasses(
    mlir::ModuleOp module,
    llvm::function_ref<void(mlir::OpPassManager &)> build) {
  // Diagnostics of passes become the one line that errors are.
  std::string message;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error &&
            message.empty())
          message = diagnostic.str();
        return mlir::success();
      });
  mlir::PassManager pm(&context);
  build(pm);
  if (mlir::failed(pm.run(module)))
    throw Error(options.model, "cannot be compiled: " + message);
}

void Compilation::lowerModel() {
  module = importModel(context, checkpoint, import);
  for (size_t i = 0; i < adapters.size(); ++i)
    importAdapter(*module, options.adapters[i].name, options.adapters[i].scale,
                  adapters[i], checkpoint.config());
  runPasses(*module, [&](mlir::OpPassManager &pm) {
    mlir::lori::ModelPipelineOptions model;
    model.live = options.mode == AdapterMode::Live;
    model.weightsType = options.weightsType;
    model.fuseType = chooseFuseType();
    mlir::lori::buildModelPipeline(pm, model);
  });
}

mlir::OwningOpRef<mlir::ModuleOp>
Compilation::takeFunctions(bool initializers) {
  auto part = mlir::ModuleOp::create(module->getLoc());
  mlir::OwningOpRef<mlir::ModuleOp> owned(part);
  for (auto function : module->getOps<mlir::func::FuncOp>())
    if (function.getName().starts_with("init.") == initializers)
      part.push_back(function.clone());
  return owned;
}

void Compilation::generate(mlir::ModuleOp module, bool isStep) {
  mlir::lori::CpuCodegenOptions codegen;
  codegen.vectorBits = target.vectorBits();
  codegen.registers = target.hasAvx512() ? 32 : 16;
  runPasses(module, [&](mlir::OpPassManager &pm) {
    mlir::lori::buildBufferizationPipeline(pm);
    if (!isStep || options.pipeline == PipelineKind::Reference)
      mlir::lori::buildReferenceCodegenPipeline(pm);
    else
      mlir::lori::buildOptimizedCodegenPipeline(pm, codegen);
  });
}

void Compilation::writeText(
    llvm::function_ref<void(llvm::raw_ostream &)> print) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  print(stream);
  NewFile file(options.output);
  file.write(text);
  file.commit();
}

void Compilation::writeProgram(const std::string &image, ImageKind kind) {
  ParameterSection section(*module);
  auto initializers = takeFunctions(/*initializers=*/true);
  generate(*initializers, /*isStep=*/false);
  Jit jit = Jit::create(*initializers, CpuTarget::native());
  TextSources text = readTextSources(checkpoint);
  ModelInfo info = describeModel(*module, checkpoint, options, import, adapters,
                                 text, target);

  NewFile file(options.output, kind != ImageKind::SharedLibrary);
  file.write(image);
  ArtefactWriter writer(file);
  size_t start = writer.reserveParameters(section.bytes());
  Progress progress("packing", section.bytes(), !options.quiet);
  unsigned threads = options.threads != 0
                         ? options.threads
                         : static_cast<unsigned>(lori_available_cpus());
  section.write(files, jit, file.descriptor(), start, threads,
                [&](uint64_t bytes) { progress.update(bytes); });
  info.sizes.emplace_back("weights", static_cast<int64_t>(section.bytes()));
  info.sizes.emplace_back("code", static_cast<int64_t>(image.size()));
  std::span<const std::byte> tokenizer;
  if (text.tokenizer)
    tokenizer = text.tokenizer->serialize();
  writer.finish(toJson(info), tokenizer);
  file.commit();
}

void Compilation::run() {
  lowerModel();
  if (options.emit == EmitKind::Mlir)
    return writeText([&](llvm::raw_ostream &out) { module->print(out); });

  bool isReference = options.pipeline == PipelineKind::Reference;
  runPasses(*module, [&](mlir::OpPassManager &pm) {
    // Panels are two native vectors wide: the register tiles of the kernels.
    int64_t panelRows = isReference ? 0 : 2 * target.vectorBits() / 32;
    mlir::lori::buildLoweringPipeline(pm, panelRows);
  });
  auto step = takeFunctions(/*initializers=*/false);
  generate(*step, /*isStep=*/true);
  ObjectEmitter code(*step, target);
  if (options.emit == EmitKind::Llvm)
    return writeText([&](llvm::raw_ostream &out) { out << code.text(); });
  std::string object = code.object();
  if (options.emit == EmitKind::Object)
    return writeText([&](llvm::raw_ostream &out) { out << object; });
  ImageKind kind = options.emit == EmitKind::Shared ? ImageKind::SharedLibrary
                                                    : Linker::programKind();
  writeProgram(Linker().link(object, kind), kind);
}

void lori::compileModel(const CompileOptions &options) {
  Compilation(options).run();
}
