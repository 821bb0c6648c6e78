// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How a PEFT configuration applies to a module: peft, tuners/tuners_utils.py
// (check_target_module_exists) and utils/other.py (get_pattern_key).

#include "runtime/formats/PeftConfig.h"

#include <algorithm>
#include <cmath>

using namespace lori;

bool PeftConfig::isListed(const std::vector<std::string> &names,
                          std::string_view module) const {
  return std::any_of(names.begin(), names.end(), [&](std::string_view name) {
    return module == name ||
           (module.size() > name.size() && module.ends_with(name) &&
            module[module.size() - name.size() - 1] == '.');
  });
}

bool PeftConfig::isExcluded(std::string_view module) const {
  if (isListed(excludedNames, module) ||
      (excludedPattern && excludedPattern->matchesAll(module)))
    return true;
  return std::any_of(
      savedPatterns.begin(), savedPatterns.end(),
      [&](const auto &pattern) { return pattern.matchesStart(module); });
}

bool PeftConfig::isInChosenLayer(std::string_view module) const {
  if (!chosenLayers)
    return true;
  for (const ModulePattern &pattern : layerPatterns)
    if (auto layer = pattern.index(module))
      return std::find(chosenLayers->begin(), chosenLayers->end(), *layer) !=
             chosenLayers->end();
  return false;
}

bool PeftConfig::targets(const AdaptableModule &module) const {
  if (isExcluded(module.path))
    return false;
  if (allLinear)
    return module.kind == AdaptableModule::Kind::Linear;
  if (targetPattern)
    return targetPattern->matchesAll(module.path);
  // An entry that is the whole path counts whatever the layer.
  if (std::find(targetNames.begin(), targetNames.end(), module.path) !=
      targetNames.end())
    return true;
  return isListed(targetNames, module.path) && isInChosenLayer(module.path);
}

int64_t PeftConfig::rankOf(std::string_view module) const {
  for (const auto &[pattern, value] : rankPattern)
    if (pattern.matchesStart(module))
      return value;
  return rank;
}

double PeftConfig::scalingOf(std::string_view module) const {
  double numerator = alpha;
  for (const auto &[pattern, value] : alphaPattern)
    if (pattern.matchesStart(module)) {
      numerator = value;
      break;
    }
  auto r = static_cast<double>(rankOf(module));
  return numerator / (rankStabilised ? std::sqrt(r) : r);
}
