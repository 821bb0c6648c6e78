// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/CacheAccess.h"
#include "passes/conversion/BlockFormats.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::lori;
using lm::pageTokens;

/// Bytes of a q8_0 block ahead of its entries: their scale.
static constexpr int64_t scaleBytes = 2;

Value mlir::lori::buildIndex(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value mlir::lori::loadId(OpBuilder &builder, Location loc, Value ids,
                         ValueRange at) {
  Value id = tensor::ExtractOp::create(builder, loc, ids, at);
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), id);
}

CacheAccess::CacheAccess(OpBuilder &builder, Location loc, Value keys,
                         Value values, Value layer, Value kvHead)
    : b(builder), loc(loc), keyCache(keys), valueCache(values), layer(layer),
      kvHead(kvHead), cache(values.getType()) {}

Value CacheAccess::read(Value from, ValueRange at, int64_t count) const {
  Type element = cast<RankedTensorType>(from.getType()).getElementType();
  auto type = VectorType::get({count}, element);
  Value padding = arith::ConstantOp::create(b, loc, b.getZeroAttr(element));
  return vector::TransferReadOp::create(b, loc, type, from, at, padding,
                                        ArrayRef<bool>{true});
}

Value CacheAccess::widen(Value vector) const {
  auto type = cast<VectorType>(vector.getType());
  VectorType floats = type.clone(b.getF32Type());
  if (type.getElementType().isF32())
    return vector;
  if (type.getElementType().isInteger())
    return arith::SIToFPOp::create(b, loc, floats, vector);
  return arith::ExtFOp::create(b, loc, floats, vector);
}

Value CacheAccess::keys(Value page, Value d) const {
  if (!cache.isQuantised)
    return widen(
        read(keyCache, {page, layer, kvHead, d, index(0)}, pageTokens));
  Value entries = index(lm::CacheShape::blockEntries);
  Value block = arith::DivUIOp::create(b, loc, d, entries);
  Value byte = arith::AddIOp::create(
      b, loc, arith::RemUIOp::create(b, loc, d, entries), index(scaleBytes));
  return widen(
      read(keyCache, {page, layer, kvHead, block, byte, index(0)}, pageTokens));
}

Value CacheAccess::keyScales(Value page, int64_t d) const {
  if (!cache.isQuantised)
    return {};
  auto words = VectorType::get({pageTokens}, b.getI16Type());
  auto plane = [&](int64_t byte) -> Value {
    Value block = index(d / lm::CacheShape::blockEntries);
    Value bytes =
        read(keyCache, {page, layer, kvHead, block, index(byte), index(0)},
             pageTokens);
    return arith::ExtUIOp::create(b, loc, words, bytes);
  };
  Value eight = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(words, b.getI16IntegerAttr(8)));
  Value bits = arith::OrIOp::create(
      b, loc, plane(0), arith::ShLIOp::create(b, loc, plane(1), eight));
  return widen(
      arith::BitcastOp::create(b, loc, words.clone(b.getF16Type()), bits));
}

Value CacheAccess::values(Value page, int64_t slot, int64_t d,
                          int64_t count) const {
  if (!cache.isQuantised)
    return widen(
        read(valueCache, {page, layer, kvHead, index(slot), index(d)}, count));
  int64_t entries = lm::CacheShape::blockEntries;
  return widen(read(valueCache,
                    {page, layer, kvHead, index(slot), index(d / entries),
                     index(scaleBytes + d % entries)},
                    count));
}

Value CacheAccess::valueScale(Value page, int64_t slot, int64_t d) const {
  if (!cache.isQuantised)
    return {};
  auto byte = [&](int64_t at) -> Value {
    return tensor::ExtractOp::create(
        b, loc, valueCache,
        ValueRange{page, layer, kvHead, index(slot),
                   index(d / lm::CacheShape::blockEntries), index(at)});
  };
  return joinHalf(b, loc, byte(0), byte(1));
}
