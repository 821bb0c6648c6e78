// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes instances of a linalg body: a value that varies with the vector loop
// becomes a vector along it, any other value a scalar. Instances are shared:
// what does not vary with a loop is written once for all its iterations.

#ifndef LORI_PASSES_CODEGEN_CPU_BODYEMITTER_H
#define LORI_PASSES_CODEGEN_CPU_BODYEMITTER_H

#include "passes/codegen/cpu/PanelContraction.h"

#include "mlir/IR/Builders.h"
#include <map>

namespace mlir::lori {

class BodyEmitter {
public:
  /// The index of each loop at one instance of the body. For the vector loop
  /// it is the index of the first lane.
  using Point = SmallVector<Value>;

  BodyEmitter(OpBuilder &builder, linalg::GenericOp op, const BodyLoops &loops,
              unsigned vectorLoop)
      : b(builder), op(op), loops(loops), vectorLoop(vectorLoop) {}

  /// Returns `value` of the body at `point`, as vector<lanes x T> if it varies
  /// with the vector loop, else as a scalar.
  Value emit(Value value, const Point &point, int64_t lanes);

  /// As `emit`, but always a vector.
  Value emitVector(Value value, const Point &point, int64_t lanes);

  /// Writes the loads and operations that `value` depends on and that vary
  /// with none of `inner`, so that they stand before the loops `inner`.
  void hoist(Value value, const Point &point, int64_t lanes,
             const llvm::SmallBitVector &inner);

  /// Returns `value` + `offset`, folded where possible.
  Value offset(Value value, int64_t offset);
  Value constant(int64_t value);

  /// Values written while a Scope lives are forgotten when it ends: they
  /// belong to a region that is left.
  class Scope {
  public:
    explicit Scope(BodyEmitter &emitter)
        : emitter(emitter), saved(emitter.memo) {}
    ~Scope() { emitter.memo = std::move(saved); }

  private:
    BodyEmitter &emitter;
    std::map<SmallVector<const void *>, Value> saved;
  };

private:
  Value load(BlockArgument argument, const Point &point, int64_t lanes);
  Value compute(Operation *inner, const Point &point, int64_t lanes);
  Value toVector(Value value, int64_t lanes);

  OpBuilder &b;
  linalg::GenericOp op;
  const BodyLoops &loops;
  unsigned vectorLoop;
  std::map<SmallVector<const void *>, Value> memo;
  llvm::DenseMap<int64_t, Value> constants;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CODEGEN_CPU_BODYEMITTER_H
