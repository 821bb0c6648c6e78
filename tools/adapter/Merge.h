// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_MERGE_H
#define LORI_TOOLS_ADAPTER_MERGE_H

#include "tools/adapter/AdapterInput.h"
#include "tools/adapter/LowRank.h"
#include "tools/adapter/MergeFormulas.h"
#include "tools/adapter/MergeType.h"
#include "tools/adapter/PeftVersion.h"

#include <functional>
#include <stdexcept>

namespace lori {

/// A module that cannot be merged: the sentence of an Error without its file.
class MergeError : public std::runtime_error {
public:
  using std::runtime_error::runtime_error;
};

struct MergeOptions {
  MergeType type = MergeType::Svd;
  std::vector<double> weights =
      {}; ///< one an adapter; sum, average: may be empty
  std::optional<double> density = std::nullopt;
  SignElection election = SignElection::Total;
  std::optional<int64_t> svdRank =
      std::nullopt;  ///< of the svd types; else the largest rank
  uint64_t seed = 0; ///< of the draws of dare
  PeftVersion compat = defaultPeftVersion;
};

/// One adapter's part in one module. B is [out, rank], A [rank, in]; its delta
/// is scaling * B A, and takes part times `weight`.
struct MergeInput {
  int64_t rank = 0;
  std::span<const float> a, b;
  double scaling = 1, weight = 1;
};

/// Returns which entries dare keeps (1) of the tensor [rows, columns] that PEFT
/// draws `index`-th within a module: first the A's, then the B's; for the svd
/// types the deltas.
using DropSource = std::function<std::vector<uint8_t>(
    size_t index, int64_t rows, int64_t columns)>;

/// Merges one module. The result's own scaling is 1. All adapters' factors must
/// have the size of the module. Throws MergeError where the version of PEFT
/// raises, and for impossible combinations.
Factors mergeModule(const AdaptableModule &module,
                    const std::vector<MergeInput> &inputs,
                    const MergeOptions &options, const DropSource &drops);

/// How many tensors dare draws for a module that `adapters` of them have.
size_t dropsPerModule(MergeType type, double density, size_t adapters);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MERGE_H
