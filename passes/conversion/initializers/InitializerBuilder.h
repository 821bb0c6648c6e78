// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERBUILDER_H
#define LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERBUILDER_H

#include "dialect/lori/LoriOps.h"
#include "passes/conversion/ElementAccess.h"
#include "passes/conversion/ScalarBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::lori {

/// What the parts of an initializer's evaluation share: the function that is
/// built, the parameters that it reads, and the ops that all of them emit.
class InitializerBuilder : public ScalarBuilder {
public:
  InitializerBuilder(OpBuilder &builder, DerivedParamOp derived)
      : ScalarBuilder(builder, derived.getLoc()), b(builder),
        loc(derived.getLoc()), derived(derived) {}

  /// Emits an empty function (layer, leaves..., result) at the insertion point
  /// and enters it; `leaves` are the parameters it reads, in this order.
  void createFunction(ArrayRef<GetParamOp> leaves);
  void createReturn() { func::ReturnOp::create(b, loc); }

  func::FuncOp getFunction() const { return function; }
  DerivedParamOp getDerived() const { return derived; }
  /// The memory that the function writes.
  Value getResult() { return function.getArguments().back(); }

  OpBuilder &getBuilder() const { return b; }
  Location getLoc() const { return loc; }

  /// Allocates memory, here a row of floats, once for the whole function.
  Value allocate(int64_t size, Type element);
  Value allocateRow(int64_t columns) {
    return allocate(columns, b.getF32Type());
  }
  Value load(Value memory, ValueRange indices);
  void store(Value value, Value memory, ValueRange indices);

  /// Emits a loop of `count` steps around `body`.
  void loop(int64_t count, function_ref<void(Value)> body);

  /// Emits reads of a stored parameter: an entry as f32, a byte of a block.
  Value loadEntry(GetParamOp get, ValueRange indices);
  Value loadByte(GetParamOp get, Value row, Value block, Value byte);

  /// Emits a scalar that the initializer computes from constants and its
  /// layer.
  FailureOr<Value> evaluateScalar(Value value);

  /// Returns the row of a rearrangement's source that becomes row `row`.
  Value sourceRow(DeinterleaveRowsOp op, Value row);
  /// The same through all rearrangements above `value`, which becomes their
  /// source.
  Value sourceRow(Value &value, Value row);

private:
  ElementAccess access(GetParamOp get);

  OpBuilder &b;
  Location loc;
  DerivedParamOp derived;
  func::FuncOp function;
  llvm::DenseMap<Attribute, Value> leaves;
};

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_INITIALIZERS_INITIALIZERBUILDER_H
