// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_PIPELINES_REGISTRATION_H
#define LORI_PASSES_PIPELINES_REGISTRATION_H

#include "mlir/IR/DialectRegistry.h"

namespace mlir::lori {

/// Registers the dialects, extensions, passes and pipelines of this project and
/// of MLIR: what `lori-opt` and the language server know.
void registerEverything(DialectRegistry &registry);

/// Registers the dialects and external models that compiling a model needs.
void registerCompilerDialects(DialectRegistry &registry);

} // namespace mlir::lori

#endif // LORI_PASSES_PIPELINES_REGISTRATION_H
