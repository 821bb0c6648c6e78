// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_BLOCKFORMATS_H
#define LORI_PASSES_CONVERSION_BLOCKFORMATS_H

#include "dialect/lori/LoriTypes.h"
#include "mlir/IR/Builders.h"

namespace mlir::lori {

/// Emits the value, in f32, of entry `entry` (an index) of a block of `format`;
/// `byteAt` emits the read of the block's byte (i8) at an index. The formats
/// are those of ggml (ggml-common.h), their values those of its dequantisers.
Value decodeEntry(OpBuilder &builder, Location loc, QuantFormat format,
                  Value entry, function_ref<Value(Value)> byteAt);

/// Emits the f32 of the little-endian f16 whose bytes (i8) are `low`, `high`.
Value joinHalf(OpBuilder &builder, Location loc, Value low, Value high);

/// Emits the quantisation of one block of 32 entries: `entryAt` emits the read
/// of an entry (f32) at an index, `store` the write of a byte (i8) at an index.
/// Scales are taken as ggml's reference quantisers do. Formats: q8_0, q4_0,
/// q4_1.
void encodeBlock(OpBuilder &builder, Location loc, QuantFormat format,
                 function_ref<Value(Value)> entryAt,
                 function_ref<void(Value, Value)> store);

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_BLOCKFORMATS_H
