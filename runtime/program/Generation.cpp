// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Generation.h"

#include <algorithm>
#include <random>

using namespace lori;

static uint64_t seedOf(const SamplingOptions &sampling) {
  if (sampling.seed)
    return *sampling.seed;
  std::random_device random;
  return uint64_t(random()) << 32 | random();
}

Generation::Generation(const ModelInfo &info, const Tokenizer *tokenizer,
                       const Options &options, int64_t newTokens)
    : info(info), options(options), limit(newTokens),
      sampler({options.sampling.temperature, options.sampling.topK,
               options.sampling.topP, seedOf(options.sampling)}) {
  if (tokenizer)
    stream.emplace(*tokenizer, options.stops);
}

bool Generation::isEnd(int32_t token) const {
  return !options.ignoreEos &&
         std::ranges::find(info.eos, token) != info.eos.end();
}

void Generation::addText(std::string_view text) {
  answer += text;
  if (onText && !text.empty())
    onText(text);
}

std::optional<int32_t> Generation::pick(std::span<const float> logits) {
  int32_t token = sampler.sample(logits);
  picked.push_back(token);
  if (onToken)
    onToken(token);
  if (isEnd(token))
    return std::nullopt;
  if (stream) {
    addText(stream->add(token));
    if (stream->stopped())
      return std::nullopt;
  }
  if (static_cast<int64_t>(picked.size()) == limit)
    return std::nullopt;
  return token;
}

void Generation::finish() {
  if (stream)
    addText(stream->finish());
}
