// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lori/LoriDialect.h"
#include "dialect/lori/LoriOps.h"
#include "dialect/lori/LoriTypes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

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
