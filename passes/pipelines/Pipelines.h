// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The phases of a compilation, as functions that lori-opt and the driver share.
// docs/lowering.md says what holds between them.

#ifndef LORI_PASSES_PIPELINES_PIPELINES_H
#define LORI_PASSES_PIPELINES_PIPELINES_H

#include "passes/codegen/cpu/CpuCodegen.h"

#include "mlir/Pass/PassManager.h"

namespace mlir::lori {

/// Choices about adapters and storage; part of both pipelines.
struct ModelPipelineOptions {
  /// Adapters are weighed when the program runs, or fused into the weights.
  bool live = true;
  /// Storage of fused weights: f32, f16, bf16, or base for that of the weights.
  std::string fuseType = "f32";
  /// Storage of weights: auto, f32, f16, bf16, q8_0, q4_0, q4_1.
  std::string weightsType = "auto";
  /// Rounds each update before it is added, as PEFT's safe_merge does.
  bool roundedUpdate = false;
  /// Source names of weights whose adapters stay live.
  std::vector<std::string> liveWeights;
};

/// Phases 1 to 3 without layouts: adapters resolved, storage chosen.
void buildModelPipeline(OpPassManager &pm, const ModelPipelineOptions &options);

/// Instead of the above: fuses adapters, and leaves the rounding errors of the
/// fused weights as derived parameters with their initializers on memory.
void buildFusionMeasurePipeline(OpPassManager &pm,
                                const ModelPipelineOptions &options);

/// Phases 3 and 4: parameters placed, panels of `panelRows` rows (0: plain
/// matrices), step and initializers on memory, declarations kept.
void buildLoweringPipeline(OpPassManager &pm, int64_t panelRows);

/// Bufferizes the step function in place.
void buildBufferizationPipeline(OpPassManager &pm);

/// Phase 5 of the reference pipeline: one thread, plain loops.
void buildReferenceCodegenPipeline(OpPassManager &pm);

/// Phase 5 of the CPU pipeline: vector kernels, threads.
void buildOptimizedCodegenPipeline(OpPassManager &pm,
                                   const CpuCodegenOptions &options);

/// Registers the above as lori-model, lori-lowering, lori-bufferize,
/// lori-reference-codegen.
void registerPipelines();

} // namespace mlir::lori

#endif // LORI_PASSES_PIPELINES_PIPELINES_H
