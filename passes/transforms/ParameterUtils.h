// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_TRANSFORMS_PARAMETERUTILS_H
#define LORI_PASSES_TRANSFORMS_PARAMETERUTILS_H

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"

namespace mlir::lori {

/// Returns the `lori.param` that `value` is a rearranged or converted form of,
/// or null if it is made of anything else.
ParamOp getOriginalParam(Value value, SymbolTable &symbols);

/// Returns the layer index that `value`'s parameter is read at, or null.
Value getLayerIndex(Value value);

/// Emits where `layer` of a run that starts at `weight`'s first layer lies in a
/// stack that covers all layers.
Value toStackIndex(OpBuilder &builder, Location loc, Value layer,
                   ParamOp weight);

/// Returns the ids of the batch's rows that `rows` was selected by, or null if
/// its rows are the batch's.
Value getSelectedRows(Value rows);

/// Returns the output of `linear` with the updates of the adapters that are
/// attached to it.
Value getUpdatedOutput(lm::LinearOp linear);

/// Returns whether `value` is an expression of parameters only, so that it can
/// be computed when the model is compiled.
bool isParameter(Value value);

/// Returns the names of the tensors that `weight`, made of `param`, reads:
/// those of all layers of a stack, in order, or of the one at a constant index.
SmallVector<std::string> getSourceNames(Value weight, ParamOp param);

/// Returns `type` as text without the shape's noise: `bf16`, `q8_0`.
std::string printType(Type type);

/// Returns the storage type that a user names: f32, f16, bf16, q8_0, q4_0,
/// q4_1; null for another text.
Type parseStorageType(MLIRContext *context, StringRef name);

} // namespace mlir::lori

#endif // LORI_PASSES_TRANSFORMS_PARAMETERUTILS_H
