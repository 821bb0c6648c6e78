// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/ReportFiles.h"

#include <cmath>

using namespace lori;

using Object = JsonValue::Object;
using Array = JsonValue::Array;

/// null for what is not defined.
static JsonValue figure(double value) {
  return std::isfinite(value) ? JsonValue(value) : JsonValue();
}

static JsonValue count(size_t value) {
  return JsonValue(static_cast<int64_t>(value));
}

static void addFigures(Object &object, const PartFigures &part) {
  object.emplace_back("rank", part.rank);
  object.emplace_back("a_entries", part.entriesOfA);
  object.emplace_back("b_entries", part.entriesOfB);
  object.emplace_back("trained", part.trained);
  object.emplace_back("stored", part.stored);
  object.emplace_back("share_of_lora", figure(part.shareOfLora()));
  object.emplace_back("b_density", figure(part.density()));
  object.emplace_back("energy", figure(part.energy));
}

static void addFigures(Object &object, const PairFigures &pair) {
  object.emplace_back("adapters",
                      JsonValue(Array{count(pair.first), count(pair.second)}));
  object.emplace_back("cosine", figure(pair.cosine));
  object.emplace_back("dot", figure(pair.dot));
  object.emplace_back("a_overlap", figure(pair.overlapOfA));
  object.emplace_back("a_overlap_by_chance", figure(pair.overlapByChance));
  object.emplace_back("common_entries", figure(pair.common));
  object.emplace_back("common_by_chance", figure(pair.commonByChance));
  object.emplace_back("common_ratio", figure(pair.maskRatio()));
}

static JsonValue adapterJson(const Report::Adapter &adapter) {
  Object object = {{"path", JsonValue(adapter.path)},
                   {"name", JsonValue(adapter.name)},
                   {"weight", JsonValue(adapter.weight)},
                   {"modules", count(adapter.modules)}};
  addFigures(object, adapter.total);
  return JsonValue(std::move(object));
}

static JsonValue pairJson(const PairFigures &pair, bool isTotal) {
  Object object;
  addFigures(object, pair);
  if (isTotal) {
    object.emplace_back("modules", pair.modules);
    object.emplace_back("equal_a", pair.equalA);
  } else {
    object.emplace_back("equal_a", pair.equalA != 0);
  }
  return JsonValue(std::move(object));
}

static JsonValue mergeJson(const MergePrediction &merge) {
  using enum MergePrediction::Basis;
  Object object = {{"type", JsonValue(std::string(mergeTypeName(merge.type)))}};
  const char *basis = merge.basis == Computed  ? "computed"
                      : merge.basis == OneDraw ? "one draw"
                                               : "unknown";
  object.emplace_back("basis", JsonValue(std::string(basis)));
  if (merge.basis == Unknown) {
    object.emplace_back("reason", JsonValue(merge.reason));
    return JsonValue(std::move(object));
  }
  object.emplace_back("error", figure(merge.error));
  object.emplace_back("rank", merge.rank);
  object.emplace_back("bytes", merge.bytes);
  return JsonValue(std::move(object));
}

static JsonValue moduleJson(const Report &report, const ModuleReport &module) {
  Array parts, pairs;
  for (size_t i = 0; i < module.parts.size(); ++i)
    if (const std::optional<PartFigures> &part = module.parts[i]) {
      Object object = {{"adapter", count(i)},
                       {"scaling", JsonValue(part->scaling)},
                       {"a_hash", JsonValue(part->hashOfA)}};
      addFigures(object, *part);
      parts.emplace_back(std::move(object));
    }
  for (const PairFigures &pair : module.pairs)
    pairs.push_back(pairJson(pair, false));
  Object errors;
  for (size_t i = 0; i < module.errors.size(); ++i)
    errors.emplace_back(mergeTypeName(report.merges[i].type),
                        figure(module.errors[i]));
  return JsonValue(Object{{"path", JsonValue(module.module.path)},
                          {"out", JsonValue(module.module.out)},
                          {"in", JsonValue(module.module.in)},
                          {"energy", figure(module.energy)},
                          {"adapters", JsonValue(std::move(parts))},
                          {"pairs", JsonValue(std::move(pairs))},
                          {"merge_errors", JsonValue(std::move(errors))}});
}

JsonValue lori::reportJson(const Report &report) {
  Array adapters, pairs, merges, modules;
  for (const Report::Adapter &adapter : report.adapters)
    adapters.push_back(adapterJson(adapter));
  for (const PairFigures &pair : report.pairs)
    pairs.push_back(pairJson(pair, true));
  for (const MergePrediction &merge : report.merges)
    merges.push_back(mergeJson(merge));
  for (const ModuleReport &module : report.modules)
    modules.push_back(moduleJson(report, module));
  return JsonValue(Object{{"energy", figure(report.energy)},
                          {"adapters", JsonValue(std::move(adapters))},
                          {"pairs", JsonValue(std::move(pairs))},
                          {"merges", JsonValue(std::move(merges))},
                          {"modules", JsonValue(std::move(modules))}});
}
