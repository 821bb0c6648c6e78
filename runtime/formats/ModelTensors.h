// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_MODELTENSORS_H
#define LORI_RUNTIME_FORMATS_MODELTENSORS_H

#include "runtime/formats/ModelConfig.h"

namespace lori {

/// A tensor that a model must have, under its Hugging Face name.
struct ModelTensor {
  std::string name;
  std::vector<int64_t> shape; ///< outermost dimension first
};

/// Lists the tensors of a model in the order in which they are used:
/// embedding, layers, norm, and lm_head where it is not the embedding.
std::vector<ModelTensor> modelTensors(const ModelConfig &config);

/// Returns the Hugging Face name of a GGUF tensor
/// (`blk.3.attn_q.weight` -> `model.layers.3.self_attn.q_proj.weight`), or ""
/// if it has none.
std::string canonicalTensorName(std::string_view ggufName);

/// A weight matrix [out, in] to which an adapter can be attached. For the
/// embedding, `in` is the vocabulary and `out` the hidden size.
struct AdaptableModule {
  enum class Kind : uint8_t { Linear, Embedding, LmHead };

  std::string path; ///< as PEFT sees it: `model.layers.0.self_attn.q_proj`
  Kind kind = Kind::Linear;
  int64_t layer = -1; ///< -1 outside the layers
  int64_t in = 0;
  int64_t out = 0;
};

/// Lists these modules in model order; lm_head even where it is tied.
std::vector<AdaptableModule> adaptableModules(const ModelConfig &config);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_MODELTENSORS_H
