// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmOps.h"
#include "dialect/lori/FloatSyntax.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::lm;
using mlir::lori::parseFloats;
using mlir::lori::printFloats;

#define GET_OP_CLASSES
#include "dialect/lm/LmOps.cpp.inc"

static int64_t dim(Value value, unsigned index) {
  return cast<ShapedType>(value.getType()).getDimSize(index);
}

static LogicalResult verifySameColumns(Operation *op, Value result,
                                       Value source) {
  if (dim(result, 1) != dim(source, 1))
    return op->emitOpError("expected the result's columns (")
           << dim(result, 1) << ") to equal the source's columns ("
           << dim(source, 1) << ")";
  return success();
}

/// Results take their rows from `source`, whether their number is known or not.
static LogicalResult verifySameRows(Operation *op, Value result, Value source) {
  if (dim(result, 0) != dim(source, 0))
    return op->emitOpError("expected the result (")
           << result.getType() << ") to have the rows of " << source.getType();
  return success();
}

/// Operands may know their number of rows or leave it open.
static LogicalResult verifyCompatibleRows(Operation *op, ValueRange operands) {
  Value first = operands.front();
  for (Value other : operands.drop_front())
    if (failed(verifyCompatibleDims({dim(first, 0), dim(other, 0)})))
      return op->emitOpError("expected ")
             << first.getType() << " and " << other.getType()
             << " to agree in rows";
  return success();
}

//===----------------------------------------------------------------------===//
// Rows in and out
//===----------------------------------------------------------------------===//

LogicalResult EmbeddingOp::verify() {
  // embedding_c1
  if (failed(verifySameColumns(*this, getResult(), getTable())))
    return failure();
  // embedding_c2
  return verifySameRows(*this, getResult(), getIds());
}

LogicalResult SelectRowsOp::verify() {
  // select_rows_c1
  if (failed(verifySameColumns(*this, getResult(), getX())))
    return failure();
  // select_rows_c2
  return verifySameRows(*this, getResult(), getRows());
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

LogicalResult RmsNormOp::verify() {
  // rms_norm_c1
  if (dim(getWeight(), 0) == 0 || dim(getX(), 1) % dim(getWeight(), 0) != 0)
    return emitOpError("expected the columns (")
           << dim(getX(), 1) << ") to be a multiple of the weight's entries ("
           << dim(getWeight(), 0) << ")";
  return success();
}

void LinearOp::build(OpBuilder &builder, OperationState &state, Value x,
                     Value weight, Value bias) {
  auto rows = cast<RankedTensorType>(x.getType());
  auto type = RankedTensorType::get({rows.getDimSize(0), dim(weight, 0)},
                                    builder.getF32Type());
  build(builder, state, type, x, weight, bias, /*residual=*/Value());
}

LogicalResult LinearOp::verify() {
  // linear_c1
  if (dim(getWeight(), 1) != dim(getX(), 1))
    return emitOpError("expected the weight's columns (")
           << dim(getWeight(), 1) << ") to equal the input's columns ("
           << dim(getX(), 1) << ")";
  // linear_c2
  if (dim(getWeight(), 0) != dim(getResult(), 1))
    return emitOpError("expected the weight's rows (")
           << dim(getWeight(), 0) << ") to equal the result's columns ("
           << dim(getResult(), 1) << ")";
  // linear_c3
  if (getBias() && dim(getBias(), 0) != dim(getResult(), 1))
    return emitOpError("expected the bias's entries (")
           << dim(getBias(), 0) << ") to equal the result's columns ("
           << dim(getResult(), 1) << ")";
  // linear_c4
  if (getResidual() && getResidual().getType() != getType())
    return emitOpError("expected the residual (")
           << getResidual().getType() << ") to have the result's type ("
           << getType() << ")";
  // linear_c5
  return verifySameRows(*this, getResult(), getX());
}

//===----------------------------------------------------------------------===//
// Rotary positions
//===----------------------------------------------------------------------===//

LogicalResult RotaryTableOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  SmallVector<int64_t> expected{dim(getPositions(), 0), 2,
                                static_cast<int64_t>(getFrequencies().size())};
  // rotary_table_c1
  if (type.getShape() != ArrayRef(expected))
    return emitOpError("expected a result of ")
           << RankedTensorType::get(expected, type.getElementType())
           << ", found " << type;
  // rotary_table_c2
  if (getFrequencies().empty())
    return emitOpError("expected at least one frequency");
  return success();
}

