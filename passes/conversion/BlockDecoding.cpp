// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/BlockFormats.h"
#include "passes/conversion/ScalarBuilder.h"

using namespace mlir;
using namespace mlir::lori;

Value mlir::lori::joinHalf(OpBuilder &builder, Location loc, Value low,
                           Value high) {
  Type i16 = builder.getI16Type();
  Value bits = arith::OrIOp::create(
      builder, loc, arith::ExtUIOp::create(builder, loc, i16, low),
      arith::ShLIOp::create(
          builder, loc, arith::ExtUIOp::create(builder, loc, i16, high),
          arith::ConstantIntOp::create(builder, loc, i16, 8)));
  Value half =
      arith::BitcastOp::create(builder, loc, builder.getF16Type(), bits);
  return arith::ExtFOp::create(builder, loc, builder.getF32Type(), half);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

namespace {

/// Emits the decoding of one entry of a block.
class Decoder : ScalarBuilder {
public:
  Decoder(OpBuilder &builder, Location loc, function_ref<Value(Value)> byteAt)
      : ScalarBuilder(builder, loc), builder(builder), loc(loc),
        byteAt(byteAt) {}

  Value decode(QuantFormat format, Value entry);

private:
  Value byte(Value at) { return toI32(byteAt(at)); }
  Value byte(int64_t at) { return byte(index(at)); }
  Value half(int64_t at) {
    return joinHalf(builder, loc, byteAt(index(at)), byteAt(index(at + 1)));
  }
  /// The low or, from entry 16 on, the high nibble of a byte.
  Value nibble32(int64_t start, Value entry) {
    Value packed = byte(add(rem(entry, 16), start));
    return select(less(entry, 16), bitAnd(packed, 15), shr(packed, 4));
  }

  Value decodeK4or5(Value entry, bool fifthBit);
  Value decodeK6(Value entry);
  std::pair<Value, Value> scaleAndMinimum(Value group);

  OpBuilder &builder;
  Location loc;
  function_ref<Value(Value)> byteAt;
};

} // namespace

Value Decoder::decode(QuantFormat format, Value entry) {
  switch (format) {
  case QuantFormat::Q8_0:
    return fmul(half(0), toFloat(signedToI32(byteAt(add(entry, 2)))));
  case QuantFormat::Q4_0:
    return fmul(half(0), toFloat(sub(nibble32(2, entry), 8)));
  case QuantFormat::Q4_1:
    return fadd(fmul(half(0), toFloat(nibble32(4, entry))), half(2));
  case QuantFormat::Q4_K:
    return decodeK4or5(entry, /*fifthBit=*/false);
  case QuantFormat::Q5_K:
    return decodeK4or5(entry, /*fifthBit=*/true);
  case QuantFormat::Q6_K:
    return decodeK6(entry);
  }
  llvm_unreachable("unknown block format");
}

/// Eight 6-bit scales and minima share the twelve bytes from byte 4 on: the
/// first four of each are the low bits of bytes 0-3 and 4-7, the others have
/// their low bits in bytes 8-11 and their high bits on top of the first ones.
std::pair<Value, Value> Decoder::scaleAndMinimum(Value group) {
  Value isFirst = less(group, 4);
  Value within = rem(group, 4);
  Value s = byte(add(within, 4));
  Value m = byte(add(within, 8));
  Value both = byte(add(within, 12));
  Value scale = select(isFirst, bitAnd(s, 63),
                       bitOr(bitAnd(both, 15), shl(shr(s, 6), 4)));
  Value minimum =
      select(isFirst, bitAnd(m, 63), bitOr(shr(both, 4), shl(shr(m, 6), 4)));
  return {scale, minimum};
}

Value Decoder::decodeK4or5(Value entry, bool fifthBit) {
  Value group = div(entry, 32), within = rem(entry, 32);
  auto [scale, minimum] = scaleAndMinimum(group);
  // Two groups share 32 bytes: one has the low nibbles, the next the high.
  Value at = add(arith::MulIOp::create(builder, loc, div(group, 2), index(32)),
                 within);
  Value packed = byte(add(at, fifthBit ? 48 : 16));
  Value isLow = less(rem(group, 2), 1);
  Value q = select(isLow, bitAnd(packed, 15), shr(packed, 4));
  if (fifthBit) {
    Value bit = bitAnd(shr(byte(add(within, 16)), toI32(group)), 1);
    q = bitOr(q, shl(bit, 4));
  }
  return fsub(fmul(fmul(half(0), toFloat(scale)), toFloat(q)),
              fmul(half(2), toFloat(minimum)));
}

Value Decoder::decodeK6(Value entry) {
  // Halves of 128 entries, each four quarters of 32 that share 64 low bytes
  // (two quarters a byte) and 32 bytes with two high bits for each.
  Value part = div(entry, 128), rest = rem(entry, 128);
  Value quarter = div(rest, 32), within = rem(rest, 32);
  Value lowAt = add(add(mul(part, 64), mul(rem(quarter, 2), 32)), within);
  Value low = byte(lowAt);
  Value nibble = select(less(quarter, 2), bitAnd(low, 15), shr(low, 4));
  Value high = byte(add(add(mul(part, 32), within), 128));
  Value bits = bitAnd(shr(high, mul(toI32(quarter), 2)), 3);
  Value q = sub(bitOr(nibble, shl(bits, 4)), 32);
  Value scaleAt =
      add(add(mul(part, 8), mul(quarter, 2)), add(div(within, 16), 192));
  Value scale = signedToI32(byteAt(scaleAt));
  return fmul(fmul(half(208), toFloat(scale)), toFloat(q));
}

Value mlir::lori::decodeEntry(OpBuilder &builder, Location loc,
                              QuantFormat format, Value entry,
                              function_ref<Value(Value)> byteAt) {
  return Decoder(builder, loc, byteAt).decode(format, entry);
}
