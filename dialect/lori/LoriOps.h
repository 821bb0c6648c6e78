// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORIOPS_H
#define LORI_DIALECT_LORI_LORIOPS_H

#include "dialect/lori/LoriTypes.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dialect/lori/LoriOps.h.inc"

namespace mlir::lori {

/// Returns the reads of the parameters that the initializer of `derived` is
/// made of, one for each parameter, in the order of its evaluator's arguments.
SmallVector<GetParamOp> getLeaves(DerivedParamOp derived);

} // namespace mlir::lori

#endif // LORI_DIALECT_LORI_LORIOPS_H
