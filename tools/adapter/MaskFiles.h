// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_MASKFILES_H
#define LORI_TOOLS_ADAPTER_MASKFILES_H

#include "tools/adapter/Masks.h"

namespace lori {

/// Writes masks as tensors of booleans called as in the LoRI code's files
/// (`base_model.model.PATH.lora_B.default.weight`), as safetensors, or in
/// torch's format where the name ends in .pt.
void writeMasks(const Masks &masks, const std::string &path);

/// Reads either form; safetensors may also hold U8 entries 0 and 1, and names
/// without `.default`. Throws Error.
Masks readMasks(const std::string &path);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MASKFILES_H
