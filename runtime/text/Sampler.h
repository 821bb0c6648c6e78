// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_TEXT_SAMPLER_H
#define LORI_RUNTIME_TEXT_SAMPLER_H

#include <cstdint>
#include <span>
#include <vector>

namespace lori {

/// How the next token is chosen. As in transformers, `topK` comes before
/// `topP`, and both see the probabilities after `temperature`.
struct SamplerOptions {
  /// 0 takes the most likely token, ties to the lowest id.
  double temperature = 0;
  /// Keep the `topK` most likely tokens, of equal ones the lowest ids; 0 keeps
  /// all.
  int64_t topK = 0;
  /// Keep the fewest tokens whose probabilities add up to `topP`, at least one.
  double topP = 1;
  uint64_t seed = 0;
};

/// Chooses tokens from logits. Draw number n of a seed is the same on every
/// machine: of Philox4x32-10 with counter (n low, n high, 0, 0) and the seed as
/// key (runtime/support/Philox.h), word 0 above the upper 21 bits of word 1, as
/// a multiple of 2^-53.
class Sampler {
public:
  /// Throws Error for a negative temperature or topK, and a topP outside of
  /// 0 to 1.
  explicit Sampler(const SamplerOptions &options);

  /// Returns the next token's id. Minus infinity rules a token out. Throws
  /// Error if a logit is NaN or plus infinity, or none is above minus infinity.
  int32_t sample(std::span<const float> logits);

private:
  struct Candidate {
    float logit;
    int32_t id;
    double weight; ///< proportional to the probability
  };
  static bool isLikelier(const Candidate &left, const Candidate &right) {
    return left.logit != right.logit ? left.logit > right.logit
                                     : left.id < right.id;
  }
  void keepTopK();
  void weigh(float highest);
  double totalWeight() const;
  void keepTopP();
  double uniform();
  int32_t draw();

  SamplerOptions options;
  uint64_t draws = 0;
  std::vector<Candidate> candidates;
};

/// Returns the id of the highest logit, the lowest of equal ones. Throws as
/// `Sampler::sample`.
int32_t mostLikely(std::span<const float> logits);

} // namespace lori

#endif // LORI_RUNTIME_TEXT_SAMPLER_H
