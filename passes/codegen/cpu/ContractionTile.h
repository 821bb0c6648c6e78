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

/// Where a block of a contraction with many rows is laid out as f32, its
/// reduction loops as one k. Each term has a buffer of its own.
struct BlockBuffers {
  int64_t rowStride;        ///< of `rows`
  int64_t depth;            ///< most values of k in `lanes`
  int64_t panels;           ///< most panels in `lanes` and `sums`
  SmallVector<Value> rows;  ///< [row][k], for a long stretch of k
  SmallVector<Value> lanes; ///< [panel][k][lane]
  Value sums;               ///< [row][panel][lane], a part of the output
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

  /// Sets the output, or its buffer, to zero.
  void zeroOutput(OpBuilder &b);
  void zeroSums(OpBuilder &b, const BlockBuffers &buffers);

  /// Writes the output into its buffer, or the buffer into the output.
  void loadSums(OpBuilder &b, const BlockBuffers &buffers);
  void storeSums(OpBuilder &b, const BlockBuffers &buffers);

  /// Writes the decoding of each term's weights into its buffer, then the
  /// contraction of the buffers. It has the same form for all storage types:
  /// y[m, n0, n1] += x[m, k] * w[n0, k, n1]. The rows' buffers start at step
  /// `firstStep` of the outermost reduction loop.
  void writeDecoded(OpBuilder &b, const BlockBuffers &buffers, Value firstStep);

private:
  struct Operand {
    Value view;
    SmallVector<unsigned> loops; ///< the loop of each dimension
  };

  Operand view(OpBuilder &b, OpOperand &operand);
  Value blockView(OpBuilder &b, Value buffer, OpFoldResult offset,
                  ArrayRef<OpFoldResult> sizes, ArrayRef<int64_t> strides);
  Value sumsView(OpBuilder &b, const BlockBuffers &buffers);
  OpFoldResult inSteps(OpBuilder &b, OpFoldResult outer) const;
  void evaluate(OpBuilder &b, ArrayRef<Value> factors, ArrayRef<unsigned> loops,
                Value target);
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
