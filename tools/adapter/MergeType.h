// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_MERGETYPE_H
#define LORI_TOOLS_ADAPTER_MERGETYPE_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lori {

/// How several adapters become one. The upper eleven are PEFT's, with its
/// meaning; the lower ones are named after the LoRI paper (arXiv 2504.07448),
/// and exact.
enum class MergeType : uint8_t {
  Cat,
  Linear,
  Ties,
  DareLinear,
  DareTies,
  MagnitudePrune,
  Svd,
  TiesSvd,
  DareLinearSvd,
  DareTiesSvd,
  MagnitudePruneSvd,
  Sum,         ///< the deltas, summed: weights are 1 if not given
  Average,     ///< their mean: weights are 1/n if not given
  Concat,      ///< factors side by side, as cat without PEFT's special cases
  ExactLinear, ///< equal A's: the weighted sum of the B's, rank unchanged
};

/// What is taken away from a tensor before it is summed.
enum class Sparsify : uint8_t { None, Trim, Drop };

/// Returns the type called `name` ("dare_ties_svd").
std::optional<MergeType> mergeTypeByName(std::string_view name);
std::string_view mergeTypeName(MergeType type);
/// All of them, in the order above.
std::vector<MergeType> allMergeTypes();
/// All names, for messages.
std::string mergeTypeNames();

bool isPeftType(MergeType type);
/// Whether it works on deltas, which a singular value decomposition takes
/// apart again.
bool usesSvd(MergeType type);
Sparsify sparsifyOf(MergeType type);
/// Whether signs are elected, and what agrees is averaged (TIES).
bool electsSigns(MergeType type);
/// Whether it puts factors side by side, so that ranks add up.
bool concatenates(MergeType type);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MERGETYPE_H
