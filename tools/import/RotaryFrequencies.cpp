// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/import/Import.h"

#include <cmath>
#include <numbers>

using namespace lori;

/// Slows low frequencies down by `factor` and leaves high ones, with a linear
/// passage between (transformers, _compute_llama3_parameters).
static float scaleLlama3(float frequency, const RopeConfig &rope) {
  double context = static_cast<double>(rope.originalContext);
  double lowWavelength = context / rope.lowFrequencyFactor;
  double highWavelength = context / rope.highFrequencyFactor;
  float wavelength =
      static_cast<float>(2 * std::numbers::pi / static_cast<double>(frequency));
  if (wavelength < highWavelength)
    return frequency;
  if (wavelength > lowWavelength)
    return frequency / static_cast<float>(rope.factor);
  float smooth =
      (static_cast<float>(context) / wavelength -
       static_cast<float>(rope.lowFrequencyFactor)) /
      static_cast<float>(rope.highFrequencyFactor - rope.lowFrequencyFactor);
  return (1 - smooth) * (frequency / static_cast<float>(rope.factor)) +
         smooth * frequency;
}

std::vector<float> lori::rotaryFrequencies(const ModelConfig &config) {
  const RopeConfig &rope = config.rope;
  std::vector<float> frequencies;
  for (int64_t pair = 0; pair < config.headDim / 2; ++pair) {
    float exponent =
        static_cast<float>(2 * pair) / static_cast<float>(config.headDim);
    float frequency = 1.0f / std::pow(static_cast<float>(rope.theta), exponent);
    switch (rope.kind) {
    case RopeConfig::Kind::Default:
      break;
    case RopeConfig::Kind::Linear:
      frequency /= static_cast<float>(rope.factor);
      break;
    case RopeConfig::Kind::Llama3:
      frequency = scaleLlama3(frequency, rope);
      break;
    }
    if (!rope.frequencyDivisors.empty())
      frequency /= rope.frequencyDivisors[static_cast<size_t>(pair)];
    frequencies.push_back(frequency);
  }
  return frequencies;
}
