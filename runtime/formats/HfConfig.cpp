// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ModelConfig from the JSON files of a Hugging Face directory. Defaults are
// those of transformers' configuration classes.

#include "runtime/formats/JsonFields.h"
#include "runtime/formats/ModelConfig.h"
#include "runtime/formats/Paths.h"

#include <algorithm>

using namespace lori;

static constexpr std::string_view supportedArchitectures =
    "supported are LlamaForCausalLM, MistralForCausalLM, Qwen2ForCausalLM and "
    "Qwen3ForCausalLM";

static std::optional<Architecture> findArchitecture(std::string_view type) {
  for (auto each : {Architecture::Llama, Architecture::Mistral,
                    Architecture::Qwen2, Architecture::Qwen3})
    if (architectureName(each) == type)
      return each;
  return std::nullopt;
}

static std::string_view className(Architecture architecture) {
  constexpr std::string_view names[] = {"LlamaForCausalLM",
                                        "MistralForCausalLM",
                                        "Qwen2ForCausalLM", "Qwen3ForCausalLM"};
  return names[static_cast<size_t>(architecture)];
}

namespace {

class HfConfigReader {
public:
  HfConfigReader(const JsonValue &root, std::string_view path)
      : fields(root, path) {}

  ModelConfig read() {
    readArchitecture();
    refuseQuantisation();
    refuseVariants();
    readSizes();
    readRope();
    readBiases();
    readWindows();
    readTokens();
    return config;
  }

private:
  bool isQwen() const {
    return config.architecture == Architecture::Qwen2 ||
           config.architecture == Architecture::Qwen3;
  }

  void readArchitecture() {
    const std::string *type = fields.text("model_type");
    std::vector<std::string> classes = fields.texts("architectures");
    if (!type && classes.empty())
      throw fields.error("model_type",
                         "is missing, " + std::string(supportedArchitectures));
    std::string name = classes.empty() ? *type : classes.front();
    std::optional<Architecture> found;
    if (type)
      found = findArchitecture(*type);
    else
      for (auto each : {Architecture::Llama, Architecture::Mistral,
                        Architecture::Qwen2, Architecture::Qwen3})
        if (className(each) == name)
          found = each;
    if (!found || (!classes.empty() && (classes.size() != 1 ||
                                        classes.front() != className(*found))))
      throw Error(fields.path(),
                  "the architecture " + name +
                      (type && *type != name ? " (" + *type + ")" : "") +
                      " is not supported, " +
                      std::string(supportedArchitectures));
    config.architecture = *found;
  }

  void refuseQuantisation() const {
    for (const char *key : {"quantization_config", "compression_config"}) {
      const JsonValue *value = fields.find(key);
      if (!value)
        continue;
      std::string method = "an unnamed method";
      for (const char *name : {"quant_method", "quantization_method", "format"})
        if (const JsonValue *text = value->find(name); text && text->text()) {
          method = *text->text();
          break;
        }
      throw Error(fields.path(),
                  "the checkpoint is quantised by " + method +
                      ", which is not supported, use the checkpoint in F32, "
                      "F16 or BF16, or a GGUF file in Q8_0, Q4_0, Q4_1, Q4_K, "
                      "Q5_K or Q6_K");
    }
  }

  /// Fields that would change the computation if they were heeded.
  void refuseVariants() const {
    for (const char *key :
         {"num_experts", "num_local_experts", "n_routed_experts"})
      if (fields.integer(key, 0, INT64_MAX).value_or(0) > 0)
        throw fields.error(key, "says that this is a mixture of experts, which "
                                "is not supported, " +
                                    std::string(supportedArchitectures));
    const std::string *activation = fields.text("hidden_act");
    if (activation && *activation != "silu" && *activation != "swish")
      throw fields.unexpected("hidden_act",
                              "\"silu\", the one supported activation");
    if (fields.number("partial_rotary_factor").value_or(1) != 1)
      throw fields.unexpected("partial_rotary_factor",
                              "1, partial rotary embeddings are not supported");
    if (fields.flag("is_encoder_decoder"))
      throw fields.unexpected("is_encoder_decoder",
                              "false, only decoders are supported");
  }

