// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Sampler.h"
#include "runtime/support/Error.h"
#include "runtime/support/Philox.h"

#include <algorithm>
#include <cmath>

using namespace lori;

int32_t Sampler::sample(std::span<const float> logits) {
  size_t best = logits.size();
  for (size_t id = 0; id < logits.size(); ++id) {
    if (std::isnan(logits[id]))
      throw Error("the model's output is not a number; its weights or the "
                  "adapter are damaged");
    if (std::isfinite(logits[id]) &&
        (best == logits.size() || logits[id] > logits[best]))
      best = id;
  }
  if (best == logits.size())
    throw Error("the model's output has no finite value");
  if (options.temperature <= 0)
    return static_cast<int32_t>(best);

  candidates.clear();
  for (size_t id = 0; id < logits.size(); ++id)
    candidates.push_back({logits[id], static_cast<int32_t>(id)});
  return draw();
}

double Sampler::uniform() {
  uint32_t word = philox4x32(
      {static_cast<uint32_t>(draws), static_cast<uint32_t>(draws >> 32), 0, 0},
      options.seed)[0];
  ++draws;
  return (static_cast<double>(word) + 0.5) / 4294967296.0;
}

int32_t Sampler::draw() {
  auto isLikelier = [](const Candidate &a, const Candidate &b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  auto topK = static_cast<size_t>(options.topK);
  if (options.topK > 0 && topK < candidates.size()) {
    std::nth_element(candidates.begin(),
                     candidates.begin() + static_cast<ptrdiff_t>(topK),
                     candidates.end(), isLikelier);
    candidates.resize(topK);
  }
  double top = std::max_element(candidates.begin(), candidates.end(),
                                [&](const Candidate &a, const Candidate &b) {
                                  return isLikelier(b, a);
                                })
                   ->logit;
  auto weight = [&](const Candidate &candidate) {
    return std::exp((candidate.logit - top) / options.temperature);
  };
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += weight(candidate);

  // Partial sorts, doubled until they hold the nucleus, instead of a full one.
  size_t kept = candidates.size();
  double keptWeight = total;
  if (options.topP < 1) {
    size_t sorted = 0;
    keptWeight = 0;
    kept = 0;
    do {
      if (kept == sorted) {
        size_t end =
            std::min(candidates.size(), std::max<size_t>(64, 2 * sorted));
        std::partial_sort(candidates.begin() + static_cast<ptrdiff_t>(sorted),
                          candidates.begin() + static_cast<ptrdiff_t>(end),
                          candidates.end(), isLikelier);
        sorted = end;
      }
      keptWeight += weight(candidates[kept++]);
    } while (kept < candidates.size() && keptWeight < options.topP * total);
  }
  double target = uniform() * keptWeight;
  for (size_t i = 0; i < kept; ++i) {
    target -= weight(candidates[i]);
    if (target < 0)
      return candidates[i].id;
  }
  // Rounding may leave a little of the target.
  return candidates[kept - 1].id;
}
