// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a decoder looks like, whichever file said so.

#ifndef LORI_RUNTIME_FORMATS_MODELCONFIG_H
#define LORI_RUNTIME_FORMATS_MODELCONFIG_H

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lori {

class Gguf;

enum class Architecture : uint8_t { Llama, Mistral, Qwen2, Qwen3 };

/// Returns the name as config.json's model_type has it ("llama").
std::string_view architectureName(Architecture architecture);

/// Rotary position embedding. Pair i of a head turns by
/// position * theta^(-2i / head_dim), scaled as `kind` says (transformers,
/// modeling_rope_utils.py).
struct RopeConfig {
  enum class Kind : uint8_t {
    Default,
    Linear, ///< every frequency divided by `factor`
    Llama3, ///< low frequencies divided by `factor`, with a smooth passage
  };
  Kind kind = Kind::Default;
  double theta = 10000;
  double factor = 1;
  double lowFrequencyFactor = 1;  ///< Llama3 only
  double highFrequencyFactor = 4; ///< Llama3 only, above lowFrequencyFactor
  int64_t originalContext = 0;    ///< Llama3 only
  /// GGUF's `rope_freqs.weight`: head_dim / 2 numbers by which the frequencies
  /// are divided, besides `kind`; empty if there are none. Llama 3 scaling
  /// comes in this form from GGUF files.
  std::vector<float> frequencyDivisors;
};

/// A decoder-only transformer: RMS norms, rotary attention with grouped keys
/// and values, SiLU-gated MLP. All sizes are positive and so bounded that
/// products of any two fit in 64 bits.
struct ModelConfig {
  Architecture architecture = Architecture::Llama;
  int64_t hiddenSize = 0;
  int64_t intermediateSize = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0; ///< divides heads
  int64_t headDim = 0; ///< even; heads * headDim need not be hiddenSize
  int64_t vocabulary = 0;
  int64_t context = 0; ///< positions the model was made for
  double normEpsilon = 0;
  RopeConfig rope;
  bool tiedEmbeddings = false; ///< lm_head is embed_tokens
  bool qkvBias = false;
  bool outputBias = false; ///< of o_proj
  bool mlpBias = false;
  bool qkNorm = false; ///< RMS norm of each head of q and k before rope
  /// Per layer: query i sees keys i - window < j <= i; 0 sees all before.
  std::vector<int64_t> windows;
  /// Pair i of a head is rows 2i, 2i + 1 of q and k (llama.cpp's order), and
  /// not i, i + headDim / 2 (Hugging Face's).
  bool interleavedRope = false;

  std::optional<int64_t> bosToken;
  std::vector<int64_t> eosTokens; ///< distinct, may be empty
  /// Whether prompts start with BOS; nothing if the files do not say.
  std::optional<bool> addBos;

  int64_t queryRows() const { return heads * headDim; }
  int64_t keyRows() const { return kvHeads * headDim; }
};

/// Reads config.json, generation_config.json and tokenizer_config.json (the
/// last two may be missing) of a Hugging Face directory. Both spellings of
/// config.json are understood: `rope_theta` with `rope_scaling`, and
/// `rope_parameters`. Throws Error for unknown architectures, quantised
/// checkpoints, mixtures of experts, rope kinds and activations that are not
/// supported, and missing or absurd values.
ModelConfig readModelConfig(const std::string &directory);

/// Reads the text of a config.json; `path` names it in errors.
ModelConfig parseModelConfig(std::string_view text, std::string_view path);

/// Reads the metadata of a GGUF model, and from its tensors what only they
/// say: ties, biases, rope_freqs. Throws Error as above.
ModelConfig modelConfigFromGguf(const Gguf &gguf);

/// Bounds of the sizes, shared by the readers.
namespace limits {
constexpr int64_t hidden = int64_t(1) << 20;
constexpr int64_t intermediate = int64_t(1) << 22;
constexpr int64_t layers = 4096;
constexpr int64_t heads = int64_t(1) << 14;
constexpr int64_t headDim = 4096;
constexpr int64_t vocabulary = int64_t(1) << 24;
constexpr int64_t context = int64_t(1) << 30;
} // namespace limits

/// Checks what no single field shows (divisibility, an even head_dim, token
/// ids inside the vocabulary). Throws Error with `path`.
void checkModelConfig(const ModelConfig &config, std::string_view path);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_MODELCONFIG_H
