// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A part of a panel contraction: a range of each of its loops, written as a
// contraction of its own on views of the operands.

#ifndef LORI_PASSES_CODEGEN_CPU_CONTRACTIONTILE_H
#define LORI_PASSES_CODEGEN_CPU_CONTRACTIONTILE_H

#include "passes/codegen/cpu/PanelContraction.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::lori {

/// Where the blocks of a contraction with many rows are laid out as f32: rows
/// as [row][k], lanes as [panel][k][lane], all reduction loops as one k.
struct BlockBuffers {
  int64_t depth;            ///< most values of k
  int64_t rowStride;        ///< of the rows' buffers
  SmallVector<Value> rows;  ///< memref<ROWS x rowStride x f32>, one a term
  SmallVector<Value> lanes; ///< memref<PANELS x depth x WIDTH x f32>, one a
                            ///< term; null where the weights lie so already
};

class ContractionTile {
public:
  /// The whole of `c`; `sizes` are those of its loops.
  ContractionTile(PanelContraction &c, ArrayRef<OpFoldResult> sizes);

  void set(unsigned loop, OpFoldResult offset, OpFoldResult size) {
    offsets[loop] = offset;
    sizes[loop] = size;
  }

  /// Writes the tile with the operands as they are stored.
  void write(OpBuilder &b);

  /// Writes the row side of each term into its buffer.
  void writeRows(OpBuilder &b, const BlockBuffers &buffers);

  /// Writes the decoding of each term's weights into its buffer, then the
  /// contraction of the buffers. It has the same form for all storage types:
  /// y[m, n0, n1] += x[m, k] * w[n0, k, n1].
  void writeDecoded(OpBuilder &b, const BlockBuffers &buffers);

  /// Returns whether the lane side of `term` lies in memory as a buffer would.
  static bool needsNoBuffer(PanelContraction &c, const ProductTerm &term);

private:
  struct Operand {
    Value view;
    SmallVector<unsigned> loops; ///< the loop of each dimension
  };

  Operand view(OpBuilder &b, OpOperand &operand);
  Value blockView(OpBuilder &b, Value buffer, ArrayRef<OpFoldResult> sizes,
                  ArrayRef<int64_t> strides);
  void evaluate(OpBuilder &b, ArrayRef<Value> factors, ArrayRef<unsigned> loops,
                Value target);
  Value plainLanes(OpBuilder &b, const ProductTerm &term);
  OpFoldResult steps(OpBuilder &b);
  int64_t innerSteps() const;
  Value product(OpBuilder &b, ArrayRef<Value> factors, IRMapping &map,
                ArrayRef<unsigned> newLoops);
  Value clone(OpBuilder &b, Value value, IRMapping &map,
              ArrayRef<unsigned> newLoops);

  PanelContraction &c;
  Location loc;
  SmallVector<OpFoldResult> offsets, sizes;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_CONTRACTIONTILE_H
