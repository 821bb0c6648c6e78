// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A linalg.generic as a function of its own.

#ifndef LORI_PASSES_CODEGEN_CPU_OUTLINING_H
#define LORI_PASSES_CODEGEN_CPU_OUTLINING_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::lori {

struct OutlinedClone {
  func::FuncOp function; ///< detached, private, without a name
  linalg::GenericOp op;  ///< the clone in it
};

/// Returns the values to call the outlined function of `op` with: its operands,
/// then the values that its body takes from outside, but for constants.
SmallVector<Value> outlinedArguments(linalg::GenericOp op);

/// Returns a function of arguments of types `leading`, then of
/// `outlinedArguments(op)`, that holds a clone of `op` and of the constants it
/// uses; before it one of `before`, which fills its output. An operand that
/// occurs twice is two arguments, so that the types alone decide which
/// functions are equal.
OutlinedClone outlineClone(linalg::GenericOp op, TypeRange leading,
                           linalg::FillOp before = {});

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_OUTLINING_H
