// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergePrediction.h"
#include "runtime/formats/JsonWriter.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

using namespace lori;

static constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

static std::string reasonAgainst(MergeType type, const MergeOptions &options) {
  if (sparsifyOf(type) != Sparsify::None && usesSvd(type))
    return "prunes single entries of the deltas, of which the factors tell "
           "nothing";
  if (sparsifyOf(type) != Sparsify::None && !options.density)
    return "needs --density";
  return "";
}

static int64_t bytesOf(const MergePlan &plan) {
  int64_t bytes = 0;
  for (const PlannedModule &planned : plan.modules)
    bytes += 4 * planned.rank * (planned.module.in + planned.module.out);
  return bytes;
}

MergePredictor::MergePredictor(const std::vector<AdapterInput> &inputs,
                               const MergeOptions &options)
    : squaredSums(alignModules(inputs).size()) {
  for (MergeType type : allMergeTypes()) {
    Candidate candidate;
    candidate.squaredErrors.resize(squaredSums.size());
    candidate.prediction.type = type;
    candidate.prediction.reason = reasonAgainst(type, options);
    MergeOptions own = options;
    own.type = type;
    if (candidate.prediction.reason.empty())
      try {
        candidate.plan = planMerge(inputs, own);
      } catch (const Error &error) {
        candidate.prediction.reason = error.what();
      }
    if (const std::optional<MergePlan> &plan = candidate.plan) {
      candidate.config.emplace(
          PeftConfig::parse(jsonText(plan->config), "adapter_config.json"));
      bool isDrawn = sparsifyOf(type) == Sparsify::Drop;
      candidate.prediction.basis = isDrawn ? MergePrediction::Basis::OneDraw
                                           : MergePrediction::Basis::Computed;
      candidate.prediction.bytes = bytesOf(*plan);
      for (const PlannedModule &planned : plan->modules)
        candidate.prediction.rank =
            std::max(candidate.prediction.rank, planned.rank);
    }
    candidates.push_back(std::move(candidate));
  }
}

void MergePredictor::refuse(Candidate &candidate, size_t index,
                            const std::string &reason) {
  std::lock_guard lock(guard);
  candidate.prediction.basis = MergePrediction::Basis::Unknown;
  if (index > candidate.refusedAt)
    return;
  candidate.refusedAt = index;
  candidate.prediction.reason = reason;
}

/// Returns |scaling M - T|^2 = |sM|^2 - 2 <sM, T> + |T|^2, T = sum p_i B_i A_i.
static double squaredDistance(const WideFactors &merged, double scaling,
                              const std::vector<WideFactors> &parts,
                              const std::vector<MergeInput> &inputs,
                              double sum) {
  double product = 0;
  for (size_t i = 0; i < parts.size(); ++i)
    product +=
        inputs[i].weight * inputs[i].scaling * innerProduct(merged, parts[i]);
  double squared = scaling * scaling * innerProduct(merged, merged) -
                   2 * scaling * product + sum;
  return std::isnan(squared) ? unknown : std::max(squared, 0.0);
}

/// Whether merging in f32 stays finite: p A, and p B A.
static bool fitsFloats(const MergePredictor::Parts &parts,
                       const std::vector<MergeInput> &inputs) {
  auto norm = [](const std::vector<double> &values) {
    double squares =
        std::inner_product(values.begin(), values.end(), values.begin(), 0.0);
    return std::sqrt(squares);
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    double size = std::fabs(inputs[i].weight * inputs[i].scaling) *
                  norm(parts.wide[i].a) * std::max(1.0, norm(parts.wide[i].b));
    if (!(size <= std::numeric_limits<float>::max()))
      return false;
  }
  return true;
}

/// The squared error of one module, NaN if it cannot be told.
double MergePredictor::errorOf(Candidate &candidate, size_t index,
                               const Parts &parts, double sum) {
  const MergePlan &plan = *candidate.plan;
  const PlannedModule &planned = plan.modules[index];
  double scaling = candidate.config->scalingOf(planned.module.path);
  std::vector<MergeInput> inputs;
  inputs.reserve(planned.parts.size());
  for (size_t i = 0; i < planned.parts.size(); ++i)
    inputs.push_back({planned.parts[i].module->rank, parts.as[i], parts.bs[i],
                      planned.parts[i].module->scaling,
                      plan.options.weights[planned.parts[i].adapter]});
  if (!fitsFloats(parts, inputs)) {
    refuse(candidate, index, "overflows f32 with these weights");
    return unknown;
  }
  // Side by side is exact, but for a scaling that is inherited.
  if (concatenates(candidate.prediction.type))
    return (scaling - 1) * (scaling - 1) * sum;
  try {
    Factors merged = mergeModule(
        planned.module, inputs, plan.options,
        [&](size_t drop, int64_t rows, int64_t columns) {
          return drawKept(plan, planned.firstDrop + drop, rows, columns);
        });
    if (candidate.prediction.type == MergeType::ExactLinear)
      return 0;
    return squaredDistance(
        widen(merged.rows, merged.columns, merged.rank, merged.b, merged.a),
        scaling, parts.wide, inputs, sum);
  } catch (const MergeError &error) {
    refuse(candidate, index, error.what());
    return unknown;
  }
}

std::vector<double> MergePredictor::predict(size_t index, const Parts &parts,
                                            double sum) {
  std::vector<double> errors;
  for (Candidate &candidate : candidates) {
    double squared =
        candidate.plan ? errorOf(candidate, index, parts, sum) : unknown;
    errors.push_back(std::sqrt(squared / sum));
    candidate.squaredErrors[index] = squared;
  }
  squaredSums[index] = sum;
  return errors;
}

// In the order of the modules, so that threads do not change the rounding.
static double sumOf(const std::vector<double> &values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

std::vector<MergePrediction> MergePredictor::totals() const {
  std::vector<MergePrediction> totals;
  for (const Candidate &candidate : candidates) {
    MergePrediction total = candidate.prediction;
    total.error =
        total.basis == MergePrediction::Basis::Unknown
            ? unknown
            : std::sqrt(sumOf(candidate.squaredErrors) / sumOf(squaredSums));
    totals.push_back(std::move(total));
  }
  return totals;
}
