// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"

using namespace mlir;
using namespace mlir::lori;

#define GET_OP_CLASSES
#include "dialect/lori/LoriOps.cpp.inc"

//===----------------------------------------------------------------------===//
// Factors and their use
//===----------------------------------------------------------------------===//

static int64_t dim(Value value, unsigned index) {
  return cast<ShapedType>(value.getType()).getDimSize(index);
}

LogicalResult HadamardOp::verify() {
  RankedTensorType type = getType();
  if (!type.hasStaticShape() || type.getDimSize(0) != type.getDimSize(1) ||
      !llvm::isPowerOf2_64(static_cast<uint64_t>(type.getDimSize(0))))
    return emitOpError("expected a square whose size is a power of two, found ")
           << type;
  return success();
}

LogicalResult FrozenProjectionOp::verify() {
  // frozen_projection_c1
  if (!getType().hasStaticShape())
    return emitOpError("expected a static shape, found ") << getType();
  return success();
}

LogicalResult AdaptOp::verify() {
  // adapt_c1
  if (dim(getShrink(), 1) != dim(getInput(), 1))
    return emitOpError("expected A's columns (")
           << dim(getShrink(), 1) << ") to equal the input's columns ("
           << dim(getInput(), 1) << ")";
  // adapt_c2
  if (dim(getExpand(), 0) != dim(getBase(), 1))
    return emitOpError("expected B's rows (")
           << dim(getExpand(), 0) << ") to equal the base's columns ("
           << dim(getBase(), 1) << ")";
  // adapt_c3
  if (dim(getShrink(), 0) != dim(getExpand(), 1))
    return emitOpError("expected A's rows (")
           << dim(getShrink(), 0) << ") to equal B's columns ("
           << dim(getExpand(), 1) << ")";
  // adapt_c4
  SmallVector<Value> inputs{getInput()};
  if (getWeights())
    inputs.push_back(getWeights());
  for (Value rows : inputs)
    if (failed(verifyCompatibleDims({dim(getBase(), 0), dim(rows, 0)})))
      return emitOpError("expected the base (")
             << getBase().getType() << ") and " << rows.getType()
             << " to agree in rows";
  return success();
}

LogicalResult FuseOp::verify() {
  // fuse_c1
  if (dim(getShrink(), 1) != dim(getWeight(), 1))
    return emitOpError("expected A's columns (")
           << dim(getShrink(), 1) << ") to equal the weight's columns ("
           << dim(getWeight(), 1) << ")";
  // fuse_c2
  if (dim(getExpand(), 0) != dim(getWeight(), 0))
    return emitOpError("expected B's rows (")
           << dim(getExpand(), 0) << ") to equal the weight's rows ("
           << dim(getWeight(), 0) << ")";
  // fuse_c3
  if (dim(getShrink(), 0) != dim(getExpand(), 1))
    return emitOpError("expected A's rows (")
           << dim(getShrink(), 0) << ") to equal B's columns ("
           << dim(getExpand(), 1) << ")";
  // fuse_c4
  auto weight = cast<ShapedType>(getWeight().getType());
  auto result = cast<ShapedType>(getResult().getType());
  if (weight.getShape() != result.getShape())
    return emitOpError("expected the result (")
           << result << ") to have the weight's shape (" << weight << ")";
  // fuse_c5
  if (getRoundedUpdate() && !isa<FloatType>(result.getElementType()))
    return emitOpError("expected floats where the update is rounded, found ")
           << result;
  return success();
}

LogicalResult RoundingErrorOp::verify() {
  auto rounded = cast<ShapedType>(getRounded().getType());
  auto exact = cast<ShapedType>(getExact().getType());
  // rounding_error_c1
  if (rounded.getShape() != exact.getShape())
    return emitOpError("expected the rounded matrix (")
           << rounded << ") to have the exact one's shape (" << exact << ")";
  // rounding_error_c2
  if (getType().getShape() != ArrayRef<int64_t>{1})
    return emitOpError("expected one error, found ") << getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

void ParamOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                    RankedTensorType type, SourceAttr source) {
  build(builder, state, name, type, source, /*offset=*/IntegerAttr());
}

static LogicalResult verifyStored(Operation *op, RankedTensorType type) {
  if (!isStorable(type))
    return op->emitOpError("expected a type that can be stored: f32, f16, bf16 "
                           "or whole blocks in a static shape, found ")
           << type;
  return success();
}

