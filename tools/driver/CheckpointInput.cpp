// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/CheckpointInput.h"
#include "runtime/support/Error.h"
#include "tools/driver/ModelMetadata.h"

using namespace lori;

CheckpointInput::CheckpointInput(const CompileOptions &options,
                                 mlir::MLIRContext &context)
    : options(options), mlirContext(context),
      checkpoint(Checkpoint::open(options.model)) {
  parameterFiles = std::make_unique<ParameterFiles>();
  parameterFiles->addCheckpoint("base", checkpoint);
  openAdapters();
  import = chooseImport();
}

void CheckpointInput::openAdapters() {
  // The files refer to the adapters, so that these must not move afterwards.
  adapters.reserve(options.adapters.size());
  for (const AdapterArgument &argument : options.adapters) {
    adapters.push_back(Adapter::open(argument.path, checkpoint));
    parameterFiles->addAdapter(argument.name, adapters.back());
    printNotes(adapters.back(), options.quiet);
  }
}

ImportOptions CheckpointInput::chooseImport() const {
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

mlir::OwningOpRef<mlir::ModuleOp> CheckpointInput::buildGraph() {
  auto graph = importModel(mlirContext, checkpoint, import);
  for (size_t i = 0; i < adapters.size(); ++i)
    importAdapter(*graph, options.adapters[i].name, options.adapters[i].scale,
                  adapters[i], checkpoint.config());
  return graph;
}

bool CheckpointInput::hasNarrowWeights() const {
  for (const StoredTensor &tensor : checkpoint.tensors())
    if (tensor.shape.size() == 2 && tensor.type != StorageType::F32)
      return true;
  return false;
}

std::vector<FileEntry> CheckpointInput::fileEntries() const {
  std::vector<FileEntry> entries{
      {"base", checkpoint.path(), checkpoint.fingerprint()}};
  for (size_t i = 0; i < adapters.size(); ++i)
    entries.push_back({options.adapters[i].name, options.adapters[i].path,
                       fingerprintFile(adapters[i].file().file())});
  return entries;
}

TextSources CheckpointInput::readText() const {
  return readTextSources(checkpoint);
}

ModelInfo CheckpointInput::describe(mlir::ModuleOp graph,
                                    const TextSources &text,
                                    const CpuTarget &target) const {
  return describeModel(checkpoint, options, import, adapters, text, target);
}
