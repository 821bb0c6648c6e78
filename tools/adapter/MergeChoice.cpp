// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergeChoice.h"
#include "runtime/support/Error.h"

#include <tuple>

using namespace lori;

// cat, sum and average do the same as concat, or more by accident.
static bool isSecondChoice(MergeType type) {
  return type != MergeType::ExactLinear && type != MergeType::Concat;
}

static auto rankOf(const MergePrediction &merge) {
  return std::tuple(merge.bytes, merge.error, isSecondChoice(merge.type));
}

MergeType lori::chooseMerge(const std::vector<MergePrediction> &predictions,
                            double maxError) {
  const MergePrediction *best = nullptr;
  std::string reason;
  for (const MergePrediction &merge : predictions) {
    if (merge.type == MergeType::Concat)
      reason = merge.reason;
    bool isEligible = merge.basis == MergePrediction::Basis::Computed &&
                      merge.error <= maxError; // not if it is NaN
    if (isEligible && (!best || rankOf(merge) < rankOf(*best)))
      best = &merge;
  }
  if (!best)
    throw Error(
        "--type=auto",
        "finds no merge whose error is known and small enough (" +
            (reason.empty() ? "the weighted sum of the deltas is 0" : reason) +
            "), name a type");
  return best->type;
}
