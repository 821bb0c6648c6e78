// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergePlan.h"
#include "runtime/formats/DetachedBase.h"
#include "runtime/formats/JsonFields.h"
#include "runtime/formats/JsonWriter.h"
#include "tools/adapter/MergeConfig.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

using namespace lori;

static void requireSameSize(const std::vector<AdapterInput> &inputs,
                            const PlannedModule &planned,
                            const AdapterModule &part, size_t input) {
  const AdaptableModule &a = planned.module, &b = part.module;
  if (a.in == b.in && a.out == b.out && a.kind == b.kind)
    return;
  throw Error(inputs[input].path(),
              "adapts '" + b.path + "' of " + std::to_string(b.out) + " x " +
                  std::to_string(b.in) + ", " +
                  inputs[planned.parts.front().adapter].path() + " one of " +
                  std::to_string(a.out) + " x " + std::to_string(a.in) +
                  ", merge adapters of one and the same base");
}

std::vector<PlannedModule>
lori::alignModules(const std::vector<AdapterInput> &inputs) {
  std::map<std::string, PlannedModule> byPath;
  for (size_t i = 0; i < inputs.size(); ++i)
    for (const AdapterModule &part : inputs[i].modules()) {
      PlannedModule &planned = byPath[part.module.path];
      if (planned.parts.empty())
        planned.module = part.module;
      requireSameSize(inputs, planned, part, i);
      planned.parts.push_back({i, &part});
    }
  std::vector<PlannedModule> modules;
  modules.reserve(byPath.size());
  for (auto &[path, planned] : byPath)
    modules.push_back(std::move(planned));
  std::ranges::sort(modules, comesBefore, &PlannedModule::module);
  return modules;
}

std::vector<uint8_t> lori::drawKept(const MergePlan &plan, size_t index,
                                    int64_t rows, int64_t columns) {
  std::vector<uint8_t> kept(static_cast<size_t>(rows * columns));
  drawBernoulli(kept, *plan.options.density, plan.options.seed,
                static_cast<uint32_t>(index));
  return kept;
}

namespace {

class Planner {
public:
  Planner(const std::vector<AdapterInput> &inputs, const MergeOptions &options)
      : inputs(inputs) {
    plan.options = options;
  }

  MergePlan run() {
    chooseType();
    fillWeights();
    checkDensity();
    collectModules();
    resolveRanks();
    takeWholeTensors();
    plan.config = mergedConfig(inputs, plan, resultRank);
    checkConfig();
    return std::move(plan);
  }

private:
  MergeOptions &options() { return plan.options; }
  std::string typeName() const {
    return std::string(mergeTypeName(plan.options.type));
  }

  void chooseType() {
    const PeftVersion &compat = options().compat;
    if (!isPeftType(options().type))
      return;
    if (compat.scalesOnlyA() && options().type != MergeType::Linear &&
        options().type != MergeType::Cat && options().type != MergeType::Svd)
      throw Error("--type=" + typeName(),
                  "PEFT " + compat.text() +
                      " has only linear, cat and svd, use --peft-compat=0.9 or "
                      "later");
    if (inputs.size() == 1 && options().type != MergeType::Linear) {
      plan.warnings.push_back("--type=" + typeName() +
                              ": a single adapter is merged by linear, as in "
                              "PEFT");
      options().type = MergeType::Linear;
    }
  }

  void fillWeights() {
    std::vector<double> &weights = options().weights;
    double count = static_cast<double>(inputs.size());
    if (weights.empty() && options().type == MergeType::Sum)
      weights.assign(inputs.size(), 1);
    if (weights.empty() && options().type == MergeType::Average)
      weights.assign(inputs.size(), 1 / count);
    if (weights.size() != inputs.size())
      throw Error("--weights", "has " + std::to_string(weights.size()) +
                                   " numbers for " +
                                   std::to_string(inputs.size()) +
                                   " adapters, give one for each");
  }

  void checkDensity() {
    if (sparsifyOf(options().type) == Sparsify::None)
      return;
    if (!options().density)
      throw Error("--type=" + typeName(),
                  "needs the fraction of entries to keep, add --density, e.g. "
                  "--density=0.5");
    double density = *options().density;
    if (density < 0)
      throw Error("--density", "is below 0, expected 0 to 1");
    if (density >= 1)
      plan.warnings.emplace_back("--density: 1 or more prunes nothing");
    if (density == 0 && sparsifyOf(options().type) == Sparsify::Drop)
      throw Error("--density", "is 0, which drops everything and divides by 0, "
                               "give more than 0");
  }

  void collectModules() {
    plan.modules = alignModules(inputs);
    for (PlannedModule &planned : plan.modules) {
      planned.firstDrop = plan.drops;
      plan.drops += dropsPerModule(
          options().type, options().density.value_or(1), planned.parts.size());
    }
  }

  // ---- Ranks

  /// The rank that PEFT takes an adapter to have.
  int64_t rankOf(const AdapterInput &input) const {
    const JsonFields fields(input.configRoot(), input.configPath());
    int64_t rank = fields.requiredInteger("r", 1, 65536);
    const JsonValue::Object *patterns = fields.object("rank_pattern");
    if (patterns && plan.options.compat.countsRankPatterns())
      for (const auto &[key, value] : *patterns)
        rank = std::max(rank, *value.integer());
    return rank;
  }

