// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergeFormulas.h"
#include "runtime/support/Philox.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <utility>

using namespace lori;

// torch's CPU kernel sorts (value, index) pairs by value alone with libstdc++'s
// partial_sort or nth_element; which of several equal values come first is
// whatever these leave. The same calls on the same sequence leave the same.
static void trimAsTopk(std::span<float> tensor, size_t k) {
  using Entry = std::pair<float, int64_t>;
  std::vector<Entry> queue(tensor.size());
  for (size_t i = 0; i < tensor.size(); ++i)
    queue[i] = {std::fabs(tensor[i]), static_cast<int64_t>(i)};
  auto larger = [](const Entry &a, const Entry &b) {
    return a.first > b.first;
  };
  auto last = queue.begin() + static_cast<int64_t>(k);
  if (k * 64 <= tensor.size())
    std::partial_sort(queue.begin(), last, queue.end(), larger);
  else
    std::nth_element(queue.begin(), last - 1, queue.end(), larger);
  for (auto dropped = last; dropped != queue.end(); ++dropped)
    tensor[static_cast<size_t>(dropped->second)] = 0;
}

void lori::trimToDensity(std::span<float> tensor, double density) {
  assert(density >= 0);
  if (density >= 1)
    return;
  auto k = static_cast<size_t>(density * static_cast<double>(tensor.size()));
  if (k == 0) {
    std::ranges::fill(tensor, 0.0f);
    return;
  }
  std::vector<float> magnitudes(tensor.size());
  std::ranges::transform(tensor, magnitudes.begin(),
                         [](float x) { return std::fabs(x); });
  auto threshold = magnitudes.begin() + static_cast<int64_t>(k - 1);
  std::nth_element(magnitudes.begin(), threshold, magnitudes.end(),
                   std::greater<>());
  float least = *threshold;
  // With fewer than k entries that are not 0, what goes is 0 already.
  if (least == 0)
    return;
  auto atLeast = static_cast<size_t>(std::ranges::count_if(
      tensor, [least](float x) { return std::fabs(x) >= least; }));
  if (atLeast != k)
    return trimAsTopk(tensor, k);
  for (float &x : tensor)
    x = std::fabs(x) >= least ? x : 0.0f;
}

void lori::dropEntries(std::span<float> tensor, std::span<const uint8_t> kept,
                       double density, bool rescale) {
  assert(tensor.size() == kept.size());
  float divisor = rescale ? static_cast<float>(density) : 1.0f;
  for (size_t i = 0; i < tensor.size(); ++i)
    tensor[i] = kept[i] ? tensor[i] / divisor : 0.0f;
}

void lori::drawBernoulli(std::span<uint8_t> kept, double density, uint64_t seed,
                         uint32_t stream) {
  auto limit = static_cast<uint64_t>(std::clamp(density, 0.0, 1.0) * 0x1p32);
  for (size_t i = 0; i < kept.size(); i += 4) {
    uint64_t block = i / 4;
    auto words = philox4x32({static_cast<uint32_t>(block),
                             static_cast<uint32_t>(block >> 32), stream, 0},
                            seed);
    for (size_t j = 0; j < 4 && i + j < kept.size(); ++j)
      kept[i + j] = words[j] < limit;
  }
}

void lori::sumWeighted(std::span<float> out, const WeightedTensors &in) {
  std::ranges::fill(out, 0.0f);
  for (size_t t = 0; t < in.tensors.size(); ++t) {
    std::span<const float> tensor = in.tensors[t];
    assert(tensor.size() == out.size());
    float u = in.multipliers[t];
    for (size_t i = 0; i < out.size(); ++i)
      out[i] += tensor[i] * u;
  }
}

template <SignElection Election>
static void mergeElected(std::span<float> out, const WeightedTensors &in) {
  // In chunks that stay in the first cache, each step a loop over the chunk
  // that becomes vector code.
  constexpr size_t chunk = 1024;
  float vote[chunk], sum[chunk], count[chunk];
  for (size_t at = 0; at < out.size(); at += chunk) {
    size_t n = std::min(chunk, out.size() - at);
    std::fill_n(vote, n, 0.0f);
    std::fill_n(sum, n, 0.0f);
    std::fill_n(count, n, 0.0f);
    for (std::span<const float> tensor : in.tensors)
      for (size_t i = 0; i < n; ++i) {
        float x = tensor[at + i];
        if constexpr (Election == SignElection::Total)
          vote[i] += x;
        else
          vote[i] += static_cast<float>(x > 0) - static_cast<float>(x < 0);
      }
    for (size_t t = 0; t < in.tensors.size(); ++t)
      for (size_t i = 0; i < n; ++i) {
        float x = in.tensors[t][at + i];
        bool agrees = vote[i] >= 0 ? x > 0 : x < 0;
        sum[i] += agrees ? x * in.multipliers[t] : 0.0f;
        count[i] += agrees ? 1.0f : 0.0f;
      }
    for (size_t i = 0; i < n; ++i)
      out[at + i] = sum[i] / std::max(1.0f, count[i]);
  }
}

void lori::mergeDisjoint(std::span<float> out, const WeightedTensors &in,
                         SignElection election) {
  election == SignElection::Total
      ? mergeElected<SignElection::Total>(out, in)
      : mergeElected<SignElection::Frequency>(out, in);
}
