// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A small deterministic model in place of compiled code: it defines lori_step.
// A row's logits depend on every token before it and on the adapter weights
// that each of them had, read through keys, values and pages as compiled code
// reads them, so that a wrong page, position, weight or order shows.

#ifndef LORI_TEST_UNIT_ENGINE_FAKEMODEL_H
#define LORI_TEST_UNIT_ENGINE_FAKEMODEL_H

#include "runtime/engine/ModelInfo.h"

#include <cstddef>
#include <string>
#include <vector>

namespace lori::fake {

inline constexpr int64_t vocabulary = 300, logitsStride = 304, headDim = 4;
inline constexpr int64_t pagesPerSequence = 8, adapters = 3;

/// The only site of loaded adapters. One acts as the adapter "plus", weighed by
/// its scaling * A[0, 0] * B[0, 0].
inline constexpr const char *site = "model.layers.*.self_attn.q_proj";
inline constexpr int64_t siteIn = 3, siteOut = 5, panelRows = 4;

/// That weight, of the factors that lie at `layer`.
float weightOfFactors(const std::byte *layer);

/// A token whose logits are NaN.
inline constexpr int32_t poison = 299;

/// A token and the weights of the adapters it is computed with.
struct Token {
  int32_t id = 0;
  std::vector<float> scales = std::vector<float>(adapters);
};

/// The logits after the last of `tokens`, computed from the definition.
std::vector<float> logitsAfter(const std::vector<Token> &tokens);

/// The greedy continuation of `prompt` by `count` tokens, all with `scales`.
std::vector<int32_t> greedy(const std::vector<int32_t> &prompt, size_t count,
                            const std::vector<float> &scales = {0, 0, 0});

/// Metadata that fits the model; adapters "plus", "minus" (compiled-in weight
/// 0.5) and "third". Context, rows and sequences may be changed.
ModelInfo info();

/// The parameter section.
std::vector<float> parameters();

/// Writes an artefact behind `prefix` (an ELF image or nothing).
void write(const std::string &path, const ModelInfo &info,
           std::string_view prefix = "", std::string_view tokenizer = "",
           bool executable = false);

/// Breaches of lori_step's contract so far.
extern std::vector<std::string> breaches;
/// Rows of each call so far.
extern std::vector<int64_t> calls;

} // namespace lori::fake

#endif // LORI_TEST_UNIT_ENGINE_FAKEMODEL_H
