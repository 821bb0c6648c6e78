// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ModelConfig from the metadata of a GGUF file (llama.cpp, gguf-py/constants).

#include "runtime/formats/Gguf.h"
#include "runtime/formats/ModelConfig.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace lori;

namespace {

class GgufConfigReader {
public:
  explicit GgufConfigReader(const Gguf &gguf) : gguf(gguf) {}

  ModelConfig read() {
    readArchitecture();
    refuseVariants();
    readSizes();
    readRope();
    readBiases();
    readWindows();
    readTokens();
    checkModelConfig(config, gguf.path());
    return std::move(config);
  }

private:
  void readArchitecture() {
    if (gguf.isAdapter())
      throw Error(gguf.path(), "is an adapter, expected a model, give it as "
                               "--adapter NAME=PATH");
    prefix = std::string(gguf.architecture()) + ".";
    if (prefix == "llama.") {
      config.architecture = Architecture::Llama;
      // The converter reorders q and k for Llama and Mistral, which both carry
      // this name, and for no other.
      config.interleavedRope = true;
    } else if (prefix == "qwen2.") {
      config.architecture = Architecture::Qwen2;
    } else if (prefix == "qwen3.") {
      config.architecture = Architecture::Qwen3;
    } else {
      throw Error(gguf.path(), "the architecture " +
                                   std::string(gguf.architecture()) +
                                   " is not supported, supported are llama "
                                   "(Mistral, too), qwen2 and qwen3");
    }
  }

  void refuseVariants() const {
    if (gguf.getInteger(prefix + "expert_count").value_or(0) > 0)
      throw error("expert_count", "says that this is a mixture of experts, "
                                  "which is not supported");
    if (!gguf.getBool(prefix + "attention.causal").value_or(true))
      throw error("attention.causal", "is false, only causal decoders are "
                                      "supported");
    for (const char *key :
         {"attention.scale", "logit_scale", "residual_scale", "embedding_scale",
          "attn_logit_softcapping", "final_logit_softcapping"})
      if (double scale = gguf.getNumber(prefix + key).value_or(0);
          scale != 0 && scale != 1)
        throw error(key, "is " + std::to_string(scale) +
                             ", models that use it are not supported");
  }

  void readSizes() {
    config.hiddenSize = size("embedding_length", limits::hidden);
    config.intermediateSize = size("feed_forward_length", limits::intermediate);
    config.layers = size("block_count", limits::layers);
    config.heads = size("attention.head_count", limits::heads);
    config.kvHeads = gguf.find(prefix + "attention.head_count_kv")
                         ? size("attention.head_count_kv", limits::heads)
                         : config.heads;
    config.context = size("context_length", limits::context);
    config.normEpsilon = positive("attention.layer_norm_rms_epsilon", 0);
    if (config.normEpsilon == 0)
      throw error("attention.layer_norm_rms_epsilon", missing);
    readHeadDim();
    readVocabulary();
    config.tiedEmbeddings = !gguf.hasTensor("output.weight");
  }

  void readHeadDim() {
    if (gguf.find(prefix + "attention.key_length")) {
      config.headDim = size("attention.key_length", limits::headDim);
    } else {
      if (config.hiddenSize % config.heads != 0 ||
          config.hiddenSize / config.heads > limits::headDim)
        throw error("embedding_length",
                    "is " + std::to_string(config.hiddenSize) + ", which " +
                        std::to_string(config.heads) +
                        " heads cannot share, convert the model again");
      config.headDim = config.hiddenSize / config.heads;
    }
    for (const char *key : {"attention.value_length", "rope.dimension_count"})
      if (gguf.find(prefix + key) &&
          size(key, limits::headDim) != config.headDim)
        throw error(key, "differs from the head dimension " +
                             std::to_string(config.headDim) +
                             ", which is not supported");
  }

  // The embedding says it; llama.cpp counts the tokens instead.
  void readVocabulary() {
    const StoredTensor *embedding = gguf.findTensor("token_embd.weight");
    if (!embedding || embedding->shape.size() != 2)
      throw Error(gguf.path(), "lacks the tensor 'token_embd.weight', it is no "
                               "complete model");
    config.vocabulary = embedding->shape[0];
    if (config.vocabulary < 1 || config.vocabulary > limits::vocabulary)
      throw Error(gguf.path(), "the tensor 'token_embd.weight' has " +
                                   std::to_string(config.vocabulary) +
                                   " rows, expected 1 to " +
                                   std::to_string(limits::vocabulary));
    const GgufStrings *tokens = gguf.getStrings("tokenizer.ggml.tokens");
    if (tokens && tokens->size() > static_cast<size_t>(config.vocabulary))
      throw Error(gguf.path(), "has " + std::to_string(tokens->size()) +
                                   " tokens, but 'token_embd.weight' has " +
                                   std::to_string(config.vocabulary) +
                                   " rows, convert the model again");
  }

