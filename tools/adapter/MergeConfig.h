// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_MERGECONFIG_H
#define LORI_TOOLS_ADAPTER_MERGECONFIG_H

#include "tools/adapter/MergePlan.h"

namespace lori {

/// Returns the adapter_config.json of a merge: the first adapter's, with rank
/// and alpha `rank` (so that the scaling is 1) and the targets of all. Where
/// modules have other ranks, the patterns say so. Adds to the plan's warnings.
/// Throws Error where target_modules do not go together.
JsonValue mergedConfig(const std::vector<AdapterInput> &inputs, MergePlan &plan,
                       int64_t rank);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MERGECONFIG_H
