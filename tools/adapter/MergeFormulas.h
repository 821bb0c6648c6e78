// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The arithmetic of merging on plain tensors, in f32 and in PEFT's order
// (peft, utils/merge_utils.py): TIES (arXiv 2306.01708), DARE (2311.03099).

#ifndef LORI_TOOLS_ADAPTER_MERGEFORMULAS_H
#define LORI_TOOLS_ADAPTER_MERGEFORMULAS_H

#include <cstdint>
#include <span>
#include <vector>

namespace lori {

/// The sign of an entry is that of the sum of its values, or that of the sum of
/// their signs; of 0 it is plus.
enum class SignElection : uint8_t { Total, Frequency };

/// Keeps the int(density * n) entries of the largest magnitude and sets the
/// others to 0; density >= 1 keeps all. Among equal magnitudes it picks those
/// that torch.topk picks on a CPU. Entries must not be NaN.
void trimToDensity(std::span<float> tensor, double density);

/// Sets the entries whose byte in `kept` is 0 to 0, and divides what is left by
/// `density` if `rescale`.
void dropEntries(std::span<float> tensor, std::span<const uint8_t> kept,
                 double density, bool rescale);

/// Draws `kept`, each byte 1 with probability `density`: Philox4x32-10 with the
/// key `seed`, the counter (index / 4 in 64 bits, stream, 0), word index % 4,
/// compared
/// with density * 2^32.
void drawBernoulli(std::span<uint8_t> kept, double density, uint64_t seed,
                   uint32_t stream);

/// Tensors of equal size, one an adapter, each with its multiplier.
struct WeightedTensors {
  std::vector<std::span<const float>> tensors;
  std::vector<float> multipliers;
};

/// out = sum_i u_i T_i
void sumWeighted(std::span<float> out, const WeightedTensors &in);

/// out = sum_i u_i T_i M_i / max(1, sum_i M_i), where M_i is 1 where T_i has
/// the elected sign.
void mergeDisjoint(std::span<float> out, const WeightedTensors &in,
                   SignElection election);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MERGEFORMULAS_H
