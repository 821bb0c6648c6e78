// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/pipelines/Pipelines.h"
#include "passes/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/Pipelines/Passes.h"
#include "mlir/Dialect/Bufferization/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/SCF/Transforms/Passes.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::lori {

static void addConversion(OpPassManager &pm,
                          const ModelPipelineOptions &options) {
  ConvertWeightsPassOptions convert;
  convert.type = options.weightsType;
  pm.addPass(createConvertWeightsPass(convert));
}

static void addFusion(OpPassManager &pm, const ModelPipelineOptions &options) {
  // What the weights are stored as is what fused ones are then stored as.
  if (options.fuseType == "base")
    addConversion(pm, options);
  FuseAdaptersPassOptions fuse;
  fuse.type = options.fuseType;
  fuse.roundedUpdate = options.roundedUpdate;
  llvm::append_range(fuse.live, options.liveWeights);
  pm.addPass(createFuseAdaptersPass(fuse));
}

static void addAdapters(OpPassManager &pm,
                        const ModelPipelineOptions &options) {
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  AttachAdaptersPassOptions attach;
  attach.live = options.live;
  pm.addPass(createAttachAdaptersPass(attach));
  pm.addPass(createAttachBankPass());
  if (!options.live)
    addFusion(pm, options);
}

void buildModelPipeline(OpPassManager &pm,
                        const ModelPipelineOptions &options) {
  addAdapters(pm, options);
  pm.addPass(createFoldResidualPass());
  addConversion(pm, options);
  pm.addPass(createRotateHeadsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildFusionMeasurePipeline(OpPassManager &pm,
                                const ModelPipelineOptions &options) {
  addAdapters(pm, options);
  pm.addPass(createMeasureFusionPass());
  pm.addPass(createLowerInitializersPass());
  pm.addPass(createCanonicalizerPass());
}

void buildLoweringPipeline(OpPassManager &pm, int64_t panelRows) {
  if (panelRows != 0) {
    PackWeightsPassOptions pack;
    pack.rows = panelRows;
    pm.addPass(createPackWeightsPass(pack));
  }
  pm.addPass(createHoistParamsPass());
  pm.addPass(createConvertLoriToLinalgPass());
  pm.addPass(createConvertLmToLinalgPass());
  pm.addPass(createBindStepPass());
  pm.addPass(createEmitBankWritersPass());
  pm.addPass(createLowerInitializersPass());
  pm.addPass(createCanonicalizerPass());
}

void buildBufferizationPipeline(OpPassManager &pm) {
  // No CSE before bufferization: it would merge empty tensors, and bring
  // copies. Afterwards canonicalize twice around it: copies of a view onto
  // itself fold only once the views are one.
  pm.addPass(bufferization::createEmptyTensorEliminationPass());
  pm.addPass(bufferization::createEmptyTensorToAllocTensorPass());
  pm.addPass(bufferization::createOneShotBufferizePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createCanonicalizerPass());
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(bufferization::createBufferHoistingPass());
  functions.addPass(bufferization::createBufferLoopHoistingPass());
  bufferization::buildBufferDeallocationPipeline(
      pm, bufferization::BufferDeallocationPipelineOptions());
  pm.addPass(createConvertBufferizationToMemRefPass());
  pm.addPass(createCopyToLinalgPass());
}

void buildReferenceCodegenPipeline(OpPassManager &pm) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createForallToForLoopPass());
  functions.addPass(createConvertLinalgToLoopsPass());
  functions.addPass(createLoopInvariantCodeMotionPass());
  CpuCodegenOptions options;
  options.parallel = false;
  buildCpuLoweringPipeline(pm, options);
}

void buildOptimizedCodegenPipeline(OpPassManager &pm,
                                   const CpuCodegenOptions &options) {
  OpPassManager &functions = pm.nest<func::FuncOp>();
  if (options.parallel)
    functions.addPass(createForallToParallelLoopPass());
  else
    functions.addPass(createForallToForLoopPass());
  buildCpuCodegenPipeline(pm, options);
}

namespace {

struct ModelOptions : PassPipelineOptions<ModelOptions> {
  Option<bool> live{*this, "live",
                    llvm::cl::desc("Weigh adapters when the program runs"),
                    llvm::cl::init(true)};
  Option<std::string> fuseType{*this, "fuse-type",
                               llvm::cl::desc("Storage of fused weights"),
                               llvm::cl::init("f32")};
  Option<std::string> weightsType{*this, "weights-type",
                                  llvm::cl::desc("Storage of weights"),
                                  llvm::cl::init("auto")};
  Option<bool> roundedUpdate{
      *this, "rounded-update",
      llvm::cl::desc("Round each update before it is added"),
      llvm::cl::init(false)};
  ListOption<std::string> liveWeights{
      *this, "live-weights",
      llvm::cl::desc("Source names of weights whose adapters stay live")};

  ModelPipelineOptions get() const {
    ModelPipelineOptions options{
        live, fuseType, weightsType, roundedUpdate, {}};
    llvm::append_range(options.liveWeights, liveWeights);
    return options;
  }
};

struct LoweringOptions : PassPipelineOptions<LoweringOptions> {
  Option<int64_t> panelRows{
      *this, "panel-rows",
      llvm::cl::desc("Rows of a weight's panel, 0 for plain matrices"),
      llvm::cl::init(16)};
};

} // namespace

void registerPipelines() {
  PassPipelineRegistration<ModelOptions>(
      "lori-model", "Resolve adapters and choose the storage of weights",
      [](OpPassManager &pm, const ModelOptions &options) {
        buildModelPipeline(pm, options.get());
      });
  PassPipelineRegistration<ModelOptions>(
      "lori-fusion-errors",
      "Replace a model by functions for the rounding errors of fused weights",
      [](OpPassManager &pm, const ModelOptions &options) {
        buildFusionMeasurePipeline(pm, options.get());
      });
  PassPipelineRegistration<LoweringOptions>(
      "lori-lowering", "Place parameters and lower a model graph to linalg",
      [](OpPassManager &pm, const LoweringOptions &options) {
        buildLoweringPipeline(pm, options.panelRows);
      });
  PassPipelineRegistration<>("lori-bufferize",
                             "Bufferize the step function in place",
                             buildBufferizationPipeline);
  PassPipelineRegistration<>("lori-reference-codegen",
                             "Lower bufferized IR through plain loops",
                             buildReferenceCodegenPipeline);
}

} // namespace mlir::lori
