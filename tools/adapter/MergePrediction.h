// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How far each type of merge is from the weighted sum of the deltas.

#ifndef LORI_TOOLS_ADAPTER_MERGEPREDICTION_H
#define LORI_TOOLS_ADAPTER_MERGEPREDICTION_H

#include "tools/adapter/Gram.h"
#include "tools/adapter/MergePlan.h"

#include <mutex>

namespace lori {

struct MergePrediction {
  enum class Basis : uint8_t {
    Computed, ///< for the given factors and weights, up to rounding
    OneDraw,  ///< for the draws of the given seed: an estimate for others
    Unknown   ///< see `reason`
  };

  MergeType type = MergeType::Cat;
  Basis basis = Basis::Unknown;
  std::string reason; ///< why there is no figure
  double error = 0;   ///< |M - T|_F / |T|_F in all modules, T = sum w_i D_i
  int64_t rank = 0;   ///< the largest of a module
  int64_t bytes = 0;  ///< of the result's factors, f32
};

/// Predicts every type of merge. What PEFT's types yield is what PEFT 0.21
/// loads from the result: scaled by sqrt(rank) where use_rslora is inherited.
/// Types that work on the deltas entry by entry have no prediction, since the
/// factors tell nothing of single entries.
class MergePredictor {
public:
  /// A module's factors, by part of the planned module.
  struct Parts {
    std::vector<std::vector<float>> as, bs;
    std::vector<WideFactors> wide;
  };

  /// `options` holds weights, density and seed; its type does not matter.
  MergePredictor(const std::vector<AdapterInput> &inputs,
                 const MergeOptions &options);

  /// Returns |M - T|_F / |T|_F of module `index` by each type, NaN where it is
  /// not known, and keeps it for the totals; `sum` is <T, T>. Differences below
  /// about 1e-7 are rounding. Several threads may call it for several modules.
  std::vector<double> predict(size_t index, const Parts &parts, double sum);

  /// The predictions for all modules, after each was predicted.
  std::vector<MergePrediction> totals() const;

private:
  struct Candidate {
    MergePrediction prediction;
    std::optional<MergePlan> plan;
    std::optional<PeftConfig> config;  ///< of the result
    std::vector<double> squaredErrors; ///< by module
    size_t refusedAt = SIZE_MAX;       ///< the first module that refuses
  };

  double errorOf(Candidate &candidate, size_t index, const Parts &parts,
                 double sum);
  void refuse(Candidate &candidate, size_t index, const std::string &reason);

  std::vector<Candidate> candidates;
  std::vector<double> squaredSums; ///< by module
  std::mutex guard;
};

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MERGEPREDICTION_H
