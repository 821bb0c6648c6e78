// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CODEGEN_CPU_PASSES_H
#define LORI_PASSES_CODEGEN_CPU_PASSES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::lori {

#define GEN_PASS_DECL
#include "passes/codegen/cpu/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "passes/codegen/cpu/Passes.h.inc"

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_PASSES_H
