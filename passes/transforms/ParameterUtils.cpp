// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/transforms/ParameterUtils.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace mlir::lori;

ParamOp mlir::lori::getOriginalParam(Value value, SymbolTable &symbols) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto get = dyn_cast<GetParamOp>(op))
      return symbols.lookup<ParamOp>(get.getParam());
    if (!isa<ConvertOp, DeinterleaveRowsOp, PackOp, FuseOp>(op))
      return {};
    value = op->getOperand(0);
  }
  return {};
}

Value mlir::lori::getLayerIndex(Value value) {
  while (!isa<GetParamOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value.getDefiningOp<GetParamOp>().getLayer();
}

SmallVector<std::string> mlir::lori::getSourceNames(Value weight,
                                                    ParamOp param) {
  std::string name = param.getSource().getName().str();
  ArrayRef<int64_t> layers = param.getSource().getLayers();
  if (layers.empty())
    return {name};
  if (std::optional<int64_t> one = getConstantIntValue(getLayerIndex(weight)))
    layers = *one >= 0 && *one < static_cast<int64_t>(layers.size())
                 ? layers.slice(*one, 1)
                 : ArrayRef<int64_t>();
  size_t star = name.find('*');
  SmallVector<std::string> names;
  for (int64_t layer : layers)
    names.push_back(name.substr(0, star) + std::to_string(layer) +
                    name.substr(star + 1));
  return names;
}

std::string mlir::lori::printType(Type type) {
  Type element = getElementTypeOrSelf(type);
  if (auto quant = dyn_cast<QuantType>(element))
    return stringifyQuantFormat(quant.getFormat()).str();
  std::string text;
  llvm::raw_string_ostream(text) << element;
  return text;
}

Value mlir::lori::toStackIndex(OpBuilder &builder, Location loc, Value layer,
                               ParamOp weight) {
  int64_t first = weight.getSource().getLayers()[0];
  if (first == 0)
    return layer;
  Value offset = arith::ConstantIndexOp::create(builder, loc, first);
  return arith::AddIOp::create(builder, loc, layer, offset);
}

Value mlir::lori::getSelectedRows(Value rows) {
  while (Operation *op = rows.getDefiningOp()) {
    if (auto select = dyn_cast<lm::SelectRowsOp>(op))
      return select.getRows();
    // Ops of a row give one row for each of their first operand.
    if (!isa<lm::LmDialect>(op->getDialect()) || op->getNumOperands() == 0)
      return {};
    rows = op->getOperand(0);
  }
  return {};
}

Value mlir::lori::getUpdatedOutput(lm::LinearOp linear) {
  Value last = linear.getResult();
  while (last.hasOneUse()) {
    auto adapt = dyn_cast<AdaptOp>(*last.user_begin());
    if (!adapt || adapt.getBase() != last)
      break;
    last = adapt.getResult();
  }
  return last;
}

bool mlir::lori::isParameter(Value value) {
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<GetParamOp, HadamardOp, FrozenProjectionOp>(op))
    return true;
  if (isa_and_nonnull<FuseOp>(op))
    return llvm::all_of(op->getOperands().drop_back(), isParameter);
  return isa_and_nonnull<ConvertOp, DeinterleaveRowsOp, PackOp>(op) &&
         isParameter(op->getOperand(0));
}

Type mlir::lori::parseStorageType(MLIRContext *context, StringRef name) {
  Builder builder(context);
  if (std::optional<QuantFormat> format = symbolizeQuantFormat(name))
    return QuantType::get(context, *format);
  return llvm::StringSwitch<Type>(name)
      .Case("f32", builder.getF32Type())
      .Case("f16", builder.getF16Type())
      .Case("bf16", builder.getBF16Type())
      .Default(Type());
}