static LogicalResult verifyStack(Operation *op, RankedTensorType type) {
  if (type.getRank() < (getPanels(type) ? 3 : 2))
    return op->emitOpError("expected a stack of vectors or matrices, found ")
           << type;
  return success();
}

LogicalResult ParamOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  // param_c1
  if (failed(verifyStored(*this, type)))
    return failure();
  // param_c2
  int64_t layers = getSource().getLayers().size();
  if (layers == 0)
    return success();
  if (failed(verifyStack(*this, type)))
    return failure();
  if (type.getDimSize(0) != layers)
    return emitOpError("expected the leading dimension (")
           << type.getDimSize(0) << ") to equal the number of layers ("
           << layers << ")";
  return success();
}

void DerivedParamOp::build(OpBuilder &builder, OperationState &state,
                           StringRef name, RankedTensorType type) {
  build(builder, state, name, type, /*evaluator=*/FlatSymbolRefAttr(),
        /*offset=*/IntegerAttr());
}

RankedTensorType mlir::lori::getParamType(Operation *param) {
  if (auto stored = dyn_cast<ParamOp>(param))
    return cast<RankedTensorType>(stored.getType());
  return cast<RankedTensorType>(cast<DerivedParamOp>(param).getType());
}

bool mlir::lori::isStackedParam(Operation *param) {
  if (auto stored = dyn_cast<ParamOp>(param))
    return stored.isStacked();
  return cast<DerivedParamOp>(param).isStacked();
}

SmallVector<GetParamOp> mlir::lori::getLeaves(DerivedParamOp derived) {
  SmallVector<GetParamOp> leaves;
  derived.getInitializer().walk([&](GetParamOp get) {
    if (llvm::none_of(leaves, [&](GetParamOp leaf) {
          return leaf.getParamAttr() == get.getParamAttr();
        }))
      leaves.push_back(get);
  });
  return leaves;
}

static std::optional<int64_t> evaluateIndex(Value index, int64_t layer) {
  if (isa<BlockArgument>(index))
    return layer;
  APInt constant;
  if (matchPattern(index, m_ConstantInt(&constant)))
    return constant.getSExtValue();
  auto sum = index.getDefiningOp<arith::AddIOp>();
  if (!sum)
    return std::nullopt;
  std::optional<int64_t> lhs = evaluateIndex(sum.getLhs(), layer);
  std::optional<int64_t> rhs = evaluateIndex(sum.getRhs(), layer);
  if (!lhs || !rhs)
    return std::nullopt;
  return *lhs + *rhs;
}

std::optional<int64_t> mlir::lori::getLeafLayer(GetParamOp leaf,
                                                int64_t layer) {
  return leaf.getLayer() ? evaluateIndex(leaf.getLayer(), layer) : std::nullopt;
}

Value DerivedParamOp::getYielded() {
  return cast<YieldOp>(getInitializer().front().getTerminator()).getOperand(0);
}

LogicalResult DerivedParamOp::verifyRegions() {
  Block &body = getInitializer().front();
  // derived_param_c1
  if (body.getNumArguments() > 1 ||
      (body.getNumArguments() == 1 && !body.getArgument(0).getType().isIndex()))
    return emitOpError("expected no argument, or one of index type");
  // derived_param_c2
  auto yield = dyn_cast<YieldOp>(body.getTerminator());
  if (!yield || yield.getNumOperands() != 1)
    return emitOpError("expected the initializer to yield one value");
  auto type = cast<RankedTensorType>(getType());
  // derived_param_c3
  if (failed(verifyStored(*this, type)) ||
      (isStacked() && failed(verifyStack(*this, type))))
    return failure();
  Type expected = isStacked() ? getLayerType(type) : type;
  if (yield.getOperand(0).getType() != expected)
    return emitOpError("expected the initializer to yield ")
           << expected << ", found " << yield.getOperand(0).getType();
  return success();
}

