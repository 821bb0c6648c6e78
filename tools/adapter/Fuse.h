// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_FUSE_H
#define LORI_TOOLS_ADAPTER_FUSE_H

#include "tools/adapter/AdapterInput.h"

namespace lori {

struct ScaledAdapter {
  AdapterInput input; ///< opened against the base
  double scale = 1;
};

struct FuseOptions {
  /// Round each adapter's delta to the weight's type before it is added, and
  /// the sum again, as PEFT's safe_merge does; else the deltas are summed in
  /// f32 and W + sum is rounded once.
  bool safeMerge = false;
  unsigned threads = 1;
};

/// Writes the Hugging Face directory `output`: the base with the adapters added
/// to its weights, in the base's types and shards, its configuration and
/// tokenizer copied. Appears whole or not at all. A few rows of one matrix are
/// in memory at a time. Throws Error for bases that are no such directory, for
/// adapters on tied embeddings, and if a fused weight overflows its type.
void fuseToDirectory(const Checkpoint &base,
                     const std::vector<ScaledAdapter> &adapters,
                     const std::string &output, const FuseOptions &options);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_FUSE_H