  void readSizes() {
    config.hiddenSize =
        fields.requiredInteger("hidden_size", 1, limits::hidden);
    config.intermediateSize =
        fields.requiredInteger("intermediate_size", 1, limits::intermediate);
    config.layers =
        fields.requiredInteger("num_hidden_layers", 1, limits::layers);
    config.heads =
        fields.requiredInteger("num_attention_heads", 1, limits::heads);
    config.vocabulary =
        fields.requiredInteger("vocab_size", 1, limits::vocabulary);
    config.normEpsilon = fields.positive("rms_norm_eps").value_or(1e-6);
    config.context =
        fields.integer("max_position_embeddings", 1, limits::context)
            .value_or(defaultContext());
    config.kvHeads = fields.integer("num_key_value_heads", 1, limits::heads)
                         .value_or(defaultKvHeads());
    config.headDim = fields.integer("head_dim", 1, limits::headDim).value_or(0);
    if (config.headDim == 0)
      config.headDim = defaultHeadDim();
    config.tiedEmbeddings = fields.flag("tie_word_embeddings");
  }

  int64_t defaultContext() const {
    constexpr int64_t positions[] = {2048, 131072, 32768, 32768};
    return positions[static_cast<size_t>(config.architecture)];
  }

  // Null means one key head per head; only a missing field means the default.
  int64_t defaultKvHeads() const {
    constexpr int64_t counts[] = {0, 8, 32, 32};
    int64_t count = counts[static_cast<size_t>(config.architecture)];
    return count == 0 || fields.isNull("num_key_value_heads") ? config.heads
                                                              : count;
  }

  int64_t defaultHeadDim() const {
    if (config.architecture == Architecture::Qwen3)
      return 128;
    if (config.hiddenSize % config.heads != 0 ||
        config.hiddenSize / config.heads > limits::headDim)
      throw fields.error("hidden_size",
                         "is " + std::to_string(config.hiddenSize) +
                             ", which " + std::to_string(config.heads) +
                             " heads cannot share, expected a multiple or "
                             "head_dim, correct the file");
    return config.hiddenSize / config.heads;
  }

  void readRope() {
    double theta = fields.positive("rope_theta").value_or(10000);
    const JsonValue *scaling = fields.find("rope_scaling");
    const JsonValue *parameters = fields.find("rope_parameters");
    auto isEmpty = [](const JsonValue *value) {
      return !value || (value->object() && value->object()->empty());
    };
    config.rope.theta = theta;
    if (!isEmpty(scaling) && !isEmpty(parameters))
      throw fields.error("rope_scaling", "and rope_parameters are both given, "
                                         "expected one, remove the other");
    if (!isEmpty(scaling))
      config.rope = ropeOf(*scaling, "rope_scaling", theta);
    if (!isEmpty(parameters))
      config.rope = ropeOf(*parameters, "rope_parameters", theta);
  }

  RopeConfig ropeOf(const JsonValue &value, std::string_view where,
                    double theta) const {
    JsonFields rope(value, fields.path(), where);
    for (const auto &[key, entry] : *value.object())
      if (entry.object())
        throw rope.error(key, "is an object of its own, rope parameters that "
                              "differ between layers are not supported");
    RopeConfig result;
    result.theta = rope.positive("rope_theta").value_or(theta);
    const std::string *kind = rope.text("rope_type");
    if (!kind)
      kind = rope.text("type");
    if (rope.number("partial_rotary_factor").value_or(1) != 1)
      throw rope.unexpected("partial_rotary_factor",
                            "1, partial rotary embeddings are not supported");
    if (!kind || *kind == "default")
      return result;
    if (*kind != "linear" && *kind != "llama3")
      throw rope.error(kind == rope.text("rope_type") ? "rope_type" : "type",
                       "is \"" + *kind +
                           "\", which is not supported, supported are "
                           "default, linear and llama3");
    result.factor = rope.requiredPositive("factor");
    result.kind = RopeConfig::Kind::Linear;
    if (*kind == "llama3")
      readLlama3(rope, result);
    return result;
  }

  void readLlama3(const JsonFields &rope, RopeConfig &result) const {
    result.kind = RopeConfig::Kind::Llama3;
    result.lowFrequencyFactor = rope.requiredPositive("low_freq_factor");
    result.highFrequencyFactor = rope.requiredPositive("high_freq_factor");
    result.originalContext =
        rope.integer("original_max_position_embeddings", 1, limits::context)
            .value_or(config.context);
    if (result.highFrequencyFactor <= result.lowFrequencyFactor)
      throw rope.unexpected("high_freq_factor", "more than low_freq_factor");
  }

  void readBiases() {
    config.qkNorm = config.architecture == Architecture::Qwen3;
    if (config.architecture == Architecture::Qwen2)
      config.qkvBias = true;
    if (config.architecture == Architecture::Llama ||
        config.architecture == Architecture::Qwen3)
      config.qkvBias = config.outputBias = fields.flag("attention_bias");
    if (config.architecture == Architecture::Llama)
      config.mlpBias = fields.flag("mlp_bias");
  }

