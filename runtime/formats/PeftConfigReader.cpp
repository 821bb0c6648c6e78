// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads adapter_config.json: peft, tuners/lora/config.py.

#include "runtime/formats/JsonFields.h"
#include "runtime/formats/PeftConfig.h"

#include <algorithm>
#include <cctype>

using namespace lori;

static constexpr int64_t maxRank = 65536;
static constexpr size_t maxPatterns = 65536;

static std::string lower(std::string text) {
  for (char &c : text)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return text;
}

/// Null, false, 0, "", [] and {} switch a field off.
static bool isOff(const JsonValue &value) {
  if (const bool *flag = value.boolean())
    return !*flag;
  if (const std::string *text = value.text())
    return text->empty();
  if (const JsonValue::Array *items = value.array())
    return items->empty();
  if (const JsonValue::Object *members = value.object())
    return members->empty();
  return value.isNull() || value.number() == 0;
}

namespace {
struct Refusal {
  const char *field, *reason, *remedy;
};
} // namespace

// Fields that make an adapter something else than W + s B A.
static constexpr Refusal refusals[] = {
    {"use_dora", "DoRA rescales the rows of the merged weight",
     "merge the adapter into its base with PEFT's merge_and_unload"},
    {"lora_bias", "the adapter has biases of its own",
     "train with lora_bias=False, or merge with PEFT's merge_and_unload"},
    {"alora_invocation_tokens",
     "aLoRA acts only after its invocation tokens and cannot be attached as "
     "LoRA",
     "use a LoRA adapter"},
    {"layer_replication",
     "it makes a deeper model out of copies of the base's layers",
     "merge the adapter into its base with PEFT and save that model"},
    {"trainable_token_indices", "it changes rows of the embedding",
     "merge the adapter into its base with PEFT's merge_and_unload"},
    {"target_parameters",
     "adapters of bare parameters (experts) are not supported",
     "use target_modules"},
    {"use_qalora", "QA-LoRA pools the input of A in groups",
     "merge the adapter into its base with PEFT's merge_and_unload"},
    {"use_bdlora", "BD-LoRA has block-diagonal factors",
     "merge the adapter into its base with PEFT's merge_and_unload"},
    {"kasa_config", "KaSA scales the inner dimension",
     "merge the adapter into its base with PEFT's merge_and_unload"},
    {"arrow_config", "Arrow routes between adapters", "use a LoRA adapter"},
    {"monteclora_config", "MonteCLoRA samples its weights",
     "merge the adapter into its base with PEFT's merge_and_unload"},
};

// Fields that are read, or without influence on results.
static constexpr std::string_view knownFields[] = {
    "peft_type",       "base_model_name_or_path",
    "revision",        "task_type",
    "peft_version",    "inference_mode",
    "auto_mapping",    "r",
    "lora_alpha",      "lora_dropout",
    "target_modules",  "exclude_modules",
    "fan_in_fan_out",  "bias",
    "use_rslora",      "modules_to_save",
    "rank_pattern",    "layers_to_transform",
    "alpha_pattern",   "layers_pattern",
    "megatron_config", "init_lora_weights",
    "megatron_core",   "loftq_config",
    "eva_config",      "corda_config",
    "lora_ga_config",  "velora_config",
    "runtime_config",  "qalora_group_size",
    "enable_lora",     "ensure_weight_tying",
    "merge_weights"};

namespace lori {

class PeftConfigReader {
public:
  PeftConfigReader(const JsonValue &root, const std::string &path)
      : root(root), fields(root, path) {
    config.filePath = path;
  }

  PeftConfig read() {
    refuseOtherMethods();
    refuseAlteredBase();
    readUnknownFields();
    readScaling();
    readTargets();
    readLayers();
    readRest();
    return std::move(config);
  }

private:
  void refuseOtherMethods() const {
    const std::string *type = fields.text("peft_type");
    if (!type || *type != "LORA")
      throw fields.error("peft_type",
                         (type ? "is \"" + *type + "\"" : "is missing") +
                             ", the one supported adapter type is \"LORA\", "
                             "use a LoRA adapter");
    for (const auto &[field, reason, remedy] : refusals)
      if (const JsonValue *value = fields.find(field); value && !isOff(*value))
        throw fields.error(field, "is set: " + std::string(reason) +
                                      ", which is not supported, " + remedy);
  }

  // These inits subtract s B A from the base before training, so that B and A
  // fit no base that anyone has.
  void refuseAlteredBase() const {
    const JsonValue *value = fields.find("init_lora_weights");
    if (!value || value->boolean())
      return;
    const std::string *text = fields.text("init_lora_weights");
    std::string kind = lower(*text);
    for (const char *harmless : {"gaussian", "eva", "orthogonal", "mica"})
      if (kind == harmless)
        return;
    throw fields.error(
        "init_lora_weights",
        "is \"" + *text +
            "\", which changed the base before training, so that the adapter "
            "does not fit the published base, save it with PEFT's "
            "path_initial_model_for_weight_conversion, which makes plain LoRA "
            "of it");
  }

  /// PEFT switches variants on by `use_X` and `X_config`; what else is new is
  /// mostly about training.
  void readUnknownFields() {
    for (const auto &[key, value] : *root.object()) {
      auto isKey = [&key = key](std::string_view known) {
        return known == key;
      };
      bool refused = std::ranges::any_of(refusals, isKey, &Refusal::field);
      if (refused || std::ranges::any_of(knownFields, isKey) || isOff(value))
        continue;
      if (key.starts_with("use_") || key.ends_with("_config"))
        throw fields.error(key, "is " + value.excerpt() +
                                    ", a variant that is not known here, use "
                                    "a plain LoRA adapter");
      config.warningList.push_back(config.filePath + ": the unknown field " +
                                   key + " is ignored");
    }
  }

