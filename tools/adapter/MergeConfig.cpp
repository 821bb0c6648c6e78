// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergeConfig.h"
#include "runtime/formats/JsonFields.h"
#include "runtime/formats/JsonWriter.h"

#include <algorithm>
#include <set>

using namespace lori;

namespace {

class ConfigMerger {
public:
  ConfigMerger(const std::vector<AdapterInput> &inputs, MergePlan &plan,
               int64_t rank)
      : inputs(inputs), plan(plan), rank(rank),
        config(inputs.front().config()) {}

  JsonValue run() {
    setMember(config, "r", JsonValue(rank));
    setMember(config, "lora_alpha", JsonValue(rank));
    setPatterns();
    setTargets();
    setScalingRule();
    return JsonValue(std::move(config));
  }

private:
  static bool isEmpty(const JsonValue *value) {
    return !value || value->isNull() ||
           (value->object() && value->object()->empty()) ||
           (value->array() && value->array()->empty());
  }

  void setPatterns() {
    const PeftVersion &compat = plan.options.compat;
    if (isPeftType(plan.options.type) && !compat.countsRankPatterns()) {
      const JsonValue &first = inputs.front().configRoot();
      if (!isEmpty(first.find("rank_pattern")) ||
          !isEmpty(first.find("alpha_pattern")))
        plan.warnings.push_back(
            inputs.front().configPath() + ": PEFT " + compat.text() +
            " keeps the rank_pattern and alpha_pattern of the first adapter in "
            "the result, where they scale modules a second time; "
            "--peft-compat=0.16 or later does not");
      return;
    }
    JsonValue::Object patterns;
    if (!usesSvd(plan.options.type) && plan.options.type != MergeType::Cat)
      for (const PlannedModule &planned : plan.modules)
        if (planned.rank != rank)
          patterns.emplace_back(planned.module.path, JsonValue(planned.rank));
    setMember(config, "rank_pattern", JsonValue(patterns));
    setMember(config, "alpha_pattern", JsonValue(std::move(patterns)));
  }

  // ---- Targets

  /// The fields that narrow target_modules, the same in all adapters?
  bool filtersAgree() const {
    for (const char *field :
         {"exclude_modules", "layers_to_transform", "layers_pattern"})
      for (const AdapterInput &input : inputs) {
        const JsonValue *a = inputs.front().configRoot().find(field);
        const JsonValue *b = input.configRoot().find(field);
        if (isEmpty(a) != isEmpty(b) ||
            (!isEmpty(a) && jsonText(*a) != jsonText(*b)))
          return false;
      }
    return true;
  }

  void setTargets() {
    size_t strings = 0;
    for (const AdapterInput &input : inputs) {
      const JsonValue *targets = input.configRoot().find("target_modules");
      strings += targets && targets->text() ? 1 : 0;
    }
    bool isMixed = strings != 0 && strings != inputs.size();
    if (isMixed && isPeftType(plan.options.type))
      throw Error(inputs.front().configPath(),
                  "target_modules is a list in one adapter and a string in "
                  "another, which PEFT refuses to merge, make them all lists, "
                  "or use concat");
    if (isMixed || !filtersAgree())
      return listModules();
    strings != 0 ? joinPatterns() : joinLists();
  }

  void joinLists() {
    std::set<std::string> names;
    for (const AdapterInput &input : inputs)
      names.insert(input.peftConfig().targetList().begin(),
                   input.peftConfig().targetList().end());
    setTargetList({names.begin(), names.end()});
  }

  void joinPatterns() {
    std::string joined;
    bool allLinear = false, sameText = true;
    const std::string *first = nullptr;
    for (const AdapterInput &input : inputs) {
      const std::string &text =
          *input.configRoot().find("target_modules")->text();
      first = first ? first : &text;
      sameText &= text == *first;
      allLinear |= text == "all-linear";
      joined += (joined.empty() ? "(" : "|(") + text + ")";
    }
    if (sameText)
      joined = *first;
    else if (allLinear)
      return listModules();
    setMember(config, "target_modules", JsonValue(std::move(joined)));
  }

  /// Names each module, where no common rule does.
  void listModules() {
    std::vector<std::string> paths;
    paths.reserve(plan.modules.size());
    for (const PlannedModule &planned : plan.modules)
      paths.push_back(planned.module.path);
    setTargetList(paths);
    for (const char *field :
         {"exclude_modules", "layers_to_transform", "layers_pattern"})
      setMember(config, field, JsonValue());
    plan.warnings.push_back(
        inputs.front().configPath() +
        ": the adapters choose their modules by different rules, the result "
        "lists each module by name (PEFT would lose those that the first "
        "adapter's rules leave out)");
  }

  void setTargetList(const std::vector<std::string> &names) {
    JsonValue::Array list;
    for (const std::string &name : names)
      list.emplace_back(name);
    setMember(config, "target_modules", JsonValue(std::move(list)));
  }

  // ---- rsLoRA

  void setScalingRule() {
    const JsonValue *rule = inputs.front().configRoot().find("use_rslora");
    if (!rule || !rule->boolean() || !*rule->boolean())
      return;
    if (!isPeftType(plan.options.type)) {
      setMember(config, "use_rslora", JsonValue(false));
      return;
    }
    plan.warnings.push_back(
        inputs.front().configPath() + ": PEFT " + plan.options.compat.text() +
        " lets the result inherit use_rslora from the first adapter, so that "
        "it comes out sqrt(" +
        std::to_string(rank) +
        ") times too strong; name another adapter first, or use concat");
  }

  const std::vector<AdapterInput> &inputs;
  MergePlan &plan;
  int64_t rank;
  JsonValue::Object config;
};

} // namespace

JsonValue lori::mergedConfig(const std::vector<AdapterInput> &inputs,
                             MergePlan &plan, int64_t rank) {
  return ConfigMerger(inputs, plan, rank).run();
}
