// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_PASSRUNNER_H
#define LORI_TOOLS_DRIVER_PASSRUNNER_H

#include "tools/driver/Jit.h"

#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

namespace lori {

class RemarkPrinter;

/// Runs passes over modules of one context. What they report becomes one Error;
/// their remarks are printed, one line each, if they are wanted.
class PassRunner {
public:
  /// `file` is what messages are about: the model as the user named it.
  PassRunner(mlir::MLIRContext &context, std::string file, bool remarks);

  /// Runs the passes that `build` adds. Throws Error.
  void run(mlir::ModuleOp module,
           llvm::function_ref<void(mlir::OpPassManager &)> build,
           bool isSilent = false) const;

private:
  mlir::MLIRContext &context;
  std::string file;
  /// Owned by the context.
  RemarkPrinter *remarks = nullptr;
};

/// Returns the functions of `module` that are initializers of derived
/// parameters, or the others, in a module of their own.
mlir::OwningOpRef<mlir::ModuleOp> cloneFunctions(mlir::ModuleOp module,
                                                 bool initializers);

/// Compiles the initializers of `module` into this process. Throws Error.
Jit compileInitializers(mlir::ModuleOp module, const PassRunner &passes);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_PASSRUNNER_H