  void readRope() {
    config.rope.theta = positive("rope.freq_base", 10000);
    std::string_view kind =
        gguf.getText(prefix + "rope.scaling.type").value_or("none");
    // Before rope.scaling.type there was rope.scale_linear.
    double factor =
        positive("rope.scaling.factor", positive("rope.scale_linear", 1));
    if (kind == "none" && !gguf.find(prefix + "rope.scaling.type") &&
        factor != 1)
      kind = "linear";
    if (kind != "none" && kind != "linear")
      throw error("rope.scaling.type", "is \"" + std::string(kind) +
                                           "\", which is not supported, "
                                           "supported are none and linear");
    if (kind == "linear" && factor != 1) {
      config.rope.kind = RopeConfig::Kind::Linear;
      config.rope.factor = factor;
    }
    if (gguf.hasTensor("rope_freqs.weight"))
      readDivisors(*gguf.findTensor("rope_freqs.weight"));
  }

  void readDivisors(const StoredTensor &tensor) {
    if (tensor.type != StorageType::F32 || tensor.shape.size() != 1 ||
        tensor.shape[0] != config.headDim / 2)
      throw Error(gguf.path(), "the tensor 'rope_freqs.weight' is " +
                                   std::string(storageTypeName(tensor.type)) +
                                   " " + shapeText(tensor.shape) +
                                   ", expected F32 [" +
                                   std::to_string(config.headDim / 2) +
                                   "], convert the model again");
    auto &divisors = config.rope.frequencyDivisors;
    divisors.resize(static_cast<size_t>(tensor.shape[0]));
    std::memcpy(divisors.data(), gguf.bytes(tensor).data(), tensor.bytes);
    for (float divisor : divisors)
      if (!(divisor > 0) || !std::isfinite(divisor))
        throw Error(gguf.path(), "the tensor 'rope_freqs.weight' holds " +
                                     std::to_string(divisor) +
                                     ", expected numbers above 0, convert the "
                                     "model again");
  }

  void readBiases() {
    config.qkNorm = config.architecture == Architecture::Qwen3;
    config.qkvBias = gguf.hasTensor("blk.0.attn_q.bias");
    config.outputBias = gguf.hasTensor("blk.0.attn_output.bias");
    config.mlpBias = gguf.hasTensor("blk.0.ffn_down.bias");
  }

  void readWindows() {
    if (gguf.find(prefix + "attention.sliding_window_pattern"))
      throw error("attention.sliding_window_pattern",
                  "is given, patterns of windows are not supported");
    int64_t window =
        gguf.getInteger(prefix + "attention.sliding_window").value_or(0);
    if (window < 0)
      throw error("attention.sliding_window",
                  "is " + std::to_string(window) + ", expected 0 or more");
    if (window >= config.context)
      window = 0; // never reached
    config.windows.assign(static_cast<size_t>(config.layers), window);
  }

  void readTokens() {
    config.bosToken = gguf.getInteger("tokenizer.ggml.bos_token_id");
    // All of these end an answer in llama.cpp.
    for (const char *key :
         {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id",
          "tokenizer.ggml.eom_token_id"}) {
      auto token = gguf.getInteger(key);
      auto &all = config.eosTokens;
      if (token && std::find(all.begin(), all.end(), *token) == all.end())
        all.push_back(*token);
    }
    config.addBos = gguf.getBool("tokenizer.ggml.add_bos_token");
  }

  int64_t size(const std::string &key, int64_t most) const {
    if (const GgufValue *value = gguf.find(prefix + key);
        value && value->type == GgufType::Array)
      throw error(key, "differs between layers, which is not supported");
    auto number = gguf.getInteger(prefix + key);
    if (!number)
      throw error(key, missing);
    if (*number < 1 || *number > most)
      throw error(key, "is " + std::to_string(*number) + ", expected 1 to " +
                           std::to_string(most) + ", convert the model again");
    return *number;
  }

  /// A finite number above 0; 0 and a missing one mean `otherwise`.
  double positive(const std::string &key, double otherwise) const {
    double number = gguf.getNumber(prefix + key).value_or(0);
    if (!(number >= 0) || !std::isfinite(number))
      throw error(key, "is " + std::to_string(number) +
                           ", expected a number above 0, convert the model "
                           "again");
    return number == 0 ? otherwise : number;
  }

  Error error(const std::string &key, const std::string &what) const {
    return Error(gguf.path(), "metadata '" + prefix + key + "' " + what);
  }

  static constexpr const char *missing = "is missing, convert the model again";

  const Gguf &gguf;
  std::string prefix;
  ModelConfig config;
};

} // namespace

ModelConfig lori::modelConfigFromGguf(const Gguf &gguf) {
  return GgufConfigReader(gguf).read();
}
