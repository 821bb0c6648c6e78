// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The road from bufferized IR to the LLVM dialect for CPUs.

#ifndef LORI_PASSES_CODEGEN_CPU_CPUCODEGEN_H
#define LORI_PASSES_CODEGEN_CPU_CPUCODEGEN_H

#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/PassManager.h"

namespace mlir::lori {

/// What the passes must know of the processor. The defaults are those of
/// x86-64-v3.
struct CpuCodegenOptions {
  int64_t vectorBits = 256;     ///< bits of a native vector
  int64_t registers = 16;       ///< vector registers
  int64_t l1Bytes = 32 << 10;   ///< first-level data cache of a core
  int64_t l2Bytes = 1 << 20;    ///< second-level cache of a core
  int64_t expandRows = 0;       ///< rows from which on weights are decoded into
                                ///< a buffer; 0: more than fit in registers
  int64_t blockDepth = 0;       ///< steps of the reduction in such a buffer
  int64_t blockPanels = 0;      ///< panels in it; 0: as the rest says
  int64_t prefetchBytes = 2048; ///< how far ahead to prefetch weights
  bool parallel = true;         ///< OpenMP threads, or one thread
  bool explain = false;         ///< remarks on what gets no vector code
};

/// Adds the passes that turn panel contractions into kernels and the other
/// linalg operations into vector code. After them the module holds memref,
/// scf, vector, arith, math and func, and linalg only where nothing fitted.
void buildCpuKernelPipeline(OpPassManager &pm,
                            const CpuCodegenOptions &options);

/// Adds the passes from there to the LLVM and OpenMP dialects.
void buildCpuLoweringPipeline(OpPassManager &pm,
                              const CpuCodegenOptions &options);

/// Both: from bufferized IR (memref, linalg, scf, vector, arith, math, func)
/// to the LLVM and OpenMP dialects. `pm` is anchored on a module. The dialects'
/// conversion interfaces must be registered (registerAllExtensions).
void buildCpuCodegenPipeline(OpPassManager &pm,
                             const CpuCodegenOptions &options);

/// Adds polynomials for exp, tanh, log and erf.
void populateApproximateMathPatterns(RewritePatternSet &patterns);

/// Registers the pipeline as `lori-cpu-codegen`, its parts as
/// `lori-cpu-kernels` and `lori-cpu-lowering`, with the options above in
/// kebab-case.
void registerCpuCodegenPipelines();

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_CPUCODEGEN_H
