// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_FUSIONCHECK_H
#define LORI_TOOLS_DRIVER_FUSIONCHECK_H

#include "passes/pipelines/Pipelines.h"
#include "tools/driver/ParameterFiles.h"
#include "tools/driver/PassRunner.h"

namespace lori {

/// How far the fused form of one weight is from the exact sum: the relative
/// error in the Frobenius norm. Not finite if the fused form is not.
struct FusionError {
  std::string weight; ///< its source name, `model.layers.3.mlp.up_proj.weight`
  float error = 0;
};

/// Fuses the adapters of a copy of `module`, which only declares them, as
/// `options` say, and measures every weight by compiled code, `threads` at a
/// time. Throws Error.
std::vector<FusionError> measureFusion(
    mlir::ModuleOp module, const mlir::lori::ModelPipelineOptions &options,
    const ParameterFiles &files, const PassRunner &passes, unsigned threads);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_FUSIONCHECK_H
