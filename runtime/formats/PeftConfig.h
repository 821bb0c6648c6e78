// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_PEFTCONFIG_H
#define LORI_RUNTIME_FORMATS_PEFTCONFIG_H

#include "runtime/formats/ModelTensors.h"
#include "runtime/formats/ModulePattern.h"

#include <string>
#include <utility>
#include <vector>

namespace lori {

class JsonFields;

/// What adapter_config.json says about a LoRA adapter: which modules it is
/// attached to, and with which rank and scaling (PEFT, LoraConfig).
class PeftConfig {
public:
  /// Reads a file. Throws Error for what is malformed, for a missing `r` or
  /// `lora_alpha`, and for each variant that is not plain LoRA (DoRA, aLoRA,
  /// lora_bias, other peft_types, inits that altered the base, ...), with the
  /// reason and the remedy.
  static PeftConfig read(const std::string &path);
  /// Reads the text of one; `path` names it in errors.
  static PeftConfig parse(std::string_view text, const std::string &path);

  /// Whether the adapter is attached to a module, by target_modules,
  /// exclude_modules, modules_to_save and layers_to_transform.
  bool targets(const AdaptableModule &module) const;

  /// The rank of a module: the first key of rank_pattern, in file order, for
  /// which `(.*\.)?(KEY)$` matches its path, else `r`.
  int64_t rankOf(std::string_view module) const;
  /// The factor of B A: alpha / r, or alpha / sqrt(r) with use_rslora; alpha by
  /// alpha_pattern in the same way, independently of rank_pattern.
  double scalingOf(std::string_view module) const;

  const std::string &path() const { return filePath; }
  /// base_model_name_or_path, "" if missing.
  const std::string &baseModel() const { return base; }
  const std::vector<std::string> &modulesToSave() const { return savedModules; }
  /// Entries of a target_modules list, for finding those that match nothing.
  const std::vector<std::string> &targetList() const { return targetNames; }
  /// `bias` of the configuration: "none", "all" or "lora_only".
  const std::string &bias() const { return biasKind; }
  /// LoRA on the embedding is meant to act on the tied lm_head, too.
  bool ensuresWeightTying() const { return weightTying; }
  /// What a user should know, a sentence each.
  const std::vector<std::string> &warnings() const { return warningList; }

private:
  friend class PeftConfigReader;
  PeftConfig() = default;

  bool isListed(const std::vector<std::string> &names,
                std::string_view module) const;
  bool isExcluded(std::string_view module) const;
  bool isInChosenLayer(std::string_view module) const;

  template <typename T> struct Keyed {
    ModulePattern pattern;
    T value;
  };

  std::string filePath, base, biasKind;
  int64_t rank = 0;
  double alpha = 0;
  bool rankStabilised = false, weightTying = false, allLinear = false;
  std::vector<Keyed<int64_t>> rankPattern;
  std::vector<Keyed<double>> alphaPattern;
  std::vector<std::string> targetNames, excludedNames, savedModules;
  std::optional<ModulePattern> targetPattern, excludedPattern;
  std::vector<ModulePattern> savedPatterns, layerPatterns;
  std::optional<std::vector<int64_t>> chosenLayers;
  std::vector<std::string> warningList;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_PEFTCONFIG_H