LogicalResult RopeOp::verify() {
  // rope_c2
  if (dim(getTable(), 1) != 2 || dim(getTable(), 2) == 0)
    return emitOpError("expected a table of a cosine and a sine for each pair, "
                       "found ")
           << getTable().getType();
  int64_t headDim = 2 * dim(getTable(), 2);
  // rope_c1
  if (dim(getX(), 1) % headDim != 0)
    return emitOpError("expected the columns (")
           << dim(getX(), 1) << ") to be a multiple of the head's entries ("
           << headDim << ")";
  // rope_c3
  return verifyCompatibleRows(*this, {getX(), getTable()});
}

//===----------------------------------------------------------------------===//
// Attention over a paged cache
//===----------------------------------------------------------------------===//

CacheShape::CacheShape(Type values) {
  auto type = cast<RankedTensorType>(values);
  pages = type.getDimSize(0);
  layers = type.getDimSize(1);
  kvHeads = type.getDimSize(2);
  isQuantised = type.getElementType().isInteger(8);
  headDim = type.getDimSize(4) * (isQuantised ? blockEntries : 1);
}

RankedTensorType CacheShape::getKeyType(Type storage) const {
  if (isa<lori::QuantType>(storage))
    return RankedTensorType::get({pages, layers, kvHeads,
                                  headDim / blockEntries, blockBytes,
                                  pageTokens},
                                 IntegerType::get(storage.getContext(), 8));
  return RankedTensorType::get({pages, layers, kvHeads, headDim, pageTokens},
                               storage);
}

RankedTensorType CacheShape::getValueType(Type storage) const {
  if (isa<lori::QuantType>(storage))
    return RankedTensorType::get({pages, layers, kvHeads, pageTokens,
                                  headDim / blockEntries, blockBytes},
                                 IntegerType::get(storage.getContext(), 8));
  return RankedTensorType::get({pages, layers, kvHeads, pageTokens, headDim},
                               storage);
}

static LogicalResult verifyCaches(Operation *op, Value keys, Value values) {
  auto keyType = cast<RankedTensorType>(keys.getType());
  auto valueType = cast<RankedTensorType>(values.getType());
  CacheShape cache(valueType);
  Type storage = valueType.getElementType();
  if (cache.isQuantised)
    storage = lori::QuantType::get(op->getContext(), lori::QuantFormat::Q8_0);
  if (valueType != cache.getValueType(storage) ||
      keyType != cache.getKeyType(storage))
    return op->emitOpError("expected keys [page, layer, head, head_dim, ")
           << pageTokens << "] and values [page, layer, head, " << pageTokens
           << ", head_dim] that agree, found " << keyType << " and "
           << valueType;
  if (llvm::is_contained(valueType.getShape(), 0))
    return op->emitOpError("expected caches with entries, found ") << valueType;
  return success();
}

LogicalResult CacheAppendOp::verify() {
  // cache_append_c1
  if (failed(verifyCaches(*this, getKeys(), getValues())))
    return failure();
  CacheShape cache(getValues().getType());
  // cache_append_c2
  for (Value rows : {getK(), getV()})
    if (dim(rows, 1) != cache.kvHeads * cache.headDim)
      return emitOpError("expected rows of ")
             << cache.kvHeads * cache.headDim << " entries, found "
             << dim(rows, 1);
  // cache_append_c3
  return verifyCompatibleRows(*this,
                              {getK(), getV(), getPositions(), getSequences()});
}

LogicalResult AttentionOp::verify() {
  // attention_c2
  if (failed(verifyCaches(*this, getKeys(), getValues())))
    return failure();
  CacheShape cache(getValues().getType());
  // attention_c1
  if (dim(getQ(), 1) % (cache.kvHeads * cache.headDim) != 0)
    return emitOpError("expected the query's columns (")
           << dim(getQ(), 1) << ") to be a multiple of "
           << cache.kvHeads * cache.headDim;
  // attention_c3
  return verifyCompatibleRows(*this, {getQ(), getPositions(), getSequences()});
}
