// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_SAMPLER_H
#define LORI_RUNTIME_TEXT_SAMPLER_H

#include <cstdint>
#include <span>
#include <vector>

namespace lori {

/// How the next token is chosen.
struct SamplerOptions {
  /// 0 takes the most likely token, ties to the lowest id.
  double temperature = 0;
  /// Keep the `topK` most likely tokens; 0 keeps all.
  int64_t topK = 0;
  /// Keep the fewest tokens whose probabilities add up to `topP`.
  double topP = 1;
  uint64_t seed = 0;
};

/// Chooses tokens from logits. Draw number n of a seed is the same on every
/// machine: word 0 of Philox4x32-10 (Salmon et al., SC 2011) with counter
/// (n, 0, 0, 0) and the seed as key.
class Sampler {
public:
  explicit Sampler(const SamplerOptions &options) : options(options) {}

  /// Returns the next token's id. Throws Error if a logit is NaN, or none is
  /// above minus infinity.
  int32_t sample(std::span<const float> logits);

private:
  struct Candidate {
    float logit;
    int32_t id;
  };
  int32_t draw();
  double uniform();

  SamplerOptions options;
  uint64_t draws = 0;
  std::vector<Candidate> candidates;
};

} // namespace lori

#endif // LORI_RUNTIME_TEXT_SAMPLER_H
