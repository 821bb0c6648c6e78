// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriTypes.h"
#include "dialect/lori/FloatSyntax.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::lori;

#include "dialect/lori/LoriEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/lori/LoriAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/lori/LoriTypes.cpp.inc"

void LoriDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/lori/LoriTypes.cpp.inc"
      >();
}

void LoriDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/lori/LoriAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Quant
//===----------------------------------------------------------------------===//

int64_t QuantType::getBlockEntries() const {
  switch (getFormat()) {
  case QuantFormat::Q8_0:
  case QuantFormat::Q4_0:
  case QuantFormat::Q4_1:
    return 32;
  case QuantFormat::Q4_K:
  case QuantFormat::Q5_K:
  case QuantFormat::Q6_K:
    return 256;
  }
  llvm_unreachable("unknown block format");
}

int64_t QuantType::getBlockBytes() const {
  switch (getFormat()) {
  case QuantFormat::Q8_0:
    return 34;
  case QuantFormat::Q4_0:
    return 18;
  case QuantFormat::Q4_1:
    return 20;
  case QuantFormat::Q4_K:
    return 144;
  case QuantFormat::Q5_K:
    return 176;
  case QuantFormat::Q6_K:
    return 210;
  }
  llvm_unreachable("unknown block format");
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

LogicalResult PanelsAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 int64_t rows) {
  if (rows <= 0)
    return emitError() << "expected a positive number of rows, found " << rows;
  return success();
}

LogicalResult
PanelsAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                           function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() < 2)
    return emitError() << "expected a matrix or a stack of matrices in panels";
  return success();
}

LogicalResult SourceAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                 StringAttr file, StringAttr name,
                                 DenseI64ArrayAttr layers) {
  bool isStack = name.getValue().contains('*');
  if (isStack == layers.empty())
    return emitError() << "expected layers if and only if the name ("
                       << name.getValue() << ") has a '*'";
  if (llvm::any_of(layers.asArrayRef(), [](int64_t l) { return l < -1; }))
    return emitError() << "expected layer numbers of at least -1";
  return success();
}

LogicalResult FileAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               StringAttr name, StringAttr path,
                               StringAttr fingerprint) {
  if (name.empty() || path.empty())
    return emitError() << "expected a name and a path";
  return success();
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

bool mlir::lori::hasLayout(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || (tensor.getEncoding() && !getPanels(tensor)))
    return false;
  auto quant = dyn_cast<QuantType>(tensor.getElementType());
  if (!quant)
    return isa<Float32Type, Float16Type, BFloat16Type>(tensor.getElementType());
  return tensor.hasStaticShape() && tensor.getRank() != 0 &&
         tensor.getShape().back() % quant.getBlockEntries() == 0;
}

bool mlir::lori::isStorable(Type type) {
  return hasLayout(type) && cast<RankedTensorType>(type).hasStaticShape();
}

PanelsAttr mlir::lori::getPanels(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor ? dyn_cast_or_null<PanelsAttr>(tensor.getEncoding()) : nullptr;
}

RankedTensorType mlir::lori::getStorageType(RankedTensorType type) {
  auto quant = dyn_cast<QuantType>(type.getElementType());
  PanelsAttr panels = getPanels(type);
  if (!quant && !panels)
    return type;
  SmallVector<int64_t> shape(type.getShape());
  Type element = type.getElementType();
  int64_t *rows = panels ? &shape[shape.size() - 2] : nullptr;
  if (rows && !ShapedType::isDynamic(*rows))
    *rows = llvm::divideCeilSigned(*rows, panels.getRows());
  if (quant) {
    element = IntegerType::get(type.getContext(), 8);
    shape.back() /= quant.getBlockEntries();
    shape.push_back(quant.getBlockBytes());
  }
  if (panels)
    shape.push_back(panels.getRows());
  return RankedTensorType::get(shape, element);
}

int64_t mlir::lori::getStorageBytes(RankedTensorType type) {
  RankedTensorType storage = getStorageType(type);
  return storage.getNumElements() *
         llvm::divideCeil(storage.getElementTypeBitWidth(), 8);
}

RankedTensorType mlir::lori::getLayerType(RankedTensorType type) {
  return RankedTensorType::get(type.getShape().drop_front(),
                               type.getElementType(), type.getEncoding());
}

RankedTensorType mlir::lori::getStackedType(RankedTensorType type,
                                            int64_t layers) {
  SmallVector<int64_t> shape{layers};
  llvm::append_range(shape, type.getShape());
  return RankedTensorType::get(shape, type.getElementType(),
                               type.getEncoding());
}
