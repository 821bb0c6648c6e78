// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// adapter_config.json.

#include "runtime/formats/PeftConfig.h"
#include "runtime/support/Error.h"

#include <cstdlib>

using namespace lori;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  using Kind = AdaptableModule::Kind;
  static const AdaptableModule modules[] = {
      {"model.embed_tokens", Kind::Embedding, -1, 24, 16},
      {"model.layers.0.self_attn.q_proj", Kind::Linear, 0, 16, 16},
      {"model.layers.11.mlp.down_proj", Kind::Linear, 11, 24, 16},
      {"lm_head", Kind::LmHead, -1, 16, 24}};
  try {
    PeftConfig config =
        PeftConfig::parse({reinterpret_cast<const char *>(data), size}, "fuzz");
    for (const AdaptableModule &module : modules) {
      config.targets(module);
      config.scalingOf(module.path);
      if (config.rankOf(module.path) < 1)
        std::abort();
    }
  } catch (const Error &) {
    return 0; // refused, as it should be
  }
  return 0;
}
