// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_NEWADAPTER_H
#define LORI_TOOLS_ADAPTER_NEWADAPTER_H

#include "runtime/formats/Checkpoint.h"
#include "runtime/formats/SeededProjection.h"

namespace lori {

struct NewAdapterOptions {
  int64_t rank = 0;
  double alpha = 0;
  ProjectionSeed seed;
  StorageType type = StorageType::F32; ///< or F16, BF16
  /// Last parts of module paths; none: all projections of the layers.
  std::vector<std::string> targets;
};

/// Writes an untrained adapter for `base` as a PEFT directory: A's drawn from
/// the seed, B's of zeros. Throws Error.
void writeNewAdapter(const Checkpoint &base, const NewAdapterOptions &options,
                     const std::string &output);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_NEWADAPTER_H
