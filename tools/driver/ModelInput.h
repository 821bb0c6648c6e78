// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_MODELINPUT_H
#define LORI_TOOLS_DRIVER_MODELINPUT_H

#include "runtime/engine/ModelInfo.h"
#include "runtime/text/TokenizerSources.h"
#include "tools/driver/Compiler.h"
#include "tools/driver/CpuTarget.h"
#include "tools/driver/ModuleFile.h"
#include "tools/driver/ParameterFiles.h"
#include "tools/import/Import.h"

#include <memory>

namespace lori {

/// What a compilation starts from: a graph, and the files that its parameters
/// lie in.
class ModelInput {
public:
  virtual ~ModelInput() = default;

  /// Opens the model and the adapters of `options`, which must outlive this,
  /// and tells of them on stderr. Throws Error.
  static std::unique_ptr<ModelInput> open(const CompileOptions &options,
                                          mlir::MLIRContext &context);

  /// Returns the graph; adapters are declared unless it is resolved.
  virtual mlir::OwningOpRef<mlir::ModuleOp> buildGraph() = 0;
  /// Whether adapters are attached and the storage of weights is chosen.
  virtual bool isResolved() const { return false; }
  /// Whether some weight that an adapter could change is not f32.
  virtual bool hasNarrowWeights() const = 0;

  const ParameterFiles &files() const { return *parameterFiles; }
  /// The entries of `lori.files`, with fingerprints.
  virtual std::vector<FileEntry> fileEntries() const = 0;
  /// Positions that a sequence can have.
  virtual int64_t context() const = 0;

  virtual TextSources readText() const = 0;
  /// Describes the program that `graph`, with its adapters resolved, becomes.
  virtual ModelInfo describe(mlir::ModuleOp graph, const TextSources &text,
                             const CpuTarget &target) const = 0;

protected:
  std::unique_ptr<ParameterFiles> parameterFiles;
};

/// Returns a fingerprint of the whole file at `path` (XXH3, 128 bits, in
/// hexadecimal digits). Throws Error.
std::string fingerprintFile(const MappedFile &file);

/// Prints what a user should know of `adapter`, unless `quiet`.
void printNotes(const Adapter &adapter, bool quiet);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_MODELINPUT_H
