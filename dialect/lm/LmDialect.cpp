// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "dialect/lm/LmDialect.h"
#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::lm;

#include "dialect/lm/LmDialect.cpp.inc"

void LmDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "dialect/lm/LmOps.cpp.inc"
      >();
}
