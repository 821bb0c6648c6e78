// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/Compiler.h"
#include "dialect/lori/LoriDialect.h"
#include "passes/pipelines/Pipelines.h"
#include "passes/pipelines/Registration.h"
#include "runtime/engine/ArtefactWriter.h"
#include "runtime/support/Error.h"
#include "runtime/threads/Threads.h"
#include "tools/driver/FusionCheck.h"
#include "tools/driver/Linker.h"
#include "tools/driver/ModelInput.h"
#include "tools/driver/ModelMetadata.h"
#include "tools/driver/ObjectEmitter.h"
#include "tools/driver/ParameterSection.h"
#include "tools/driver/PassRunner.h"
#include "tools/driver/Progress.h"

#include "mlir/IR/Builders.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <filesystem>
#include <unistd.h>

using namespace lori;

namespace {

/// One run of the compiler.
class Compilation {
public:
  explicit Compilation(const CompileOptions &options);
  void run();

private:
  mlir::lori::ModelPipelineOptions choosePipeline() const;
  void keepLive(mlir::lori::ModelPipelineOptions &model) const;

  void lowerModel();
  void generateStep(mlir::ModuleOp step);
  void writeText(llvm::function_ref<void(llvm::raw_ostream &)> print);
  void writeModule();
  void writeProgram(const std::string &image, ImageKind kind);

  const CompileOptions &options;
  unsigned threads;
  CpuTarget target;
  mlir::DialectRegistry registry;
  mlir::MLIRContext context;
  PassRunner passes;
  std::unique_ptr<ModelInput> input;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  TextSources text;
  ModelInfo info;
};

} // namespace

static mlir::DialectRegistry makeRegistry() {
  mlir::DialectRegistry registry;
  mlir::lori::registerCompilerDialects(registry);
  return registry;
}

Compilation::Compilation(const CompileOptions &options)
    : options(options),
      threads(options.threads != 0
                  ? options.threads
                  : static_cast<unsigned>(lori_available_cpus())),
      target(CpuTarget::parse(options.cpu)), registry(makeRegistry()),
      context(registry), passes(context, options.model, options.remarks),
      input(ModelInput::open(options, context)) {}

mlir::lori::ModelPipelineOptions Compilation::choosePipeline() const {
  mlir::lori::ModelPipelineOptions model;
  model.live = options.mode == AdapterMode::Live;
  model.weightsType = options.weightsType;
  model.fuseType = options.fuseType;
  model.roundedUpdate = options.safeMerge;
  if (options.safeMerge)
    model.fuseType = "base";
  else if (options.fuseType == "auto")
    model.fuseType = input->hasNarrowWeights() ? "f16" : "f32";
  return model;
}

/// Measures what fusing rounds away, and keeps live what loses too much.
void Compilation::keepLive(mlir::lori::ModelPipelineOptions &model) const {
  for (const FusionError &error :
       measureFusion(*module, model, input->files(), passes, threads)) {
    bool isBounded = options.maxFuseError != 0;
    if (!std::isfinite(error.error) && !isBounded)
      throw Error(options.model,
                  "fusing makes entries of " + error.weight +
                      " infinite or NaN, use a wider --fuse-type or "
                      "--mode=live");
    if (!isBounded || error.error <= static_cast<float>(options.maxFuseError))
      continue;
    model.liveWeights.push_back(error.weight);
    if (!options.quiet)
      llvm::errs() << "lori-compile: note: " << error.weight
                   << " stays live: fused it would have a relative error of "
                   << llvm::format("%.3g", static_cast<double>(error.error))
                   << '\n';
  }
}

void Compilation::lowerModel() {
  module = input->buildGraph();
  if (input->isResolved())
    return;
  mlir::lori::ModelPipelineOptions model = choosePipeline();
  if (options.maxFuseError != 0 || options.safeMerge)
    keepLive(model);
  passes.run(*module, [&](mlir::OpPassManager &pm) {
    mlir::lori::buildModelPipeline(pm, model);
  });
}