  void readScaling() {
    config.rank = fields.requiredInteger("r", 1, maxRank);
    auto alpha = fields.number("lora_alpha");
    if (!alpha)
      throw fields.error("lora_alpha",
                         "is missing, without it the scaling is unknown, add "
                         "it to the file");
    config.alpha = *alpha;
    config.rankStabilised = fields.flag("use_rslora");
    if (fields.flag("fan_in_fan_out"))
      config.warningList.push_back(
          config.filePath + ": fan_in_fan_out is ignored, as PEFT does for "
                            "models whose weights are stored [out, in]");
    if (const auto *patterns = patternsOf("rank_pattern"))
      for (const auto &[key, value] : *patterns) {
        auto rank = value.integer();
        if (!rank || *rank < 1 || *rank > maxRank)
          throw wrongPatternValue("rank_pattern", key, value, "1 to 65536");
        config.rankPattern.push_back({patternOf("rank_pattern", key), *rank});
      }
    if (const auto *patterns = patternsOf("alpha_pattern"))
      for (const auto &[key, value] : *patterns) {
        auto number = value.number();
        if (!number)
          throw wrongPatternValue("alpha_pattern", key, value, "a number");
        config.alphaPattern.push_back(
            {patternOf("alpha_pattern", key), *number});
      }
  }

  const JsonValue::Object *patternsOf(const char *field) const {
    const JsonValue::Object *patterns = fields.object(field);
    if (patterns && patterns->size() > maxPatterns)
      throw fields.error(field, "has more than 65536 entries");
    return patterns;
  }

  ModulePattern patternOf(const char *field, const std::string &key) const {
    return ModulePattern("(.*\\.)?(" + key + ")$", config.filePath, field,
                         budget);
  }

  Error wrongPatternValue(const char *field, const std::string &key,
                          const JsonValue &value,
                          const std::string &expected) const {
    return fields.error(field, "gives " + value.excerpt() + " for '" + key +
                                   "', expected " + expected +
                                   ", correct the file");
  }

  void readTargets() {
    const JsonValue *targets = fields.find("target_modules");
    if (!targets) {
      // peft, utils/constants.py: the same for all supported models.
      config.targetNames = {"q_proj", "v_proj"};
    } else if (const std::string *text = targets->text()) {
      config.allLinear = lower(*text) == "all-linear";
      if (!config.allLinear)
        config.targetPattern.emplace(*text, config.filePath, "target_modules",
                                     budget);
    } else {
      config.targetNames = names("target_modules");
    }
    const JsonValue *excluded = fields.find("exclude_modules");
    if (excluded && excluded->text() && !excluded->text()->empty())
      config.excludedPattern.emplace(*excluded->text(), config.filePath,
                                     "exclude_modules", budget);
    else if (excluded && !excluded->text())
      config.excludedNames = names("exclude_modules");
    config.savedModules = names("modules_to_save");
    for (const std::string &name : config.savedModules)
      config.savedPatterns.emplace_back("(^|.*\\.)" + name + "($|\\..*)",
                                        config.filePath, "modules_to_save",
                                        budget);
  }

  std::vector<std::string> names(const char *field) const {
    std::vector<std::string> list = fields.texts(field);
    if (list.size() > maxPatterns)
      throw fields.error(field, "has more than 65536 entries");
    return list;
  }

  void readLayers() {
    const JsonValue *layers = fields.find("layers_to_transform");
    std::vector<std::string> patterns = names("layers_pattern");
    if (!layers || (layers->array() && layers->array()->empty()))
      return;
    if (config.targetPattern || config.allLinear)
      throw fields.error("layers_to_transform",
                         "is given beside a target_modules that is a string, "
                         "expected a list of modules, correct the file");
    config.chosenLayers.emplace();
    JsonValue::Array one = {*layers};
    for (const JsonValue &item : layers->array() ? *layers->array() : one) {
      auto layer = item.integer();
      if (!layer || *layer < 0)
        throw fields.unexpected("layers_to_transform",
                                "a layer index or a list of them");
      config.chosenLayers->push_back(*layer);
    }
    if (patterns.empty())
      config.layerPatterns.emplace_back(".*?\\.[^.]*\\.(?P<idx>\\d+)\\.",
                                        config.filePath, "layers_pattern",
                                        budget);
    for (const std::string &pattern : patterns)
      config.layerPatterns.emplace_back(
          "(?:^|.*?\\.)" + pattern + "\\.(?P<idx>\\d+)\\.", config.filePath,
          "layers_pattern", budget);
  }

  void readRest() {
    if (const std::string *base = fields.text("base_model_name_or_path"))
      config.base = *base;
    const std::string *bias = fields.text("bias");
    config.biasKind = bias ? *bias : "none";
    if (config.biasKind != "none" && config.biasKind != "all" &&
        config.biasKind != "lora_only")
      throw fields.unexpected("bias", "\"none\", \"all\" or \"lora_only\"");
    config.weightTying = fields.flag("ensure_weight_tying");
  }

  const JsonValue &root;
  JsonFields fields;
  PeftConfig config;
  std::shared_ptr<PatternBudget> budget = std::make_shared<PatternBudget>();
};

} // namespace lori

PeftConfig PeftConfig::parse(std::string_view text, const std::string &path) {
  JsonValue root = parseJson(text, path);
  return PeftConfigReader(root, path).read();
}

PeftConfig PeftConfig::read(const std::string &path) {
  JsonValue root = parseJsonFile(path);
  return PeftConfigReader(root, path).read();
}
