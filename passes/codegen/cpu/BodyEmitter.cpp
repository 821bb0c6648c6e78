// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/codegen/cpu/BodyEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

namespace mlir::lori {

Value BodyEmitter::constant(int64_t value) {
  Value &cached = constants[value];
  if (!cached) {
    // Visible in every region that is written in place of the linalg op.
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(op->getBlock());
    cached = arith::ConstantIndexOp::create(b, op.getLoc(), value);
  }
  return cached;
}

Value BodyEmitter::offset(Value value, int64_t offset) {
  if (offset == 0)
    return value;
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return constant(*known + offset);
  SmallVector<const void *> key = {value.getAsOpaquePointer(),
                                   constant(offset).getAsOpaquePointer()};
  Value &cached = memo[key];
  if (!cached)
    cached = arith::AddIOp::create(b, op.getLoc(), value, constant(offset));
  return cached;
}

Value BodyEmitter::toVector(Value value, int64_t lanes) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(
      b, op.getLoc(), VectorType::get(lanes, value.getType()), value);
}

Value BodyEmitter::emit(Value value, const Point &point, int64_t lanes) {
  SmallVector<const void *> key = {value.getAsOpaquePointer()};
  for (unsigned loop : loops.of(value).set_bits())
    key.push_back(point[loop].getAsOpaquePointer());
  if (auto it = memo.find(key); it != memo.end())
    return it->second;
  Value result;
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == op.getBody())
    result = load(argument, point, lanes);
  else if (Operation *inner = value.getDefiningOp();
           inner && inner->getBlock() == op.getBody())
    result = compute(inner, point, lanes);
  else
    return value; // captured from outside
  memo[key] = result;
  return result;
}

Value BodyEmitter::emitVector(Value value, const Point &point, int64_t lanes) {
  return toVector(emit(value, point, lanes), lanes);
}

Value BodyEmitter::load(BlockArgument argument, const Point &point,
                        int64_t lanes) {
  OpOperand &operand = op->getOpOperand(argument.getArgNumber());
  if (!isa<MemRefType>(operand.get().getType()))
    return operand.get(); // a scalar, as linalg.fill has it
  SmallVector<Value> indices;
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    indices.push_back(dim ? point[dim.getPosition()] : constant(0));
  }
  if (!loops.of(argument).test(vectorLoop))
    return memref::LoadOp::create(b, op.getLoc(), operand.get(), indices);
  auto type = VectorType::get(lanes, argument.getType());
  return vector::LoadOp::create(b, op.getLoc(), type, operand.get(), indices);
}

Value BodyEmitter::compute(Operation *inner, const Point &point,
                           int64_t lanes) {
  bool isVector = loops.of(inner->getResult(0)).test(vectorLoop);
  if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
    Value start = point[index.getDim()];
    if (!isVector)
      return start;
    auto type = VectorType::get(lanes, b.getIndexType());
    Value steps = vector::StepOp::create(b, op.getLoc(), type);
    return arith::AddIOp::create(b, op.getLoc(), toVector(start, lanes), steps);
  }
  SmallVector<Value> operands;
  for (Value operand : inner->getOperands()) {
    Value emitted = emit(operand, point, lanes);
    operands.push_back(isVector ? toVector(emitted, lanes) : emitted);
  }
  Type type = inner->getResult(0).getType();
  if (isVector)
    type = VectorType::get(lanes, type);
  OperationState state(op.getLoc(), inner->getName(), operands, type,
                       inner->getAttrs());
  Operation *created = b.create(state);
  // Indices of unrolled loops make constants; fold them as they come.
  SmallVector<Value> folded;
  if (!isVector && inner->getNumOperands() &&
      succeeded(b.tryFold(created, folded)) && folded.size() == 1) {
    created->erase();
    return folded[0];
  }
  return created->getResult(0);
}

void BodyEmitter::hoist(Value value, const Point &point, int64_t lanes,
                        const llvm::SmallBitVector &inner) {
  if (!loops.of(value).anyCommon(inner)) {
    emit(value, point, lanes);
    return;
  }
  if (Operation *def = value.getDefiningOp();
      def && def->getBlock() == op.getBody())
    for (Value operand : def->getOperands())
      hoist(operand, point, lanes, inner);
}

} // namespace mlir::lori
