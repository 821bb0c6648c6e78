// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriDialect.h"
#include "dialect/lori/LoriOps.h"
#include "dialect/lori/LoriTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::lori;

#include "dialect/lori/LoriDialect.cpp.inc"

void LoriDialect::initialize() {
  registerTypes();
  registerAttributes();
  addOperations<
#define GET_OP_LIST
#include "dialect/lori/LoriOps.cpp.inc"
      >();
}

static LogicalResult verifyFiles(Operation *op, Attribute files) {
  auto entries = dyn_cast<ArrayAttr>(files);
  if (!entries || !llvm::all_of(entries, llvm::IsaPred<FileAttr>))
    return op->emitError("expected 'lori.files' to be an array of #lori.file");
  llvm::StringSet<> names;
  for (auto file : entries.getAsRange<FileAttr>())
    if (!names.insert(file.getName()).second)
      return op->emitError("expected 'lori.files' to name ")
             << file.getName() << " once";
  return success();
}

LogicalResult LoriDialect::verifyOperationAttribute(Operation *op,
                                                    NamedAttribute attribute) {
  StringRef name = attribute.getName().strref();
  if (name != getFilesAttrName() && name != getContextAttrName() &&
      name != getResolvedAttrName())
    return success();
  if (!isa<ModuleOp>(op))
    return op->emitError("expected '") << name << "' on a module only";
  if (name == getFilesAttrName())
    return verifyFiles(op, attribute.getValue());
  if (name == getResolvedAttrName())
    return isa<UnitAttr>(attribute.getValue())
               ? success()
               : op->emitError("expected '") << name << "' without a value";
  auto context = dyn_cast<IntegerAttr>(attribute.getValue());
  if (!context || !context.getType().isInteger(64) || context.getInt() <= 0)
    return op->emitError("expected '")
           << name << "' to be a positive i64, found " << attribute.getValue();
  return success();
}
