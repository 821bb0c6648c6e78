// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/LoopNest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::lori {

SmallVector<LoopNest::Level> LoopNest::plan(ArrayRef<unsigned> loops,
                                            ArrayRef<int64_t> sizes,
                                            const llvm::SmallBitVector &whole,
                                            int64_t budget) {
  SmallVector<Level> levels;
  for (unsigned loop : llvm::reverse(loops)) {
    int64_t size = sizes[loop];
    bool known = !ShapedType::isDynamic(size);
    int64_t unroll = std::max<int64_t>(1, llvm::bit_floor(uint64_t(budget)));
    if (known && (whole.test(loop) || unroll >= size)) {
      unroll = size;
      budget /= std::max<int64_t>(1, size);
    } else {
      budget = 0; // loops around a loop are not unrolled
    }
    levels.push_back({loop, unroll});
  }
  return {levels.rbegin(), levels.rend()};
}

void LoopNest::enter(ArrayRef<Level> inner, const Point &point) {
  if (!hoist)
    return;
  llvm::SmallBitVector loops(sizes.size());
  for (const Level &level : inner)
    loops.set(level.loop);
  hoist(point, loops);
}

void LoopNest::loop(
    Value lower, Value upper, int64_t step, SmallVector<Value> &carried,
    llvm::function_ref<void(Value, SmallVector<Value> &)> content) {
  auto made =
      scf::ForOp::create(b, loc, lower, upper, emitter.constant(step), carried);
  OpBuilder::InsertionGuard guard(b);
  BodyEmitter::Scope scope(emitter);
  b.setInsertionPointToStart(made.getBody());
  SmallVector<Value> inside(made.getRegionIterArgs());
  content(made.getInductionVar(), inside);
  if (!carried.empty())
    scf::YieldOp::create(b, loc, inside);
  carried.assign(made.result_begin(), made.result_end());
}

void LoopNest::write(ArrayRef<Level> levels, Point point,
                     SmallVector<Value> &carried) {
  enter(levels, point);
  if (levels.empty()) {
    body(point, carried);
    return;
  }
  auto [index, unroll] = levels.front();
  ArrayRef<Level> inner = levels.drop_front();
  auto unrolled = [&](Value start, int64_t count, SmallVector<Value> &values) {
    for (int64_t i = 0; i < count; ++i) {
      point[index] = emitter.offset(start, i);
      write(inner, point, values);
    }
  };
  int64_t size = sizes[index];
  if (!ShapedType::isDynamic(size)) {
    int64_t rest = size % unroll;
    if (size == unroll) {
      unrolled(emitter.constant(0), size, carried);
      return;
    }
    loop(emitter.constant(0), emitter.constant(size - rest), unroll, carried,
         [&](Value iv, SmallVector<Value> &values) {
           unrolled(iv, unroll, values);
         });
    unrolled(emitter.constant(size - rest), rest, carried);
    return;
  }
  Value bound = bounds[index], end = bound;
  if (unroll > 1) {
    Value rest =
        arith::RemUIOp::create(b, loc, bound, emitter.constant(unroll));
    end = arith::SubIOp::create(b, loc, bound, rest);
  }
  loop(emitter.constant(0), end, unroll, carried,
       [&](Value iv, SmallVector<Value> &values) {
         unrolled(iv, unroll, values);
       });
  if (unroll > 1)
    loop(end, bound, 1, carried, [&](Value iv, SmallVector<Value> &values) {
      unrolled(iv, 1, values);
    });
}

} // namespace mlir::lori
