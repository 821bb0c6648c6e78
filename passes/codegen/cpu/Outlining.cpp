// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/Outlining.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::lori {

/// Calls `f` for each value from outside that the body of `op` uses.
static void forEachCapture(linalg::GenericOp op,
                           llvm::function_ref<void(Value)> f) {
  op.getBody()->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (operand.getParentBlock() != op.getBody())
        f(operand);
  });
}

static bool isConstant(Value value) {
  Operation *def = value.getDefiningOp();
  return def && def->hasTrait<OpTrait::ConstantLike>();
}

SmallVector<Value> outlinedArguments(linalg::GenericOp op) {
  llvm::SetVector<Value> captured;
  forEachCapture(op, [&](Value value) {
    if (!isConstant(value))
      captured.insert(value);
  });
  SmallVector<Value> arguments(op->getOperands());
  llvm::append_range(arguments, captured);
  return arguments;
}

OutlinedClone outlineClone(linalg::GenericOp op, TypeRange leading,
                           linalg::FillOp before) {
  SmallVector<Value> values = outlinedArguments(op);
  SmallVector<Type> types(leading);
  llvm::append_range(types, ValueRange(values).getTypes());
  OpBuilder b(op.getContext());
  auto function =
      func::FuncOp::create(b, op.getLoc(), "", b.getFunctionType(types, {}));
  function.setPrivate();
  Block *block = function.addEntryBlock();
  b.setInsertionPointToStart(block);
  auto arguments = block->getArguments().drop_front(leading.size());
  IRMapping map;
  map.map(values, arguments);
  forEachCapture(op, [&](Value value) {
    if (isConstant(value) && !map.contains(value))
      b.clone(*value.getDefiningOp(), map);
  });
  if (before) {
    b.clone(*before.getInputs().front().getDefiningOp(), map);
    b.clone(*before, map);
  }
  auto clone = cast<linalg::GenericOp>(b.clone(*op, map));
  for (OpOperand &operand : clone->getOpOperands())
    operand.set(arguments[operand.getOperandNumber()]);
  func::ReturnOp::create(b, op.getLoc());
  return {function, clone};
}

} // namespace mlir::lori
