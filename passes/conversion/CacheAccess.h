// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_CACHEACCESS_H
#define LORI_PASSES_CONVERSION_CACHEACCESS_H

#include "dialect/lm/LmOps.h"
#include "mlir/IR/Builders.h"

namespace mlir::lori {

Value buildIndex(OpBuilder &builder, Location loc, int64_t value);

/// Emits `ids[at]` as an index.
Value loadId(OpBuilder &builder, Location loc, Value ids, ValueRange at);

/// Reads the keys and values that one layer and kv head have in the cache, as
/// vectors of f32: the meaning of the cache's storage.
class CacheAccess {
public:
  CacheAccess(OpBuilder &builder, Location loc, Value keys, Value values,
              Value layer, Value kvHead);

  /// Entry `d` of the keys of a page, one lane a position. In block-quantised
  /// storage without their scale.
  Value keys(Value page, Value d) const;
  /// The scales of those entries from `d` on, one lane a position; null in
  /// float storage.
  Value keyScales(Value page, int64_t d) const;

  /// Entries [d, d + count) of the value in a slot of a page, without scale.
  Value values(Value page, int64_t slot, int64_t d, int64_t count) const;
  /// The scale of those entries, a scalar; null in float storage.
  Value valueScale(Value page, int64_t slot, int64_t d) const;

  /// Entries along head_dim that share a scale.
  int64_t entriesOfScale() const {
    return cache.isQuantised ? lm::CacheShape::blockEntries : cache.headDim;
  }

private:
  Value index(int64_t value) const { return buildIndex(b, loc, value); }
  Value read(Value from, ValueRange at, int64_t count) const;
  Value widen(Value vector) const;

  OpBuilder &b;
  Location loc;
  Value keyCache, valueCache, layer, kvHead;
  lm::CacheShape cache;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_CACHEACCESS_H
