// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/StepSignature.h"
#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriTypes.h"
#include "runtime/support/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <algorithm>

using namespace lori;
using mlir::RankedTensorType;
using mlir::ShapedType;

namespace {

/// Reads one function type, refusing what no step function has.
class SignatureReader {
public:
  SignatureReader(mlir::func::FuncOp step, const std::string &file)
      : step(step), file(file) {}

  StepSignature read();

private:
  [[noreturn]] void refuse(const std::string &what) const {
    throw Error(file, "func @step " + what +
                          ", expected the function that --emit=mlir writes: "
                          "(tokens, positions, sequences, output rows, pages, "
                          "keys, values) -> (logits, keys, values)");
  }
  RankedTensorType tensor(mlir::Type type, const char *name, int64_t rank);
  void checkIds(unsigned argument, const char *name);
  void readPages(StepSignature &result);
  void readCaches(StepSignature &result);

  mlir::func::FuncOp step;
  const std::string &file;
};

} // namespace

RankedTensorType SignatureReader::tensor(mlir::Type type, const char *name,
                                         int64_t rank) {
  auto tensor = mlir::dyn_cast<RankedTensorType>(type);
  if (!tensor || tensor.getRank() != rank || tensor.getEncoding())
    refuse("has no tensor of rank " + std::to_string(rank) + " for its " +
           name);
  return tensor;
}

void SignatureReader::checkIds(unsigned argument, const char *name) {
  RankedTensorType ids = tensor(step.getArgumentTypes()[argument], name, 1);
  if (!ids.isDynamicDim(0) || !ids.getElementType().isInteger(32))
    refuse(std::string("takes its ") + name + " not as tensor<?xi32>");
}

void SignatureReader::readPages(StepSignature &result) {
  RankedTensorType pages = tensor(step.getArgumentTypes()[4], "pages", 2);
  if (!pages.hasStaticShape() || !pages.getElementType().isInteger(32))
    refuse("takes its pages not as a static tensor of i32");
  result.sequences = pages.getDimSize(0);
  result.pagesPerSequence = pages.getDimSize(1);
}

void SignatureReader::readCaches(StepSignature &result) {
  auto keys = mlir::dyn_cast<RankedTensorType>(step.getArgumentTypes()[5]);
  auto values = mlir::dyn_cast<RankedTensorType>(step.getArgumentTypes()[6]);
  bool isTensor = keys && values && keys.hasStaticShape() &&
                  values.hasStaticShape() && values.getRank() >= 5;
  // The keys of a page are neighbours: their dimension moves to the end.
  llvm::SmallVector<int64_t> shape;
  if (isTensor)
    shape.assign(values.getShape().begin(), values.getShape().end());
  if (!isTensor || shape[3] != mlir::lm::pageTokens ||
      llvm::any_of(shape, [](int64_t size) { return size <= 0; }))
    refuse("has caches other than [page, layer, head, entry, 16] and [page, "
           "layer, head, 16, entry]");
  std::rotate(shape.begin() + 3, shape.begin() + 4, shape.end());
  if (keys != values.clone(llvm::ArrayRef(shape)))
    refuse("has keys and values that do not agree");
  if (step.getResultTypes()[1] != keys || step.getResultTypes()[2] != values)
    refuse("returns other caches than it takes");
  // Blocks of bytes are those of q8_0, 32 entries each.
  bool hasBlocks = values.getElementType().isInteger(8);
  result.layers = values.getDimSize(1);
  result.kvHeads = values.getDimSize(2);
  result.headDim = values.getDimSize(4) * (hasBlocks ? 32 : 1);
  result.cacheType =
      hasBlocks ? mlir::Type(mlir::lori::QuantType::get(
                      step.getContext(), mlir::lori::QuantFormat::Q8_0))
                : values.getElementType();
  result.keyPageBytes = result.valuePageBytes =
      mlir::lori::getStorageBytes(mlir::lori::getLayerType(values));
}

StepSignature SignatureReader::read() {
  if (step.getNumArguments() != 7 || step.getNumResults() != 3 ||
      step.isExternal())
    refuse("has other arguments or results");
  const char *ids[] = {"tokens", "positions", "sequences", "output rows"};
  for (auto [argument, name] : llvm::enumerate(ids))
    checkIds(static_cast<unsigned>(argument), name);
  StepSignature result;
  readPages(result);
  readCaches(result);
  RankedTensorType logits = tensor(step.getResultTypes()[0], "logits", 2);
  if (!logits.getElementType().isF32() || !logits.isDynamicDim(0) ||
      logits.isDynamicDim(1))
    refuse("returns its logits not as tensor<?xNxf32>");
  result.vocabulary = logits.getDimSize(1);
  return result;
}

StepSignature lori::readStepSignature(mlir::ModuleOp module,
                                      const std::string &file) {
  auto step = module.lookupSymbol<mlir::func::FuncOp>("step");
  if (!step)
    throw Error(file, "has no func @step, expected the module of a model as "
                      "--emit=mlir writes it");
  return SignatureReader(step, file).read();
}