void Compilation::generateStep(mlir::ModuleOp step) {
  mlir::lori::CpuCodegenOptions codegen;
  codegen.vectorBits = target.vectorBits();
  codegen.registers = target.hasAvx512() ? 32 : 16;
  codegen.l1Bytes = target.l1Bytes();
  codegen.l2Bytes = target.l2Bytes();
  codegen.explain = options.remarks;
  passes.run(step, [&](mlir::OpPassManager &pm) {
    mlir::lori::buildBufferizationPipeline(pm);
    if (options.pipeline == PipelineKind::Reference)
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

void Compilation::writeModule() {
  mlir::Builder builder(&context);
  module->getOperation()->setAttr(
      mlir::lori::LoriDialect::getResolvedAttrName(), builder.getUnitAttr());
  module->getOperation()->setAttr(mlir::lori::LoriDialect::getContextAttrName(),
                                  builder.getI64IntegerAttr(input->context()));
  writeFileEntries(*module, options.output, input->fileEntries());
  writeText([&](llvm::raw_ostream &out) {
    out << formatModule(*module, options.output);
  });
}

void Compilation::writeProgram(const std::string &image, ImageKind kind) {
  ParameterSection section(*module);
  Jit jit = compileInitializers(*module, passes);
  // Only lowering settles how the bank is laid out.
  info.bank = describeBank(*module);

  NewFile file(options.output, kind != ImageKind::SharedLibrary);
  file.write(image);
  ArtefactWriter writer(file);
  size_t start = writer.reserveParameters(section.bytes());
  Progress progress("packing", section.bytes(), !options.quiet);
  section.write(input->files(), jit, file.descriptor(), start, threads,
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
    return writeModule();
  bool isProgram =
      options.emit == EmitKind::Executable || options.emit == EmitKind::Shared;
  if (isProgram) {
    text = input->readText();
    info = input->describe(*module, text, target);
  }

  bool isReference = options.pipeline == PipelineKind::Reference;
  passes.run(*module, [&](mlir::OpPassManager &pm) {
    // Panels are two native vectors wide: the register tiles of the kernels.
    int64_t panelRows = isReference ? 0 : 2 * target.vectorBits() / 32;
    mlir::lori::buildLoweringPipeline(pm, panelRows);
  });
  auto step = cloneFunctions(*module, /*initializers=*/false);
  generateStep(*step);
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

/// Refuses what no program can be made of, before any work.
static void checkOptions(const CompileOptions &options) {
  bool isFused = options.mode == AdapterMode::Fuse;
  if (options.safeMerge && !isFused)
    throw Error("--safe-merge", "says how adapters are fused, but they are "
                                "live, add --mode=fuse");
  if (options.maxFuseError != 0 && !isFused)
    throw Error("--max-fuse-error", "bounds the error of fused weights, but "
                                    "adapters are live, add --mode=fuse");
  if (options.safeMerge &&
      ((options.fuseType != "auto" && options.fuseType != "base") ||
       options.weightsType != "auto"))
    throw Error("--safe-merge",
                "rounds to the base's own type, which another --fuse-type or "
                "--weights-type would round again, leave these out");
}

/// Refuses an output that could not be written in the end.
static void checkOutput(const CompileOptions &options) {
  namespace fs = std::filesystem;
  std::error_code error;
  fs::path output = options.output;
  if (fs::is_directory(output, error))
    throw Error(options.output, "is a folder, expected the name of a file to "
                                "write, give one with -o");
  fs::path folder = output.has_parent_path() ? output.parent_path() : ".";
  if (!fs::is_directory(folder, error))
    throw Error(options.output, "cannot be written: there is no folder " +
                                    folder.string() + ", create it first");
  if (::access(folder.c_str(), W_OK) != 0)
    throw Error(options.output, "cannot be written: the folder " +
                                    folder.string() +
                                    " is not writable, choose another with -o");
  if (fs::equivalent(output, options.model, error))
    throw Error(options.output, "is the model itself, give another name for "
                                "the output with -o");
}

void lori::compileModel(const CompileOptions &options) {
  checkOptions(options);
  checkOutput(options);
  Compilation(options).run();
}
