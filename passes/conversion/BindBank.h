// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_CONVERSION_BINDBANK_H
#define LORI_PASSES_CONVERSION_BINDBANK_H

#include "dialect/lori/LoriOps.h"

namespace mlir::lori {

/// The arguments of lori_step that describe loaded adapters, see
/// runtime/engine/StepAbi.h.
struct BankArguments {
  Value uses, useScales, bank;
};

/// Returns the number of fields of a use in a bank of `sites` sites.
int64_t getUseFields(int64_t sites);

/// Replaces `op` by loads and views of `arguments`.
void bindBankUse(BankUseOp op, const BankArguments &arguments);

/// Lets the views of `tensor`'s storage read `storage`.
void replaceStorage(Value tensor, Value storage);

} // namespace mlir::lori

#endif // LORI_PASSES_CONVERSION_BINDBANK_H
