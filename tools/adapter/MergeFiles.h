// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_MERGEFILES_H
#define LORI_TOOLS_ADAPTER_MERGEFILES_H

#include "tools/adapter/MergePlan.h"

namespace lori {

/// Merges `inputs` into a PEFT directory `output`, which appears whole or not
/// at all. Tensors are f32, as PEFT merges and saves them. `dropMasks`, if not
/// "", is a safetensors file with the draws of dare. Modules are merged on
/// `threads` threads, each with a module's tensors in memory. Throws Error.
void mergeToDirectory(const std::vector<AdapterInput> &inputs,
                      const MergePlan &plan, const std::string &dropMasks,
                      const std::string &output, unsigned threads);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MERGEFILES_H
