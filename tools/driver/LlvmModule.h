// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_LLVMMODULE_H
#define LORI_TOOLS_DRIVER_LLVMMODULE_H

#include "tools/driver/CpuTarget.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace lori {

/// Optimized LLVM IR for one target, with what it lives in.
struct LlvmModule {
  std::unique_ptr<llvm::LLVMContext> context;
  std::unique_ptr<llvm::TargetMachine> machine;
  std::unique_ptr<llvm::Module> module;
};

/// Translates a module in the LLVM and OpenMP dialects to LLVM IR and optimizes
/// it as `-O3` does. Throws Error with the diagnostics of a translation that
/// fails. Loops whose parallel region ends with them lose their own barrier in
/// `source` too: see skipRedundantBarriers.
LlvmModule compileToLlvm(mlir::ModuleOp source, const CpuTarget &target);

/// Marks each worksharing loop that a parallel region ends with as `nowait`:
/// the region's end waits anyway. That saves a meeting of all threads, and only
/// regions without an inner barrier go on while a thread has no core.
void skipRedundantBarriers(mlir::ModuleOp module);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_LLVMMODULE_H