LogicalResult GetParamOp::verifySymbolUses(SymbolTableCollection &tables) {
  Operation *symbol = tables.lookupNearestSymbolFrom(*this, getParamAttr());
  // get_param_c1
  if (!isa_and_nonnull<ParamOp, DerivedParamOp>(symbol))
    return emitOpError("expected @") << getParam() << " to name a parameter";
  bool isStacked = isStackedParam(symbol);
  // get_param_c2
  if (isStacked != static_cast<bool>(getLayer()))
    return emitOpError("expected a layer index if and only if @")
           << getParam() << " is stacked";
  // get_param_c3
  RankedTensorType type = getParamType(symbol);
  RankedTensorType expected = isStacked ? getLayerType(type) : type;
  if (getValue().getType() != expected)
    return emitOpError("expected a result of type ")
           << expected << ", found " << getValue().getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Adapters
//===----------------------------------------------------------------------===//

LogicalResult AdapterOp::verifySymbolUses(SymbolTableCollection &tables) {
  for (auto module : getModules().getAsRange<ModuleAttr>()) {
    int64_t layers = 1;
    for (FlatSymbolRefAttr factor : {module.getShrink(), module.getExpand()}) {
      Operation *symbol = tables.lookupNearestSymbolFrom(*this, factor);
      // adapter_c1
      if (!isa_and_nonnull<ParamOp, DerivedParamOp>(symbol))
        return emitOpError("expected ") << factor << " to name a parameter";
      if (isStackedParam(symbol))
        layers = getParamType(symbol).getDimSize(0);
    }
    // adapter_c2
    int64_t scales = module.getScales().size();
    if (scales != 1 && scales != layers)
      return emitOpError("expected one scale or one for each of ")
             << layers << " layers of " << module.getTarget() << ", found "
             << scales;
  }
  return success();
}

LogicalResult AdaptRoutedOp::verifySymbolUses(SymbolTableCollection &tables) {
  // adapt_routed_c1
  auto bank =
      tables.lookupNearestSymbolFrom<AdapterBankOp>(*this, getBankAttr());
  if (!bank)
    return emitOpError("expected a lori.adapter_bank called '")
           << getBank() << "'";
  if (getSite() >= bank.getSites().size())
    return emitOpError("expected a site below ")
           << bank.getSites().size() << ", found " << getSite();
  // adapt_routed_c2
  SiteAttr site = bank.getSite(getSite());
  if (dim(getInput(), 1) != site.getIn() || dim(getBase(), 1) != site.getOut())
    return emitOpError("expected an input of ")
           << site.getIn() << " and a base of " << site.getOut()
           << " columns, found " << dim(getInput(), 1) << " and "
           << dim(getBase(), 1);
  // adapt_routed_c3
  if ((site.getLayers() != 0) != static_cast<bool>(getLayer()))
    return emitOpError("expected a layer for a site in the layers, and only "
                       "there");
  return success();
}

LogicalResult
AdapterWeightsOp::verifySymbolUses(SymbolTableCollection &tables) {
  // adapter_weights_c1
  if (!tables.lookupNearestSymbolFrom<AdapterOp>(*this, getAdapterAttr()))
    return emitOpError("expected ")
           << getAdapterAttr() << " to name an adapter";
  return success();
}

//===----------------------------------------------------------------------===//
// Expressions of parameters
//===----------------------------------------------------------------------===//

LogicalResult ConvertOp::verify() {
  auto source = getSource().getType();
  auto result = getResult().getType();
  // convert_c1
  if (source.getShape() != result.getShape() || source.getEncoding() ||
      result.getEncoding())
    return emitOpError(
               "expected types of one shape and without encoding, found ")
           << source << " and " << result;
  // convert_c2
  auto quant = dyn_cast<QuantType>(result.getElementType());
  if (quant && quant.getBlockEntries() != 32)
    return emitOpError(
               "expected a result of floats, q8_0, q4_0 or q4_1, found ")
           << result;
  return success();
}

LogicalResult DeinterleaveRowsOp::verify() {
  int64_t rows = getSource().getType().getDimSize(0);
  // deinterleave_rows_c1
  if (rows % (2 * static_cast<int64_t>(getHeads())) != 0)
    return emitOpError("expected the rows (")
           << rows << ") to be a multiple of twice the heads ("
           << 2 * getHeads() << ")";
  return success();
}

LogicalResult PackOp::verify() {
  auto source = getSource().getType();
  auto result = getResult().getType();
  // pack_c1
  if (source.getEncoding() || !getPanels(result) ||
      source.getShape() != result.getShape() ||
      source.getElementType() != result.getElementType())
    return emitOpError("expected the source (")
           << source << ") and, with panels, the result (" << result
           << ") to agree in shape and element type";
  return success();
}

LogicalResult StorageOp::verify() {
  RankedTensorType expected = getStorageType(getSource().getType());
  // storage_c1
  if (getResult().getType() != expected)
    return emitOpError("expected the stored form ")
           << expected << ", found " << getResult().getType();
  return success();
}
