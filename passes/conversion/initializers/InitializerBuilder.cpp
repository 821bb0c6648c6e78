// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/conversion/initializers/InitializerBuilder.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::lori {

static MemRefType toMemRef(Type type) {
  RankedTensorType storage = getStorageType(cast<RankedTensorType>(type));
  return MemRefType::get(storage.getShape(), storage.getElementType());
}

void InitializerBuilder::createFunction(ArrayRef<GetParamOp> reads) {
  SmallVector<Type> arguments{b.getIndexType()};
  for (GetParamOp get : reads)
    arguments.push_back(toMemRef(get.getType()));
  arguments.push_back(toMemRef(derived.getYielded().getType()));
  function =
      func::FuncOp::create(b, loc, "init", b.getFunctionType(arguments, {}));
  function->setAttr("llvm.bareptr", b.getUnitAttr());
  Block *entry = function.addEntryBlock();
  for (unsigned i = 1; i < arguments.size(); ++i)
    function.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(),
                        b.getUnitAttr());
  for (size_t i = 0; i < reads.size(); ++i)
    leaves[GetParamOp(reads[i]).getParamAttr()] = entry->getArgument(i + 1);
  b.setInsertionPointToStart(entry);
}

Value InitializerBuilder::allocate(int64_t size, Type element) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&function.front());
  return memref::AllocaOp::create(b, loc, MemRefType::get({size}, element));
}

Value InitializerBuilder::load(Value memory, ValueRange indices) {
  return memref::LoadOp::create(b, loc, memory, indices);
}

void InitializerBuilder::store(Value value, Value memory, ValueRange indices) {
  memref::StoreOp::create(b, loc, value, memory, indices);
}

void InitializerBuilder::loop(int64_t count, function_ref<void(Value)> body) {
  auto loop = scf::ForOp::create(b, loc, index(0), index(count), index(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  body(loop.getInductionVar());
}

ElementAccess InitializerBuilder::access(GetParamOp get) {
  return ElementAccess(cast<RankedTensorType>(get.getType()),
                       leaves.lookup(get.getParamAttr()));
}

Value InitializerBuilder::loadEntry(GetParamOp get, ValueRange indices) {
  return access(get).load(b, loc, indices);
}

Value InitializerBuilder::loadByte(GetParamOp get, Value row, Value block,
                                   Value byte) {
  return access(get).loadByte(b, loc, row, block, byte);
}

FailureOr<Value> InitializerBuilder::evaluateScalar(Value value) {
  IRMapping mapping;
  if (derived.isStacked())
    mapping.map(derived.getInitializer().getArgument(0),
                function.getArgument(0));
  // Clones the constants and the reads of tables that the scalar is made of.
  std::function<LogicalResult(Value)> clone = [&](Value part) {
    if (mapping.contains(part))
      return success();
    Operation *op = part.getDefiningOp();
    if (!op || isa<GetParamOp>(op) || op->getNumRegions() != 0)
      return failure();
    for (Value operand : op->getOperands())
      if (failed(clone(operand)))
        return failure();
    b.clone(*op, mapping);
    return success();
  };
  if (failed(clone(value)))
    return derived.emitError(
        "expected a scale made of constants and the layer");
  return mapping.lookup(value);
}

Value InitializerBuilder::sourceRow(DeinterleaveRowsOp op, Value row) {
  int64_t group = op.getSource().getType().getDimSize(0) /
                  static_cast<int64_t>(op.getHeads());
  Value head = mul(div(row, group), group);
  Value within = rem(row, group);
  // Row j of the first half comes from 2 j, of the second from 2 j + 1.
  Value isFirst = less(within, group / 2);
  Value even = mul(within, 2);
  Value odd = sub(even, group - 1);
  return add(head, select(isFirst, even, odd));
}

Value InitializerBuilder::sourceRow(Value &value, Value row) {
  while (auto order = value.getDefiningOp<DeinterleaveRowsOp>()) {
    row = sourceRow(order, row);
    value = order.getSource();
  }
  return row;
}

} // namespace mlir::lori
