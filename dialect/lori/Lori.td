// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORI_TD
#define LORI_DIALECT_LORI_LORI_TD

include "dialect/lori/LoriDialect.td"
include "dialect/lori/LoriTypes.td"
include "dialect/lori/LoriOps.td"
include "dialect/lori/LoriParamOps.td"
include "dialect/lori/LoriBankOps.td"

#endif // LORI_DIALECT_LORI_LORI_TD
