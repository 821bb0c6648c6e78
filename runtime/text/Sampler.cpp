// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Sampler.h"
#include "runtime/support/Error.h"
#include "runtime/support/Philox.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

using namespace lori;

static constexpr float infinity = std::numeric_limits<float>::infinity();

Sampler::Sampler(const SamplerOptions &options) : options(options) {
  if (!std::isfinite(options.temperature) || options.temperature < 0)
    throw Error("the temperature must be a number from 0 on");
  if (options.topK < 0)
    throw Error("top-k must be 0 (all tokens) or more");
  if (std::isnan(options.topP) || options.topP < 0 || options.topP > 1)
    throw Error("top-p must be from 0 to 1");
}

// Lanes side by side, which the compiler turns into vectors: this runs for each
// token over the whole vocabulary.
int32_t lori::mostLikely(std::span<const float> logits) {
  constexpr size_t lanes = 16;
  std::array<float, lanes> highest;
  highest.fill(-infinity);
  std::array<uint32_t, lanes> wrong = {};
  auto look = [&](size_t lane, float value) {
    wrong[lane] |= static_cast<uint32_t>(!(value < infinity)); // NaN too
    highest[lane] = value > highest[lane] ? value : highest[lane];
  };
  size_t id = 0;
  for (; id + lanes <= logits.size(); id += lanes)
    for (size_t lane = 0; lane < lanes; ++lane)
      look(lane, logits[id + lane]);
  for (; id < logits.size(); ++id)
    look(0, logits[id]);
  if (std::ranges::find(wrong, 1u) != wrong.end())
    throw Error("the model's output is not a number; its weights or the "
                "adapter are damaged");
  float best = *std::ranges::max_element(highest);
  if (best == -infinity)
    throw Error("the model's output has no finite value");
  return static_cast<int32_t>(std::ranges::find(logits, best) - logits.begin());
}

void Sampler::keepTopK() {
  auto count = static_cast<size_t>(options.topK);
  if (count == 0 || count >= candidates.size())
    return;
  auto end = candidates.begin() + static_cast<ptrdiff_t>(count);
  std::nth_element(candidates.begin(), end, candidates.end(), isLikelier);
  candidates.resize(count);
}

void Sampler::weigh(float highest) {
  for (Candidate &candidate : candidates) {
    double distance = static_cast<double>(candidate.logit) - highest;
    candidate.weight = std::exp(distance / options.temperature);
  }
}

double Sampler::totalWeight() const {
  double total = 0;
  for (const Candidate &candidate : candidates)
    total += candidate.weight;
  return total;
}

// A quickselect by weight: linear in the vocabulary.
void Sampler::keepTopP() {
  if (options.topP >= 1)
    return;
  double wanted = options.topP * totalWeight(), reached = 0;
  auto first = candidates.begin(), end = candidates.end();
  // The candidate that reaches `wanted` is in [first, end), those before it are
  // kept and weigh `reached`.
  while (end - first > 1) {
    auto middle = first + (end - first) / 2;
    std::nth_element(first, middle, end, isLikelier);
    double weight = reached;
    for (auto candidate = first; candidate != middle; ++candidate)
      weight += candidate->weight;
    if (weight >= wanted) {
      end = middle;
    } else {
      first = middle;
      reached = weight;
    }
  }
  candidates.erase(first + 1, candidates.end());
}

double Sampler::uniform() {
  auto words = philox4x32(
      {static_cast<uint32_t>(draws), static_cast<uint32_t>(draws >> 32), 0, 0},
      options.seed);
  ++draws;
  uint64_t bits = static_cast<uint64_t>(words[0]) << 21 | words[1] >> 11;
  return static_cast<double>(bits) * 0x1p-53;
}

int32_t Sampler::draw() {
  // What is drawn must not depend on how the selection left them; without one
  // they are in order.
  auto byId = [](const Candidate &left, const Candidate &right) {
    return left.id < right.id;
  };
  if (!std::is_sorted(candidates.begin(), candidates.end(), byId))
    std::sort(candidates.begin(), candidates.end(), byId);
  double left = uniform() * totalWeight();
  for (const Candidate &candidate : candidates) {
    left -= candidate.weight;
    if (left < 0)
      return candidate.id;
  }
  // Rounding may leave a little: the most likely is right in any case.
  return std::min_element(candidates.begin(), candidates.end(), isLikelier)->id;
}

int32_t Sampler::sample(std::span<const float> logits) {
  int32_t best = mostLikely(logits);
  if (options.temperature == 0)
    return best;
  candidates.clear();
  for (size_t id = 0; id < logits.size(); ++id)
    if (logits[id] > -infinity)
      candidates.push_back({logits[id], static_cast<int32_t>(id), 0});
  keepTopK();
  weigh(logits[static_cast<size_t>(best)]);
  keepTopP();
  return draw();
}
