// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The partial results of reductions along a vector loop: for each reduction
// several chains of vectors, and one scalar for what is no whole vector.

#ifndef LORI_PASSES_CODEGEN_CPU_REDUCTIONCHAINS_H
#define LORI_PASSES_CODEGEN_CPU_REDUCTIONCHAINS_H

#include "passes/codegen/cpu/ElementwiseKernel.h"

namespace mlir::lori {

class ReductionChains {
public:
  ReductionChains(OpBuilder &b, Location loc,
                  ArrayRef<VectorReduction> reductions, int64_t lanes,
                  int64_t chains)
      : b(b), loc(loc), reductions(reductions), lanes(lanes), chains(chains) {}

  /// Returns the neutral elements to start from.
  SmallVector<Value> start();

  /// Combines `term`, a vector of `width` lanes, with a part of `partial`.
  void add(size_t reduction, Value term, int64_t width, int64_t chain,
           MutableArrayRef<Value> partial);

  /// Returns all parts of one reduction, combined with each other.
  Value finish(size_t reduction, ArrayRef<Value> partial);

  /// Combines two values of one reduction.
  Value combine(size_t reduction, Value left, Value right);

private:
  Value neutral(const VectorReduction &reduction, int64_t width);
  Value reduceLanes(const VectorReduction &reduction, Value vector);

  OpBuilder &b;
  Location loc;
  ArrayRef<VectorReduction> reductions;
  int64_t lanes, chains;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_REDUCTIONCHAINS_H
