// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the CPU kernels know about a linalg.generic that is no contraction: the
// loop that its vectors run along, and how its outputs are combined along it.

#ifndef LORI_PASSES_CODEGEN_CPU_ELEMENTWISEKERNEL_H
#define LORI_PASSES_CODEGEN_CPU_ELEMENTWISEKERNEL_H

#include "passes/codegen/cpu/PanelContraction.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::lori {

/// An output that is summed (or multiplied, …) along the vector loop.
struct VectorReduction {
  Operation *combiner; ///< of the body
  Value term;          ///< what is combined with the output
  vector::CombiningKind kind;
};

struct ElementwiseKernel {
  explicit ElementwiseKernel(linalg::GenericOp op)
      : op(op), loops(op), sizes(op.getStaticLoopRanges()) {}

  linalg::GenericOp op;
  BodyLoops loops;
  SmallVector<int64_t> sizes; ///< of each loop; kDynamic if not static
  unsigned vectorLoop = 0;
  SmallVector<VectorReduction> reductions; ///< none if the loop is parallel

  /// Whether `value` of the body depends on an output's old value.
  bool readsOutput(Value value);
};

/// Returns the description of `op` if vector code can be written for it:
///  1. memref operands, projected permutations (or zeros) as indexing maps;
///  2. a body of elementwise operations without effects;
///  3. a loop that is the last dimension, with stride 1, of every operand that
///     it indexes; the innermost such loop is the vector loop;
///  4. outputs that vary with it or, if it is a reduction, are combined once
///     by an operation with a neutral element.
/// Otherwise calls `refuse` with the condition that does not hold.
FailureOr<ElementwiseKernel> matchElementwise(linalg::GenericOp op,
                                              RefusalFn refuse);

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_ELEMENTWISEKERNEL_H
