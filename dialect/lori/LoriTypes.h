// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORITYPES_H
#define LORI_DIALECT_LORI_LORITYPES_H

#include "dialect/lori/LoriDialect.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TensorEncoding.h"

#include "dialect/lori/LoriEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/lori/LoriAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/lori/LoriTypes.h.inc"

namespace mlir::lori {

/// Returns whether a tensor of `type` has a stored form: a static shape,
/// entries of f32, f16, bf16 or rows of whole blocks, no encoding but panels.
bool isStorable(Type type);

/// Returns whether the layout of a tensor of `type` is known: it is storable,
/// or would be if its sizes, unknown until the program runs, were given.
bool hasLayout(Type type);

/// Returns the plain tensor type that a tensor of `type` is stored as: no
/// quantised element type, no encoding (see `#lori.panels`, `!lori.quant`).
RankedTensorType getStorageType(RankedTensorType type);

/// Returns the bytes that a tensor of `type` takes when it is stored.
int64_t getStorageBytes(RankedTensorType type);

/// Returns the panels encoding of `type`, or null.
PanelsAttr getPanels(Type type);

/// Returns `type` without its leading dimension: one layer of a stack.
RankedTensorType getLayerType(RankedTensorType type);

/// Returns `type` with `layers` as a new leading dimension.
RankedTensorType getStackedType(RankedTensorType type, int64_t layers);

} // namespace mlir::lori

#endif // LORI_DIALECT_LORI_LORITYPES_H
