// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/FrozenProjection.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"

#include <array>
#include <cmath>
#include <numbers>

namespace mlir::lori {
namespace {

/// Emits draws of Philox4x32-10 (Salmon et al., SC 2011) and what is made of
/// them, in operations that IEEE 754 rounds alike on every machine.
class Drawer {
public:
  Drawer(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  using Words = std::array<Value, 4>;

  /// The four words (i32) of block `block` (i64) under `seed` and `stream`.
  Words drawBlock(uint64_t seed, Value stream, Value block);

  /// One of `words`, by the i32 `which`.
  Value choose(const Words &words, Value which);

  Value toUniform(Value word, int64_t columns);
  Value toNormal(const Words &words, Value which);

private:
  Value i32(uint64_t value) {
    return arith::ConstantIntOp::create(b, loc, b.getI32Type(),
                                        static_cast<int32_t>(value));
  }
  Value f64(double value) {
    return arith::ConstantFloatOp::create(b, loc, b.getF64Type(),
                                          APFloat(value));
  }
  Value low(Value word) {
    return arith::TruncIOp::create(b, loc, b.getI32Type(), word);
  }
  Value high(Value word) {
    Value shift = arith::ConstantIntOp::create(b, loc, b.getI64Type(), 32);
    return low(arith::ShRUIOp::create(b, loc, word, shift));
  }
  Value bitXor(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value negate(Value x) { return arith::NegFOp::create(b, loc, x); }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value equals(Value x, uint64_t y) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, i32(y));
  }
  Value bitAnd(Value x, uint64_t y) {
    return arith::AndIOp::create(b, loc, x, i32(y));
  }
  Value shift(Value x, uint64_t by) {
    return arith::ShRUIOp::create(b, loc, x, i32(by));
  }
  Value unsignedToF64(Value x) {
    return arith::UIToFPOp::create(b, loc, b.getF64Type(), x);
  }

  Value polynomial(Value x, ArrayRef<double> coefficients);
  Value logarithm(Value word);

  OpBuilder &b;
  Location loc;
};

} // namespace

Drawer::Words Drawer::drawBlock(uint64_t seed, Value stream, Value block) {
  Words counter{low(block), high(block), low(stream), high(stream)};
  auto key0 = static_cast<uint32_t>(seed);
  auto key1 = static_cast<uint32_t>(seed >> 32);
  for (int round = 0; round < 10; ++round) {
    auto p0 =
        arith::MulUIExtendedOp::create(b, loc, i32(0xD2511F53), counter[0]);
    auto p1 =
        arith::MulUIExtendedOp::create(b, loc, i32(0xCD9E8D57), counter[2]);
    counter = {bitXor(bitXor(p1.getHigh(), counter[1]), i32(key0)), p1.getLow(),
               bitXor(bitXor(p0.getHigh(), counter[3]), i32(key1)),
               p0.getLow()};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return counter;
}

Value Drawer::choose(const Words &words, Value which) {
  Value chosen = words[0];
  for (unsigned i = 1; i < 4; ++i)
    chosen = select(equals(which, i), words[i], chosen);
  return chosen;
}

Value Drawer::toUniform(Value word, int64_t columns) {
  // An odd number of at most 24 bits is exact in f32.
  Value odd = arith::OrIOp::create(b, loc, shift(word, 7), i32(1));
  Value centred = arith::SubIOp::create(b, loc, odd, i32(1 << 24));
  Value whole = arith::SIToFPOp::create(b, loc, b.getF32Type(), centred);
  auto step = static_cast<float>(std::ldexp(1.0, -24) /
                                 std::sqrt(static_cast<double>(columns)));
  return mul(whole, arith::ConstantFloatOp::create(b, loc, b.getF32Type(),
                                                   APFloat(step)));
}

/// c[0] + x (c[1] + x (c[2] + ...))
Value Drawer::polynomial(Value x, ArrayRef<double> coefficients) {
  Value sum = f64(coefficients.back());
  for (double coefficient : llvm::reverse(coefficients.drop_back()))
    sum = add(f64(coefficient), mul(x, sum));
  return sum;
}

/// ln((word + 1) / 2^32)
Value Drawer::logarithm(Value word) {
  // word + 1 = m * 2^e with m in [1, 2), then in (sqrt(1/2), sqrt(2)].
  Value number = add(unsignedToF64(word), f64(1));
  Value bits = arith::BitcastOp::create(b, loc, b.getI64Type(), number);
  auto i64 = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, loc, b.getI64Type(), value);
  };
  Value biased = arith::ShRUIOp::create(b, loc, bits, i64(52));
  Value exponent = arith::SIToFPOp::create(
      b, loc, b.getF64Type(), arith::SubIOp::create(b, loc, biased, i64(1055)));
  Value fraction =
      arith::AndIOp::create(b, loc, bits, i64((int64_t(1) << 52) - 1));
  Value m = arith::BitcastOp::create(
      b, loc, b.getF64Type(),
      arith::OrIOp::create(b, loc, fraction, i64(int64_t(1023) << 52)));
  Value isLarge = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, m,
                                        f64(std::numbers::sqrt2));
  m = select(isLarge, mul(m, f64(0.5)), m);
  exponent = select(isLarge, add(exponent, f64(1)), exponent);

  // ln m = 2 s (1 + s^2/3 + s^4/5 + ...), s = (m - 1) / (m + 1)
  Value s = arith::DivFOp::create(b, loc, add(m, f64(-1)), add(m, f64(1)));
  std::array<double, 10> series;
  for (size_t i = 0; i < series.size(); ++i)
    series[i] = 1.0 / static_cast<double>(2 * i + 1);
  Value logM = mul(mul(f64(2), s), polynomial(mul(s, s), series));
  return add(mul(exponent, f64(std::numbers::ln2)), logM);
}

