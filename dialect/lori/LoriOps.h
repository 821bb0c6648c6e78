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

/// Returns the type of `param`, a `lori.param` or `lori.derived_param`.
RankedTensorType getParamType(Operation *param);

/// Returns whether `param`, of either kind, is a stack over layers.
bool isStackedParam(Operation *param);

/// Returns the reads of the parameters that the initializer of `derived` is
/// made of, one for each parameter, in the order of its evaluator's arguments.
SmallVector<GetParamOp> getLeaves(DerivedParamOp derived);

/// Returns the layer that `leaf` reads where its initializer computes layer
/// `layer`: `layer` plus a constant, or a constant. Returns nothing if it reads
/// no layer or the index is made of anything else.
std::optional<int64_t> getLeafLayer(GetParamOp leaf, int64_t layer);

} // namespace mlir::lori

#endif // LORI_DIALECT_LORI_LORIOPS_H