  void resolveRanks() {
    MergeType type = options().type;
    std::vector<int64_t> ranks;
    ranks.reserve(inputs.size());
    for (const AdapterInput &input : inputs)
      ranks.push_back(rankOf(input));
    resultRank = *std::ranges::max_element(ranks);
    if (type == MergeType::Cat) {
      resultRank = 0;
      for (int64_t rank : ranks)
        resultRank += rank;
    } else if (usesSvd(type)) {
      if (!options().svdRank)
        options().svdRank = resultRank;
      resultRank = *options().svdRank;
    } else if (isPeftType(type)) {
      requireEqual(ranks);
    }
    int64_t largest = 0;
    for (PlannedModule &planned : plan.modules) {
      planned.rank = rankOf(planned);
      largest = std::max(largest, planned.rank);
    }
    if (!isPeftType(type))
      resultRank = largest;
  }

  void requireEqual(const std::vector<int64_t> &ranks) const {
    for (size_t i = 1; i < ranks.size(); ++i)
      if (ranks[i] != ranks[0])
        throw Error(inputs[i].path(),
                    "has rank " + std::to_string(ranks[i]) + ", " +
                        inputs[0].path() + " has " + std::to_string(ranks[0]) +
                        ", " + typeName() +
                        " adds factors of equal rank, use cat or an svd type");
  }

  int64_t rankOf(const PlannedModule &planned) const {
    MergeType type = plan.options.type;
    if (usesSvd(type))
      return resultRank;
    if (!concatenates(type))
      return planned.parts.front().module->rank;
    int64_t sum = 0;
    for (const PlannedModule::Part &part : planned.parts)
      sum += part.module->rank;
    // PEFT leaves the rows that nobody fills at 0.
    return type == MergeType::Cat ? std::max(sum, resultRank) : sum;
  }

  // ---- What replaces the base's own tensors

  void takeWholeTensors() {
    std::map<std::string_view, std::pair<size_t, const StoredTensor *>> found;
    for (size_t i = 0; i < inputs.size(); ++i) {
      const auto &whole = inputs[i].wholeTensors();
      if (whole.empty())
        continue;
      if (inputs.size() > 1 && !inputs[i].peftConfig().modulesToSave().empty())
        throw Error(inputs[i].path(),
                    "carries whole matrices (modules_to_save), which cannot be "
                    "merged, merge that adapter into its base first");
      for (const StoredTensor *tensor : whole) {
        auto [at, isNew] =
            found.try_emplace(tensor->name, std::pair(i, tensor));
        if (!isNew)
          requireSame(*at->second.second, at->second.first, *tensor, i);
      }
      if (plan.wholeTensors.empty()) {
        plan.wholeTensors = whole;
        plan.wholeTensorsOwner = i;
      }
    }
    if (found.size() != plan.wholeTensors.size())
      throw Error(inputs[plan.wholeTensorsOwner].path(),
                  "replaces other tensors of the base than the other adapters, "
                  "which cannot be merged, merge that adapter into its base "
                  "first");
  }

  void requireSame(const StoredTensor &a, size_t ownerA, const StoredTensor &b,
                   size_t ownerB) const {
    auto bytesA = inputs[ownerA].file().bytes(a);
    auto bytesB = inputs[ownerB].file().bytes(b);
    if (a.type == b.type && a.shape == b.shape &&
        std::memcmp(bytesA.data(), bytesB.data(), bytesA.size()) == 0)
      return;
    throw Error(inputs[ownerB].path(),
                "replaces '" + b.name + "' of the base by other values than " +
                    inputs[ownerA].path() +
                    ", which cannot be merged, merge the adapters into their "
                    "bases first");
  }

  // ---- The result must be an adapter that loads

  void checkConfig() {
    PeftConfig config =
        PeftConfig::parse(jsonText(plan.config), "adapter_config.json");
    for (PlannedModule &planned : plan.modules) {
      int64_t declared = config.rankOf(planned.module.path);
      if (options().type == MergeType::Cat && planned.rank < declared)
        planned.rank = declared;
      if (planned.rank != declared)
        throw Error(inputs[0].path(),
                    "the merge of '" + planned.module.path + "' has rank " +
                        std::to_string(planned.rank) + ", PEFT " +
                        options().compat.text() + " makes room for " +
                        std::to_string(declared) +
                        " by the first adapter's rank_pattern and raises, use "
                        "--peft-compat=0.16 or later");
      if (!config.targets(planned.module))
        throw Error(inputs[0].path(), "the merged configuration leaves out '" +
                                          planned.module.path +
                                          "', give adapters whose "
                                          "target_modules go together");
    }
  }

  const std::vector<AdapterInput> &inputs;
  MergePlan plan;
  int64_t resultRank = 0;
};

} // namespace

MergePlan lori::planMerge(const std::vector<AdapterInput> &inputs,
                          const MergeOptions &options) {
  return Planner(inputs, options).run();
}