/// Box and Muller: words 0 and 1 make entries 0 and 1, words 2 and 3 the
/// others.
Value Drawer::toNormal(const Words &words, Value which) {
  Value isSecond = equals(bitAnd(which, 2), 2);
  Value radiusWord = select(isSecond, words[2], words[0]);
  Value angleWord = select(isSecond, words[3], words[1]);
  Value radius =
      math::SqrtOp::create(b, loc, mul(f64(-2), logarithm(radiusWord)));

  // The angle, in quarters of the circle: a whole number and a fraction.
  Value quarter = shift(angleWord, 30);
  Value x = mul(unsignedToF64(bitAnd(angleWord, (1u << 30) - 1)),
                f64(std::ldexp(std::numbers::pi / 2, -30)));
  std::array<double, 9> cosines, sines;
  double factorial = 1;
  for (size_t i = 0; i < cosines.size(); ++i) {
    cosines[i] = (i % 2 ? -1 : 1) / factorial;
    sines[i] = cosines[i] / static_cast<double>(2 * i + 1);
    factorial *= static_cast<double>((2 * i + 1) * (2 * i + 2));
  }
  Value square = mul(x, x);
  Value cosine = polynomial(square, cosines);
  Value sine = mul(x, polynomial(square, sines));

  // cos(y + q pi/2) is cos y, -sin y, -cos y, sin y for q = 0, 1, 2, 3, and
  // sin y is cos(y - pi/2).
  Value turned =
      bitAnd(arith::SubIOp::create(b, loc, quarter, bitAnd(which, 1)), 3);
  Value usesSine = equals(bitAnd(turned, 1), 1);
  Value part = select(usesSine, sine, cosine);
  Value isNegative =
      arith::OrIOp::create(b, loc, equals(turned, 1), equals(turned, 2));
  part = select(isNegative, negate(part), part);
  return arith::TruncFOp::create(b, loc, b.getF32Type(), mul(radius, part));
}

Value drawEntry(OpBuilder &builder, Location loc, FrozenProjectionOp op,
                Value stream, Value entry) {
  Drawer drawer(builder, loc);
  Type i64 = builder.getI64Type();
  if (!stream)
    stream = arith::ConstantIntOp::create(builder, loc, i64, 0);
  Value number = arith::IndexCastUIOp::create(builder, loc, i64, entry);
  Value block = arith::ShRUIOp::create(
      builder, loc, number, arith::ConstantIntOp::create(builder, loc, i64, 2));
  Value which = arith::TruncIOp::create(
      builder, loc, builder.getI32Type(),
      arith::AndIOp::create(
          builder, loc, number,
          arith::ConstantIntOp::create(builder, loc, i64, 3)));
  auto words =
      drawer.drawBlock(static_cast<uint64_t>(op.getSeed()), stream, block);
  if (op.getInit() == InitKind::Normal)
    return drawer.toNormal(words, which);
  return drawer.toUniform(drawer.choose(words, which),
                          op.getType().getDimSize(1));
}

} // namespace mlir::lori
