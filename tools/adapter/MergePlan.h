// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_MERGEPLAN_H
#define LORI_TOOLS_ADAPTER_MERGEPLAN_H

#include "tools/adapter/Merge.h"

namespace lori {

/// A module of the result and the adapters that have it.
struct PlannedModule {
  struct Part {
    size_t adapter; ///< index into the inputs
    const AdapterModule *module;
  };

  AdaptableModule module;
  std::vector<Part> parts;
  int64_t rank = 0;     ///< of the result's factors, padded with zeros
  size_t firstDrop = 0; ///< number of its first draw among all draws
};

/// All that is decided about a merge before a number is computed.
struct MergePlan {
  MergeOptions options;               ///< with what was left open filled in
  std::vector<PlannedModule> modules; ///< in model order
  std::vector<const StoredTensor *> wholeTensors;
  size_t wholeTensorsOwner = 0; ///< the input that has these
  JsonValue config;             ///< the result's adapter_config.json
  size_t drops = 0;             ///< draws of dare in all
  std::vector<std::string> warnings;
};

/// Returns the modules of all `inputs` in model order, ranks and draws left
/// open. Throws Error where one module has two sizes.
std::vector<PlannedModule>
alignModules(const std::vector<AdapterInput> &inputs);

/// Draws which entries (1) dare keeps of the plan's tensor `index`, which is
/// [rows, columns].
std::vector<uint8_t> drawKept(const MergePlan &plan, size_t index, int64_t rows,
                              int64_t columns);

/// Plans the merge of `inputs`. Throws Error where the inputs do not go
/// together, where the version of PEFT asked for raises, and where its result
/// could not be loaded again.
MergePlan planMerge(const std::vector<AdapterInput> &inputs,
                    const MergeOptions &options);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MERGEPLAN_H
