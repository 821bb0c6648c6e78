// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The loops and vector code of an elementwise kernel.

#ifndef LORI_PASSES_CODEGEN_CPU_ELEMENTWISEWRITER_H
#define LORI_PASSES_CODEGEN_CPU_ELEMENTWISEWRITER_H

#include "passes/codegen/cpu/ElementwiseKernel.h"
#include "passes/codegen/cpu/LoopNest.h"
#include "passes/codegen/cpu/ReductionChains.h"

namespace mlir::lori {

struct ElementwisePlan {
  int64_t lanes;     ///< of a vector
  int64_t unroll;    ///< vectors in one iteration of an elementwise loop
  int64_t chains;    ///< partial results of a reduction
  int64_t maxUnroll; ///< most vectors to write without a loop
};

class ElementwiseWriter {
public:
  /// `bounds[i]` is the size of loop i as a value.
  ElementwiseWriter(OpBuilder &b, ElementwiseKernel &kernel,
                    const ElementwisePlan &plan, ArrayRef<Value> bounds);

  /// Writes all loops but `outer`, whose index is `outerIndex`.
  void write(std::optional<unsigned> outer, Value outerIndex);

private:
  using Point = BodyEmitter::Point;
  using PieceFn = llvm::function_ref<void(const Point &, int64_t width,
                                          int64_t chain, SmallVector<Value> &)>;

  llvm::SmallBitVector loopsToUnroll();
  void hoist(Point point, const llvm::SmallBitVector &inner);
  void hoistInputs(Value value, const Point &point,
                   const llvm::SmallBitVector &inner);
  void alongVectors(LoopNest &nest, const Point &at);
  void eachPiece(LoopNest &nest, Point point, SmallVector<Value> &carried,
                 PieceFn piece);
  void eachDynamicPiece(
      LoopNest &nest, SmallVector<Value> &carried, int64_t group,
      llvm::function_ref<void(Value, int64_t, int64_t, SmallVector<Value> &)>
          pieces);
  void store(const Point &point, int64_t width);
  void storeReduced(const Point &at, ArrayRef<Value> partial);
  SmallVector<Value> indicesOf(OpOperand &operand, const Point &point);

  OpBuilder &b;
  ElementwiseKernel &k;
  Location loc;
  const ElementwisePlan &plan;
  ArrayRef<Value> bounds;
  BodyEmitter emitter;
  ReductionChains chains;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_ELEMENTWISEWRITER_H
