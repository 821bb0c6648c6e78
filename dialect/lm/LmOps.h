// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LM_LMOPS_H
#define LORI_DIALECT_LM_LMOPS_H

#include "dialect/lm/LmDialect.h"
#include "dialect/lori/LoriTypes.h"
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#define GET_OP_CLASSES
#include "dialect/lm/LmOps.h.inc"

namespace mlir::lm {

/// Positions of a sequence that one page of the cache holds.
inline constexpr int64_t pageTokens = 16;

/// The dimensions of a cache, read from the type of its values
/// `[page, layer, kv head, 16, head_dim]`.
struct CacheShape {
  explicit CacheShape(Type values);
  int64_t pages, layers, kvHeads, headDim;
};

} // namespace mlir::lm

#endif // LORI_DIALECT_LM_LMOPS_H
