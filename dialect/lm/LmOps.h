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
  /// Entries and bytes of a q8_0 block.
  static constexpr int64_t blockEntries = 32, blockBytes = 34;

  CacheShape(int64_t pages, int64_t layers, int64_t kvHeads, int64_t headDim)
      : pages(pages), layers(layers), kvHeads(kvHeads), headDim(headDim) {}
  /// The shape of a cache whose values have the type `values`.
  explicit CacheShape(Type values);

  /// The types of keys and values whose entries are stored as `storage`: a
  /// float type or `!lori.quant<q8_0>`.
  RankedTensorType getKeyType(Type storage) const;
  RankedTensorType getValueType(Type storage) const;

  int64_t pages, layers, kvHeads, headDim;
  bool isQuantised = false; ///< bytes of q8_0 blocks along head_dim
};

} // namespace mlir::lm

#endif // LORI_DIALECT_LM_LMOPS_H
