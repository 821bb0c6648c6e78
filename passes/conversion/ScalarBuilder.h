// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar arithmetic that reads like arithmetic, for code that decodes bits.

#ifndef LORI_PASSES_CONVERSION_SCALARBUILDER_H
#define LORI_PASSES_CONVERSION_SCALARBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"

namespace mlir::lori {

/// Emits arithmetic on one kind of integer (index or i32) and on f32.
class ScalarBuilder {
public:
  ScalarBuilder(OpBuilder &builder, Location loc) : b(builder), loc(loc) {}

  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value f32(float value) {
    return arith::ConstantFloatOp::create(b, loc, b.getF32Type(),
                                          APFloat(value));
  }
  Value i8(int8_t value) {
    return arith::ConstantIntOp::create(b, loc, b.getI8Type(), value);
  }
  /// A constant of the type of `like`.
  Value constant(Value like, int64_t value) {
    return arith::ConstantOp::create(b, loc,
                                     b.getIntegerAttr(like.getType(), value));
  }

  Value add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value add(Value x, int64_t y) { return add(x, constant(x, y)); }
  Value sub(Value x, int64_t y) {
    return arith::SubIOp::create(b, loc, x, constant(x, y));
  }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, loc, x, y); }
  Value mul(Value x, int64_t y) {
    return arith::MulIOp::create(b, loc, x, constant(x, y));
  }
  Value div(Value x, int64_t y) {
    return arith::DivUIOp::create(b, loc, x, constant(x, y));
  }
  Value rem(Value x, int64_t y) {
    return arith::RemUIOp::create(b, loc, x, constant(x, y));
  }
  Value bitAnd(Value x, int64_t y) {
    return arith::AndIOp::create(b, loc, x, constant(x, y));
  }
  Value bitOr(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value shl(Value x, int64_t y) {
    return arith::ShLIOp::create(b, loc, x, constant(x, y));
  }
  Value shr(Value x, int64_t y) {
    return arith::ShRUIOp::create(b, loc, x, constant(x, y));
  }
  Value shr(Value x, Value y) { return arith::ShRUIOp::create(b, loc, x, y); }
  Value less(Value x, int64_t y) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, x,
                                 constant(x, y));
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }

  Value toI32(Value x) {
    if (x.getType().isIndex())
      return arith::IndexCastUIOp::create(b, loc, b.getI32Type(), x);
    return arith::ExtUIOp::create(b, loc, b.getI32Type(), x);
  }
  Value signedToI32(Value x) {
    return arith::ExtSIOp::create(b, loc, b.getI32Type(), x);
  }
  Value toByte(Value x) {
    return arith::TruncIOp::create(b, loc, b.getI8Type(), x);
  }
  Value toFloat(Value x) {
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), x);
  }

  /// Rounds the float `x` to `type`, unless it has this type.
  Value truncate(Value x, Type type) {
    if (x.getType() == type)
      return x;
    return arith::TruncFOp::create(b, loc, type, x);
  }

  Value fadd(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value fsub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value fmul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value fdiv(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }

private:
  OpBuilder &b;
  Location loc;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_SCALARBUILDER_H
