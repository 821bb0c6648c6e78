// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the CPU kernels know about a linalg.generic: that it multiplies rows of
// activations with weights packed in panels, and which part of its body
// decodes the weights.
//
//   y[m, n0, n1] += sum over k... of  row(m, k...) * lane(n0, k..., n1)
//
// m counts rows (its size may be dynamic), n0 panels, n1 the lanes of a panel.
// There may be several reduction loops (block, half, element); only the
// outermost may have a dynamic size.

#ifndef LORI_PASSES_CODEGEN_CPU_PANELCONTRACTION_H
#define LORI_PASSES_CODEGEN_CPU_PANELCONTRACTION_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/SmallBitVector.h"

namespace mlir::lori {

/// Takes the reason of a refusal; returns failure.
using RefusalFn = llvm::function_ref<LogicalResult(const Twine &)>;

/// The loops that each value of a linalg body depends on.
class BodyLoops {
public:
  explicit BodyLoops(linalg::GenericOp op);

  /// Returns the loops that `value` varies with; none for captured values.
  const llvm::SmallBitVector &of(Value value) const;

private:
  llvm::DenseMap<Value, llvm::SmallBitVector> loops;
  llvm::SmallBitVector none;
};

/// One summand of the body: the product of all `row` and all `lane` values.
struct ProductTerm {
  SmallVector<Value> row;
  SmallVector<Value> lane;
};

struct PanelContraction {
  explicit PanelContraction(linalg::GenericOp op) : op(op), loops(op) {}

  linalg::GenericOp op;
  BodyLoops loops;
  unsigned row = 0;                 ///< loop m
  unsigned panel = 0;               ///< loop n0
  unsigned lane = 0;                ///< loop n1
  SmallVector<unsigned> reductions; ///< outermost first
  SmallVector<int64_t> sizes;       ///< of each loop; kDynamic if not static
  SmallVector<ProductTerm> terms;
  linalg::FillOp zeros; ///< sets the output to zero right before, or null

  int64_t width() const { return sizes[lane]; }
  /// Steps of the inner reduction loops for one of the outermost.
  int64_t innerSteps() const;
  OpOperand *output() { return op.getDpsInitOperand(0); }
  /// Erases the operation, and what sets its output to zero.
  void erase();
  /// Whether `operand` is indexed by the panel or the lane.
  bool isWeight(OpOperand &operand);
  /// The loops whose index the body asks for; these have static sizes.
  llvm::SmallBitVector indexedLoops();
};

/// Returns the description of `op` if it is a panel contraction on memrefs:
///  1. one output y[m, n0, n1], f32, its last stride 1; all maps projected
///     permutations;
///  2. m, n0, n1 are its only parallel loops; the size of n1 is static;
///  3. every other loop is a reduction, static but for the outermost;
///  4. operands indexed by n1 have it last, with stride 1, and without m;
///  5. the body is y + (a sum of products), each factor from one side only,
///     made of elementwise operations without effects.
/// Otherwise calls `refuse` with the condition that does not hold.
FailureOr<PanelContraction> matchPanelContraction(linalg::GenericOp op,
                                                  RefusalFn refuse);

/// Returns the size of loop `loop`, a constant or read from the first operand
/// it indexes.
Value sizeOfLoop(OpBuilder &b, PanelContraction &c, unsigned loop);

/// Returns whether all operations of the body can be cloned on vectors.
bool hasElementwiseBody(linalg::GenericOp op);

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_PANELCONTRACTION_H
