// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_STEPSIGNATURE_H
#define LORI_TOOLS_DRIVER_STEPSIGNATURE_H

#include "mlir/IR/BuiltinOps.h"

#include <string>

namespace lori {

/// The sizes of a model that the type of its function @step shows.
struct StepSignature {
  int64_t vocabulary = 0;
  int64_t layers = 0, kvHeads = 0, headDim = 0;
  int64_t sequences = 0, pagesPerSequence = 0;
  int64_t keyPageBytes = 0, valuePageBytes = 0;
  mlir::Type cacheType; ///< of one entry
};

/// Reads the signature of @step in `module`, which comes from `file`. Throws
/// Error if there is no such function as ModelBuilder writes it.
StepSignature readStepSignature(mlir::ModuleOp module, const std::string &file);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_STEPSIGNATURE_H
