// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/CpuCodegen.h"
#include "passes/codegen/cpu/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Pass/PassOptions.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"

namespace mlir::lori {

static void addOutlining(OpPassManager &pm, StringRef prefix) {
  OutlineKernelsPassOptions outline;
  outline.prefix = prefix.str();
  pm.addPass(createOutlineKernelsPass(outline));
}

void buildCpuKernelPipeline(OpPassManager &pm,
                            const CpuCodegenOptions &options) {
  addOutlining(pm, "kernel"); // one for each shape …
  TileContractionsPassOptions tile;
  tile.vectorBits = options.vectorBits;
  tile.registers = options.registers;
  tile.l1Bytes = options.l1Bytes;
  tile.l2Bytes = options.l2Bytes;
  tile.expandRows = options.expandRows;
  tile.blockDepth = options.blockDepth;
  tile.blockPanels = options.blockPanels;
  tile.parallel = options.parallel;
  tile.explain = options.explain;
  pm.addPass(createTileContractionsPass(tile));
  addOutlining(pm, "tile"); // … on few that all shapes share
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());

  VectorizeContractionsPassOptions contractions;
  contractions.vectorBits = options.vectorBits;
  contractions.registers = options.registers;
  contractions.explain = options.explain;
  contractions.prefetchBytes = options.prefetchBytes;
  pm.addNestedPass<func::FuncOp>(createVectorizeContractionsPass(contractions));
  pm.addNestedPass<func::FuncOp>(createLinalgGeneralizeNamedOpsPass());
  VectorizeElementwisePassOptions elementwise;
  elementwise.vectorBits = options.vectorBits;
  elementwise.parallel = options.parallel;
  elementwise.explain = options.explain;
  pm.addPass(createVectorizeElementwisePass(elementwise));
  OpPassManager &functions = pm.nest<func::FuncOp>();
  functions.addPass(createConvertLinalgToLoopsPass());
  functions.addPass(createCanonicalizerPass());
  functions.addPass(createCSEPass());
  functions.addPass(createLoopInvariantCodeMotionPass());
}

void buildCpuLoweringPipeline(OpPassManager &pm,
                              const CpuCodegenOptions &options) {
  pm.addPass(createApproximateMathPass());
  pm.addPass(createConvertVectorToSCFPass());
  // Without bf16 here LLVM would widen it lane by lane.
  arith::ArithExpandOpsPassOptions expand;
  expand.includeBf16 = true;
  pm.addPass(arith::createArithExpandOpsPass(expand));
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  if (options.parallel) {
    pm.addPass(createConvertSCFToOpenMPPass());
    // Its memref.alloca_scope must be gone before scf becomes branches.
    pm.addPass(createCanonicalizerPass());
  }
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}

void buildCpuCodegenPipeline(OpPassManager &pm,
                             const CpuCodegenOptions &options) {
  buildCpuKernelPipeline(pm, options);
  buildCpuLoweringPipeline(pm, options);
}

namespace {

/// The options on a command line.
struct PipelineOptions : PassPipelineOptions<PipelineOptions> {
  Option<int64_t> vectorBits{*this, "vector-bits",
                             llvm::cl::desc("Bits of a native vector"),
                             llvm::cl::init(256)};
  Option<int64_t> registers{*this, "registers",
                            llvm::cl::desc("Number of vector registers"),
                            llvm::cl::init(16)};
  Option<int64_t> l1Bytes{*this, "l1-bytes",
                          llvm::cl::desc("Bytes of the L1 data cache"),
                          llvm::cl::init(32 << 10)};
  Option<int64_t> l2Bytes{*this, "l2-bytes",
                          llvm::cl::desc("Bytes of the L2 cache of a core"),
                          llvm::cl::init(1 << 20)};
  Option<int64_t> expandRows{
      *this, "expand-rows",
      llvm::cl::desc("Rows from which on weights are decoded into a buffer; 0: "
                     "more than fit in registers"),
      llvm::cl::init(0)};
  Option<int64_t> blockDepth{
      *this, "block-depth",
      llvm::cl::desc("Steps of the reduction in such a buffer; 0: derived"),
      llvm::cl::init(0)};
  Option<int64_t> blockPanels{
      *this, "block-panels",
      llvm::cl::desc("Panels in such a buffer; 0: derived"), llvm::cl::init(0)};
  Option<int64_t> prefetchBytes{
      *this, "prefetch-bytes",
      llvm::cl::desc("How far ahead to prefetch weights"),
      llvm::cl::init(2048)};
  Option<bool> parallel{*this, "parallel", llvm::cl::desc("Use OpenMP threads"),
                        llvm::cl::init(true)};
  Option<bool> explain{*this, "explain",
                       llvm::cl::desc("Say what gets no vector code, and why"),
                       llvm::cl::init(false)};

  CpuCodegenOptions get() const {
    return {vectorBits, registers,   l1Bytes,       l2Bytes,  expandRows,
            blockDepth, blockPanels, prefetchBytes, parallel, explain};
  }
};

} // namespace

void registerCpuCodegenPipelines() {
  PassPipelineRegistration<PipelineOptions>(
      "lori-cpu-kernels", "Panel contractions and linalg to vector code",
      [](OpPassManager &pm, const PipelineOptions &options) {
        buildCpuKernelPipeline(pm, options.get());
      });
  PassPipelineRegistration<PipelineOptions>(
      "lori-cpu-lowering", "Vector code to the LLVM and OpenMP dialects",
      [](OpPassManager &pm, const PipelineOptions &options) {
        buildCpuLoweringPipeline(pm, options.get());
      });
  PassPipelineRegistration<PipelineOptions>(
      "lori-cpu-codegen", "Bufferized IR to the LLVM and OpenMP dialects",
      [](OpPassManager &pm, const PipelineOptions &options) {
        buildCpuCodegenPipeline(pm, options.get());
      });
}

} // namespace mlir::lori
