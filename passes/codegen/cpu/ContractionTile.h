// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A part of a panel contraction: a range of each of its loops, written as a
// contraction of its own on views of the operands.

#ifndef LORI_PASSES_CODEGEN_CPU_CONTRACTIONTILE_H
#define LORI_PASSES_CODEGEN_CPU_CONTRACTIONTILE_H

#include "passes/codegen/cpu/PanelContraction.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::lori {

class ContractionTile {
public:
  /// The whole of `c`; `sizes` are those of its loops.
  ContractionTile(PanelContraction &c, ArrayRef<OpFoldResult> sizes);

  void set(unsigned loop, OpFoldResult offset, OpFoldResult size) {
    offsets[loop] = offset;
    sizes[loop] = size;
  }

  /// Writes the tile with the weights as they are stored.
  void write(OpBuilder &b);

  /// Writes the decoding of each term's weights into its buffer, then the
  /// contraction with the buffers. Where operands allow it, the reduction
  /// loops are collapsed into one, so that all storage types end in the same
  /// contraction.
  void writeDecoded(OpBuilder &b, ArrayRef<Value> buffers);

  /// Returns the reduction loops that the lane side of `term` varies with.
  static SmallVector<unsigned> laneReductions(PanelContraction &c,
                                              const ProductTerm &term);

private:
  struct Operand {
    Value view;
    SmallVector<unsigned> loops; ///< the loop of each dimension
  };

  Operand view(OpBuilder &b, Value source, ArrayRef<unsigned> loops,
               bool isBuffer);
  Operand view(OpBuilder &b, OpOperand &operand);
  Operand decode(OpBuilder &b, const ProductTerm &term, Value buffer);
  bool collapse(OpBuilder &b, MutableArrayRef<Operand> operands);
  Value product(OpBuilder &b, ArrayRef<Value> factors, IRMapping &map,
                ArrayRef<unsigned> newLoops);
  Value clone(OpBuilder &b, Value value, IRMapping &map,
              ArrayRef<unsigned> newLoops);
  void contract(OpBuilder &b, ArrayRef<OpOperand *> sources,
                ArrayRef<Operand> operands, bool collapsed);
  llvm::SetVector<Value> sliceOf(ArrayRef<Value> values);
  SmallVector<OpOperand *> operandsOf(const llvm::SetVector<Value> &slice);

  PanelContraction &c;
  Location loc;
  SmallVector<OpFoldResult> offsets, sizes;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_CONTRACTIONTILE_H
