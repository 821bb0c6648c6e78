// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LM_LMDIALECT_H
#define LORI_DIALECT_LM_LMDIALECT_H

#include "mlir/IR/Dialect.h"

#include "dialect/lm/LmDialect.h.inc"

#endif // LORI_DIALECT_LM_LMDIALECT_H
