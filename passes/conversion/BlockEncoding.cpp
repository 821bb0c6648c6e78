// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/BlockFormats.h"
#include "passes/conversion/ScalarBuilder.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::lori;

namespace {

/// Emits the quantisation of one block of 32 entries.
class Encoder : ScalarBuilder {
public:
  Encoder(OpBuilder &builder, Location loc, function_ref<Value(Value)> entryAt,
          function_ref<void(Value, Value)> store)
      : ScalarBuilder(builder, loc), builder(builder), loc(loc),
        entryAt(entryAt), store(store) {}

  void encode(QuantFormat format);

private:
  /// The entry of largest magnitude, the smallest and the largest entry.
  struct Extremes {
    Value magnitude, smallest, largest;
  };
  Extremes findExtremes();
  void storeHalf(int64_t at, Value value);
  Value inverse(Value scale);
  void storeNibbles(int64_t start, function_ref<Value(Value)> quantise);
  void loop(int64_t count, function_ref<void(Value)> body);

  OpBuilder &builder;
  Location loc;
  function_ref<Value(Value)> entryAt;
  function_ref<void(Value, Value)> store;
};

} // namespace

Encoder::Extremes Encoder::findExtremes() {
  Value first = entryAt(index(0));
  auto loop = scf::ForOp::create(
      builder, loc, index(0), index(32), index(1),
      ValueRange{f32(0), first, first},
      [&](OpBuilder &b, Location loc, Value i, ValueRange best) {
        OpBuilder::InsertionGuard guard(builder);
        builder.setInsertionPoint(b.getInsertionBlock(), b.getInsertionPoint());
        Value entry = entryAt(i);
        Value larger =
            arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT,
                                  math::AbsFOp::create(b, loc, entry),
                                  math::AbsFOp::create(b, loc, best[0]));
        scf::YieldOp::create(
            b, loc,
            ValueRange{arith::SelectOp::create(b, loc, larger, entry, best[0]),
                       arith::MinNumFOp::create(b, loc, best[1], entry),
                       arith::MaxNumFOp::create(b, loc, best[2], entry)});
      });
  return {loop.getResult(0), loop.getResult(1), loop.getResult(2)};
}

void Encoder::storeHalf(int64_t at, Value value) {
  Value half =
      arith::TruncFOp::create(builder, loc, builder.getF16Type(), value);
  Value bits =
      arith::BitcastOp::create(builder, loc, builder.getI16Type(), half);
  store(index(at), toByte(bits));
  store(index(at + 1), toByte(shr(bits, 8)));
}

Value Encoder::inverse(Value scale) {
  Value isZero = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OEQ,
                                       scale, f32(0));
  return select(isZero, f32(0), fdiv(f32(1), scale));
}

void Encoder::loop(int64_t count, function_ref<void(Value)> body) {
  auto loop =
      scf::ForOp::create(builder, loc, index(0), index(count), index(1));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

void Encoder::storeNibbles(int64_t start, function_ref<Value(Value)> quantise) {
  loop(16, [&](Value i) {
    Value low = quantise(entryAt(i));
    Value high = quantise(entryAt(add(i, 16)));
    store(add(i, start), toByte(bitOr(low, shl(high, 4))));
  });
}

void Encoder::encode(QuantFormat format) {
  Extremes extremes = findExtremes();
  auto toInteger = [&](Value value) -> Value {
    return arith::FPToSIOp::create(builder, loc, builder.getI32Type(), value);
  };
  auto atMost15 = [&](Value value) -> Value {
    return arith::MinSIOp::create(builder, loc, value, constant(value, 15));
  };
  switch (format) {
  case QuantFormat::Q8_0: {
    Value scale =
        fdiv(math::AbsFOp::create(builder, loc, extremes.magnitude), f32(127));
    Value by = inverse(scale);
    storeHalf(0, scale);
    loop(32, [&](Value i) {
      Value q = math::RoundOp::create(builder, loc, fmul(entryAt(i), by));
      store(add(i, 2), toByte(toInteger(q)));
    });
    return;
  }
  case QuantFormat::Q4_0: {
    Value scale = fdiv(extremes.magnitude, f32(-8));
    Value by = inverse(scale);
    storeHalf(0, scale);
    storeNibbles(2, [&](Value entry) {
      return atMost15(toInteger(fadd(fmul(entry, by), f32(8.5f))));
    });
    return;
  }
  case QuantFormat::Q4_1: {
    Value scale = fdiv(fsub(extremes.largest, extremes.smallest), f32(15));
    Value by = inverse(scale);
    storeHalf(0, scale);
    storeHalf(2, extremes.smallest);
    storeNibbles(4, [&](Value entry) {
      Value above = fsub(entry, extremes.smallest);
      return atMost15(toInteger(fadd(fmul(above, by), f32(0.5f))));
    });
    return;
  }
  default:
    llvm_unreachable("no kernel reads this format");
  }
}

void mlir::lori::encodeBlock(OpBuilder &builder, Location loc,
                             QuantFormat format,
                             function_ref<Value(Value)> entryAt,
                             function_ref<void(Value, Value)> store) {
  Encoder(builder, loc, entryAt, store).encode(format);
}
