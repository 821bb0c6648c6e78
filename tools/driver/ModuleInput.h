// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_MODULEINPUT_H
#define LORI_TOOLS_DRIVER_MODULEINPUT_H

#include "runtime/formats/Safetensors.h"
#include "tools/driver/ModelInput.h"
#include "tools/driver/StepSignature.h"

#include <deque>

namespace lori {

/// A module in MLIR: what --emit=mlir wrote, or a model written by hand. Its
/// `lori.files` say where its parameters lie: a checkpoint at most, adapters of
/// it, and safetensors files.
class ModuleInput final : public ModelInput {
public:
  ModuleInput(const CompileOptions &options, mlir::MLIRContext &context);

  mlir::OwningOpRef<mlir::ModuleOp> buildGraph() override;
  bool isResolved() const override { return resolved; }
  bool hasNarrowWeights() const override;
  std::vector<FileEntry> fileEntries() const override;
  int64_t context() const override { return contextLength; }
  TextSources readText() const override;
  ModelInfo describe(mlir::ModuleOp graph, const TextSources &text,
                     const CpuTarget &target) const override;

private:
  void refuseOptions() const;
  void openFiles();
  void openCheckpoint(FileEntry &entry);
  void openAdapter(FileEntry &entry);
  void openTensors(FileEntry &entry);
  void compareFingerprint(FileEntry &entry, const std::string &found);
  void readContext();
  void describeAdapters(mlir::ModuleOp graph, ModelInfo &info) const;

  const CompileOptions &options;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  bool resolved;
  StepSignature signature;
  int64_t contextLength = 0;
  std::vector<FileEntry> entries;
  std::optional<Checkpoint> checkpoint;
  std::deque<Adapter> adapters;
  std::vector<std::string> adapterNames;
  std::deque<SafetensorsFile> tensorFiles;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_MODULEINPUT_H
