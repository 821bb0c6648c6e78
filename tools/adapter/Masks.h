// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_MASKS_H
#define LORI_TOOLS_ADAPTER_MASKS_H

#include "tools/adapter/AdapterInput.h"

#include <map>

namespace lori {

/// Which matrices share one threshold: all; attention and MLP apart; each kind
/// of projection; each layer; each matrix for itself.
enum class MaskGranularity : uint8_t {
  Model,
  Module,
  Projection,
  Layer,
  Matrix
};

enum class MaskMethod : uint8_t { Magnitude, Random };

struct MaskOptions {
  double sparsity = 0.9; ///< the fraction of entries to zero
  MaskGranularity granularity = MaskGranularity::Model;
  MaskMethod method = MaskMethod::Magnitude;
  uint64_t seed = 0; ///< of random masks
};

/// Which entries of a B [rows, columns] are kept: a byte each, 1 or 0.
struct Mask {
  int64_t rows = 0, columns = 0;
  std::vector<uint8_t> keep;
};

/// Masks by module path.
using Masks = std::map<std::string, Mask>;

/// Chooses what to keep of each B. In a group of N entries k = int((1 -
/// sparsity) * N), in f64, as the LoRI code computes it (2399 of 24000 at
/// 0.9). Magnitude keeps what is not below the k-th largest magnitude, which
/// with ties is more than k; random keeps k entries: those with the smallest
/// words of Philox4x32-10 with the key `seed` and the counter (index / 4, 0, 0,
/// 0), word index % 4, where modules are in model order and the index counts
/// all entries; among equal words the first. Throws Error where a group would
/// keep nothing, or has fewer than k entries that are not 0.
Masks makeMasks(const AdapterInput &adapter, const MaskOptions &options);

/// Sets what is masked to 0, in bytes of a type. `mask` has the tensor's size.
void applyMask(const Mask &mask, StorageType type, std::span<std::byte> bytes);

/// Writes `adapter` as the PEFT directory `output` with the masks applied.
/// There must be one for each module and no other, `masksPath` names them in
/// errors. Throws Error.
void applyToDirectory(const AdapterInput &adapter, const Masks &masks,
                      const std::string &masksPath, const std::string &output);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MASKS_H
