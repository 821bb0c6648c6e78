// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_CHECKPOINTINPUT_H
#define LORI_TOOLS_DRIVER_CHECKPOINTINPUT_H

#include "tools/driver/ModelInput.h"

namespace lori {

/// A checkpoint, with the adapters of the command line.
class CheckpointInput final : public ModelInput {
public:
  CheckpointInput(const CompileOptions &options, mlir::MLIRContext &context);

  mlir::OwningOpRef<mlir::ModuleOp> buildGraph() override;
  bool hasNarrowWeights() const override;
  std::vector<FileEntry> fileEntries() const override;
  int64_t context() const override { return import.context; }
  TextSources readText() const override;
  ModelInfo describe(mlir::ModuleOp graph, const TextSources &text,
                     const CpuTarget &target) const override;

private:
  void openAdapters();
  ImportOptions chooseImport() const;

  const CompileOptions &options;
  mlir::MLIRContext &mlirContext;
  Checkpoint checkpoint;
  std::vector<Adapter> adapters;
  ImportOptions import;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_CHECKPOINTINPUT_H
