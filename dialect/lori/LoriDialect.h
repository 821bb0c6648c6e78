// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORIDIALECT_H
#define LORI_DIALECT_LORI_LORIDIALECT_H

#include "mlir/IR/Dialect.h"

#include "dialect/lori/LoriDialect.h.inc"

#endif // LORI_DIALECT_LORI_LORIDIALECT_H
