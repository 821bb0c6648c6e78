// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_COMPILER_H
#define LORI_TOOLS_DRIVER_COMPILER_H

#include <cstdint>
#include <string>
#include <vector>

namespace lori {

enum class AdapterMode { Live, Fuse };
enum class EmitKind { Executable, Shared, Object, Llvm, Mlir };
enum class PipelineKind { Optimized, Reference };

/// An adapter as it is given: `NAME=PATH[@SCALE]`.
struct AdapterArgument {
  std::string name, path;
  double scale = 1;
};

/// What `lori-compile` was asked to do; its command line in design order.
struct CompileOptions {
  std::string model, output;
  std::vector<AdapterArgument> adapters;
  AdapterMode mode = AdapterMode::Live;
  std::string weightsType = "auto", fuseType = "auto", kvType = "auto";
  double maxFuseError = 0; ///< bound of the relative error; 0: none
  bool safeMerge = false;
  int64_t context = 0; ///< 0: what the model was made for, within bounds
  std::string cpu = "native";
  EmitKind emit = EmitKind::Executable;
  PipelineKind pipeline = PipelineKind::Optimized;
  unsigned threads = 0; ///< 0: the CPUs that this process may use
  bool quiet = false;
  bool remarks = false;
};

/// Compiles a model with its adapters and writes the output, whole or not at
/// all. Warnings and progress go to stderr. Throws Error.
void compileModel(const CompileOptions &options);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_COMPILER_H