  void readWindows() {
    config.windows.assign(static_cast<size_t>(config.layers), 0);
    std::vector<std::string> types = fields.texts("layer_types");
    for (const std::string &type : types)
      if (type != "full_attention" && type != "sliding_attention")
        throw fields.error("layer_types", "holds \"" + type +
                                              "\", supported are "
                                              "full_attention and "
                                              "sliding_attention");
    if (!types.empty() && types.size() != config.windows.size())
      throw fields.error("layer_types",
                         "has " + std::to_string(types.size()) +
                             " entries, expected one for each of the " +
                             std::to_string(config.layers) +
                             " layers, correct the file");
    auto window = windowSize();
    for (size_t i = 0; i < config.windows.size(); ++i) {
      bool slides = slidesByDefault(i, window.has_value());
      if (!types.empty() && isQwen())
        slides = types[i] == "sliding_attention";
      else if (!types.empty() && (types[i] == "sliding_attention") != slides)
        throw fields.error("layer_types",
                           "differs from the attention that " +
                               std::string(className(config.architecture)) +
                               " has in every layer, which is not supported");
      if (slides && !window)
        throw fields.error("layer_types",
                           "has sliding_attention, but no sliding_window is in "
                           "use, correct the file");
      config.windows[i] = slides ? *window : 0;
    }
  }

  std::optional<int64_t> windowSize() const {
    if (config.architecture == Architecture::Llama)
      return std::nullopt;
    if (isQwen() && !fields.flag("use_sliding_window"))
      return std::nullopt;
    auto window = fields.integer("sliding_window", 1, limits::context);
    if (!window && !fields.isNull("sliding_window"))
      window = 4096; // the classes' default
    return window;
  }

  bool slidesByDefault(size_t layer, bool hasWindow) const {
    if (!isQwen())
      return hasWindow;
    int64_t first =
        fields.integer("max_window_layers", 0, INT64_MAX).value_or(28);
    return hasWindow && static_cast<int64_t>(layer) >= first;
  }

  void readTokens() {
    config.bosToken = fields.integer("bos_token_id", 0, limits::vocabulary);
    config.eosTokens = eosTokensOf(fields);
  }

public:
  /// A token id, a list of them, or null.
  static std::vector<int64_t> eosTokensOf(const JsonFields &fields) {
    std::vector<int64_t> tokens;
    const JsonValue *value = fields.find("eos_token_id");
    if (!value)
      return tokens;
    JsonValue::Array one = {*value};
    for (const JsonValue &item : value->array() ? *value->array() : one) {
      auto token = item.integer();
      if (!token || *token < 0)
        throw fields.unexpected("eos_token_id",
                                "a token id or a list of token ids");
      if (std::find(tokens.begin(), tokens.end(), *token) == tokens.end())
        tokens.push_back(*token);
    }
    return tokens;
  }

private:
  JsonFields fields;
  ModelConfig config;
};

} // namespace

ModelConfig lori::parseModelConfig(std::string_view text,
                                   std::string_view path) {
  JsonValue root = parseJson(text, path);
  ModelConfig config = HfConfigReader(root, path).read();
  checkModelConfig(config, path);
  return config;
}

// What generation_config.json says wins: that is what generate() does, and
// where several EOS tokens stand.
static void readGenerationConfig(const std::string &path, ModelConfig &config) {
  JsonValue root = parseJsonFile(path);
  JsonFields fields(root, path);
  if (fields.has("eos_token_id"))
    config.eosTokens = HfConfigReader::eosTokensOf(fields);
  if (auto bos = fields.integer("bos_token_id", 0, limits::vocabulary))
    config.bosToken = bos;
  checkModelConfig(config, path);
}

ModelConfig lori::readModelConfig(const std::string &directory) {
  namespace fs = std::filesystem;
  fs::path folder = directory;
  std::string path = folder / "config.json";
  JsonValue root = parseJsonFile(path);
  ModelConfig config = HfConfigReader(root, path).read();
  checkModelConfig(config, path);
  if (std::string generation = folder / "generation_config.json";
      pathExists(generation))
    readGenerationConfig(generation, config);
  if (std::string tokenizer = folder / "tokenizer_config.json";
      pathExists(tokenizer)) {
    JsonValue settings = parseJsonFile(tokenizer);
    config.addBos = JsonFields(settings, tokenizer).boolean("add_bos_token");
  }
  return config;
}
