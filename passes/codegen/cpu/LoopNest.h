// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Loops around instances of a linalg body, with values carried through them
// and with unrolling.

#ifndef LORI_PASSES_CODEGEN_CPU_LOOPNEST_H
#define LORI_PASSES_CODEGEN_CPU_LOOPNEST_H

#include "passes/codegen/cpu/BodyEmitter.h"

namespace mlir::lori {

class LoopNest {
public:
  using Point = BodyEmitter::Point;

  struct Level {
    unsigned loop;      ///< of the linalg op
    int64_t unroll = 1; ///< instances in one iteration
  };

  /// `bounds[i]` is the size of loop i of the linalg op as a value.
  LoopNest(OpBuilder &b, Location loc, BodyEmitter &emitter,
           ArrayRef<int64_t> sizes, ArrayRef<Value> bounds)
      : b(b), loc(loc), emitter(emitter), sizes(sizes), bounds(bounds) {}

  /// Called where a loop has been entered, or before the first one, with the
  /// loops that are still to come inside: what does not vary with them can be
  /// written now.
  std::function<void(const Point &, const llvm::SmallBitVector &)> hoist;
  /// Called for each instance of the body; updates the carried values.
  std::function<void(const Point &, SmallVector<Value> &)> body;

  /// Writes the nest of `levels`, the outermost first.
  void write(ArrayRef<Level> levels, Point point, SmallVector<Value> &carried);

  /// Distributes `budget` instances over `loops`, the innermost first; loops
  /// in `whole` are unrolled completely in any case.
  static SmallVector<Level> plan(ArrayRef<unsigned> loops,
                                 ArrayRef<int64_t> sizes,
                                 const llvm::SmallBitVector &whole,
                                 int64_t budget);

  /// Writes one scf.for with `carried` and the scope of its values.
  void loop(Value lower, Value upper, int64_t step, SmallVector<Value> &carried,
            llvm::function_ref<void(Value, SmallVector<Value> &)> content);

private:
  void enter(ArrayRef<Level> inner, const Point &point);

  OpBuilder &b;
  Location loc;
  BodyEmitter &emitter;
  ArrayRef<int64_t> sizes;
  ArrayRef<Value> bounds;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_LOOPNEST_H
