// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ModuleInput.h"
#include "runtime/engine/StepAbi.h"
#include "runtime/formats/AdapterPath.h"
#include "runtime/formats/Paths.h"
#include "runtime/support/Error.h"
#include "tools/driver/ModelMetadata.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace lori;
namespace fs = std::filesystem;
using mlir::RankedTensorType;
using mlir::lori::LoriDialect;
using mlir::lori::ParamOp;

ModuleInput::ModuleInput(const CompileOptions &options,
                         mlir::MLIRContext &context)
    : options(options), module(readModuleFile(options.model, context)),
      resolved(
          module->getOperation()->hasAttr(LoriDialect::getResolvedAttrName())),
      signature(readStepSignature(*module, options.model)) {
  refuseOptions();
  readContext();
  parameterFiles = std::make_unique<ParameterFiles>();
  openFiles();
  parameterFiles->check(*module, options.model);
}

/// What a module says itself cannot be asked for anew.
void ModuleInput::refuseOptions() const {
  auto refuse = [&](bool isGiven, const char *option) {
    if (isGiven)
      throw Error(option, "does not go with the module " + options.model +
                              ", which settles it, leave the option out or "
                              "compile the checkpoint");
  };
  refuse(!options.adapters.empty(), "--adapter");
  refuse(options.kvType != "auto", "--kv-type");
  refuse(options.context != 0, "--context");
  if (!resolved)
    return;
  refuse(options.mode == AdapterMode::Fuse, "--mode=fuse");
  refuse(options.weightsType != "auto", "--weights-type");
  refuse(options.fuseType != "auto", "--fuse-type");
}

void ModuleInput::readContext() {
  int64_t most = signature.pagesPerSequence * LORI_PAGE_TOKENS;
  contextLength = most;
  if (auto context = module->getOperation()->getAttrOfType<mlir::IntegerAttr>(
          LoriDialect::getContextAttrName()))
    contextLength = context.getInt();
  if (contextLength > most)
    throw Error(options.model,
                "lori.context is " + std::to_string(contextLength) +
                    ", expected at most " + std::to_string(most) +
                    ", for which func @step has pages");
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static bool isAdapter(const std::string &path) {
  if (!isDirectory(path) || pathExists(fs::path(path) / "config.json"))
    return false;
  std::string note;
  return pathExists(fs::path(findAdapterFolder(path, note)) /
                    "adapter_config.json");
}

void ModuleInput::openFiles() {
  entries = readFileEntries(*module, options.model);
  // Adapters are checked against the checkpoint, wherever it stands.
  std::vector<FileEntry *> later;
  for (FileEntry &entry : entries) {
    if (!pathExists(entry.path))
      throw Error(options.model,
                  "takes '" + entry.name + "' from " + entry.path +
                      ", which does not exist, bring the file back or give its "
                      "path in lori.files");
    if (isAdapter(entry.path))
      later.push_back(&entry);
    else if (entry.path.ends_with(".safetensors"))
      openTensors(entry);
    else
      openCheckpoint(entry);
  }
  for (FileEntry *entry : later)
    openAdapter(*entry);
}

void ModuleInput::compareFingerprint(FileEntry &entry,
                                     const std::string &found) {
  if (!entry.fingerprint.empty() && entry.fingerprint != found)
    throw Error(options.model,
                "was made for other contents of " + entry.path +
                    " (fingerprint " + entry.fingerprint + ", found " + found +
                    "), give the file it was made for, or emit it anew");
  entry.fingerprint = found;
}

void ModuleInput::openCheckpoint(FileEntry &entry) {
  if (checkpoint)
    throw Error(options.model, "names the checkpoints " + checkpoint->path() +
                                   " and " + entry.path +
                                   " in lori.files, expected one at most");
  checkpoint.emplace(Checkpoint::open(entry.path));
  parameterFiles->addCheckpoint(entry.name, *checkpoint);
  compareFingerprint(entry, checkpoint->fingerprint());
}

void ModuleInput::openAdapter(FileEntry &entry) {
  if (!checkpoint)
    throw Error(options.model,
                "names the adapter " + entry.path +
                    " in lori.files, but not the checkpoint it belongs to, add "
                    "that, or give the path of its adapter_model.safetensors");
  adapters.push_back(Adapter::open(entry.path, *checkpoint));
  adapterNames.push_back(entry.name);
  parameterFiles->addAdapter(entry.name, adapters.back());
  printNotes(adapters.back(), options.quiet);
  compareFingerprint(entry, fingerprintFile(adapters.back().file().file()));
}

void ModuleInput::openTensors(FileEntry &entry) {
  tensorFiles.emplace_back(entry.path);
  parameterFiles->addTensors(entry.name, tensorFiles.back());
  compareFingerprint(entry, fingerprintFile(tensorFiles.back().file()));
}

//===----------------------------------------------------------------------===//
// What the module is
//===----------------------------------------------------------------------===//

mlir::OwningOpRef<mlir::ModuleOp> ModuleInput::buildGraph() {
  return mlir::OwningOpRef<mlir::ModuleOp>(module->clone());
}

/// Returns the type of one layer of `param`.
static RankedTensorType layerType(ParamOp param) {
  auto type = mlir::cast<RankedTensorType>(param.getType());
  return param.isStacked() ? mlir::lori::getLayerType(type) : type;
}

bool ModuleInput::hasNarrowWeights() const {
  for (auto param : mlir::ModuleOp(module.get()).getOps<ParamOp>())
    if (layerType(param).getRank() == 2 &&
        !layerType(param).getElementType().isF32() &&
        !llvm::is_contained(adapterNames, param.getSource().getFile()))
      return true;
  return false;
}

std::vector<FileEntry> ModuleInput::fileEntries() const { return entries; }

TextSources ModuleInput::readText() const {
  return checkpoint ? readTextSources(*checkpoint) : TextSources();
}

void ModuleInput::describeAdapters(mlir::ModuleOp graph,
                                   ModelInfo &info) const {
  std::vector<std::string> live;
  for (auto declared : graph.getOps<mlir::lori::AdapterOp>()) {
    live.push_back(declared.getSymName().str());
    AdapterArgument argument{live.back(), "",
                             declared.getWeight().convertToDouble()};
    auto known = llvm::find(adapterNames, argument.name);
    info.adapters.push_back(
        known == adapterNames.end()
            ? describeAdapter(argument, declared)
            : describeAdapter(
                  argument,
                  adapters[static_cast<size_t>(known - adapterNames.begin())]));
  }
  for (const std::string &name : adapterNames)
    if (!llvm::is_contained(live, name))
      info.fused.push_back(name);
}

ModelInfo ModuleInput::describe(mlir::ModuleOp graph, const TextSources &text,
                                const CpuTarget &target) const {
  ModelInfo info = describeGraph(graph, signature, target);
  info.name = fs::path(options.model).stem().string();
  info.context = contextLength;
  describeAdapters(graph, info);
  if (checkpoint)
    describeCheckpoint(*checkpoint, text, info);
  return info;
}
