// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LM_LM_TD
#define LORI_DIALECT_LM_LM_TD

include "dialect/lm/LmDialect.td"
include "dialect/lm/LmOps.td"

#endif // LORI_DIALECT_LM_LM_TD
