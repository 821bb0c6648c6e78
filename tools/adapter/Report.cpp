// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/Report.h"
#include "runtime/formats/ContentHash.h"
#include "runtime/support/Error.h"
#include "tools/adapter/Parallel.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>

using namespace lori;

static constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

static double ratio(double part, double whole) {
  return whole == 0 ? undefined : part / whole;
}

double PartFigures::density() const {
  return ratio(static_cast<double>(trained), static_cast<double>(entriesOfB));
}

double PartFigures::shareOfLora() const {
  return ratio(static_cast<double>(trained),
               static_cast<double>(entriesOfA + entriesOfB));
}

static int64_t countNonzeros(std::span<const float> values) {
  return std::ranges::count_if(values, [](float x) { return x != 0; });
}

static int64_t storedOfB(const AdapterInput &adapter,
                         const AdapterModule &module) {
  if (!adapter.pack())
    return module.b.entries();
  auto index = static_cast<size_t>(&module - adapter.modules().data());
  const PackedModule &packed = adapter.pack()->modules()[index];
  return packed.values ? packed.values->entries() : packed.dense->entries();
}

namespace {

/// Works on one module.
class ModuleComparison {
public:
  ModuleComparison(const std::vector<AdapterInput> &inputs,
                   const std::vector<double> &weights,
                   const PlannedModule &planned)
      : inputs(inputs), weights(weights), planned(planned) {}

  ModuleReport run() {
    ModuleReport report;
    report.module = planned.module;
    report.parts.resize(inputs.size());
    for (const PlannedModule::Part &part : planned.parts)
      report.parts[part.adapter] = measure(part);
    for (size_t i = 0; i < planned.parts.size(); ++i) {
      double p = factorOf(i);
      double own = p * p * innerProduct(loaded.wide[i], loaded.wide[i]);
      squaredSum += own;
      magnitude += std::sqrt(std::max(own, 0.0));
      for (size_t j = i + 1; j < planned.parts.size(); ++j)
        report.pairs.push_back(compare(report, i, j));
    }
    // Deltas that cancel leave rounding, to which nothing can be related.
    if (squaredSum < 1e-12 * magnitude * magnitude)
      squaredSum = 0;
    report.energy = std::sqrt(squaredSum);
    return report;
  }

  const MergePredictor::Parts &parts() const { return loaded; }
  double squaredEnergy() const { return squaredSum; }

private:
  double factorOf(size_t part) const {
    return weights[planned.parts[part].adapter] *
           planned.parts[part].module->scaling;
  }

  PartFigures measure(const PlannedModule::Part &part) {
    const AdapterInput &input = inputs[part.adapter];
    const AdapterModule &module = *part.module;
    loaded.as.push_back(input.a(module));
    loaded.bs.push_back(input.b(module));
    const std::vector<float> &a = loaded.as.back(), &b = loaded.bs.back();
    loaded.wide.push_back(
        widen(module.module.out, module.module.in, module.rank, b, a));
    PartFigures figures;
    figures.rank = module.rank;
    figures.scaling = module.scaling;
    figures.entriesOfA = module.a.entries();
    figures.entriesOfB = module.b.entries();
    figures.trained = countNonzeros(b);
    figures.stored = figures.entriesOfA + storedOfB(input, module);
    double squared = innerProduct(loaded.wide.back(), loaded.wide.back());
    figures.energy =
        std::fabs(module.scaling) * std::sqrt(std::max(squared, 0.0));
    figures.hashOfA = ContentHash::of(std::as_bytes(std::span(a)));
    return figures;
  }

  PairFigures compare(const ModuleReport &report, size_t i, size_t j) {
    const PlannedModule::Part &first = planned.parts[i],
                              &second = planned.parts[j];
    const PartFigures &x = *report.parts[first.adapter],
                      &y = *report.parts[second.adapter];
    PairFigures pair;
    pair.first = first.adapter;
    pair.second = second.adapter;
    pair.modules = 1;
    pair.equalA = x.rank == y.rank && x.hashOfA == y.hashOfA ? 1 : 0;
    double product = innerProduct(loaded.wide[i], loaded.wide[j]);
    squaredSum += 2 * factorOf(i) * factorOf(j) * product;
    pair.dot = x.scaling * y.scaling * product;
    pair.cosine = ratio(pair.dot, x.energy * y.energy);
    pair.overlapOfA = rowOverlap(loaded.wide[i], loaded.wide[j]);
    pair.overlapByChance =
        rowOverlapByChance(planned.module.in, x.rank, y.rank);
    pair.common = pair.commonByChance = undefined;
    if (x.rank == y.rank) {
      pair.common = static_cast<double>(commonEntries(i, j));
      pair.commonByChance = x.density() * static_cast<double>(y.trained);
    }
    return pair;
  }

  int64_t commonEntries(size_t i, size_t j) const {
    const std::vector<float> &x = loaded.bs[i], &y = loaded.bs[j];
    int64_t common = 0;
    for (size_t k = 0; k < x.size(); ++k)
      common += x[k] != 0 && y[k] != 0 ? 1 : 0;
    return common;
  }

  const std::vector<AdapterInput> &inputs;
  const std::vector<double> &weights;
  const PlannedModule &planned;
  MergePredictor::Parts loaded;
  double squaredSum = 0, magnitude = 0;
};

} // namespace

// ---- In all

static void addTo(PartFigures &total, const PartFigures &part) {
  total.rank = std::max(total.rank, part.rank);
  total.entriesOfA += part.entriesOfA;
  total.entriesOfB += part.entriesOfB;
  total.trained += part.trained;
  total.stored += part.stored;
  total.energy = std::hypot(total.energy, part.energy);
}

static void addTo(PairFigures &total, const PairFigures &pair) {
  total.modules += pair.modules;
  total.equalA += pair.equalA;
  total.dot += pair.dot;
  total.overlapOfA += pair.overlapOfA;
  total.overlapByChance += pair.overlapByChance;
  total.common += pair.common;
  total.commonByChance += pair.commonByChance;
}

static void sumUp(Report &report) {
  for (size_t i = 0; i < report.adapters.size(); ++i)
    for (size_t j = i + 1; j < report.adapters.size(); ++j) {
      PairFigures &pair = report.pairs.emplace_back();
      pair.first = i;
      pair.second = j;
    }
  for (const ModuleReport &module : report.modules) {
    report.energy = std::hypot(report.energy, module.energy);
    for (size_t i = 0; i < module.parts.size(); ++i)
      if (module.parts[i]) {
        addTo(report.adapters[i].total, *module.parts[i]);
        ++report.adapters[i].modules;
      }
    for (const PairFigures &pair : module.pairs)
      addTo(*std::ranges::find_if(report.pairs,
                                  [&](const PairFigures &total) {
                                    return total.first == pair.first &&
                                           total.second == pair.second;
                                  }),
            pair);
  }
  for (PairFigures &pair : report.pairs) {
    auto count = static_cast<double>(pair.modules);
    pair.cosine =
        ratio(pair.dot, report.adapters[pair.first].total.energy *
                            report.adapters[pair.second].total.energy);
    pair.overlapOfA = ratio(pair.overlapOfA, count);
    pair.overlapByChance = ratio(pair.overlapByChance, count);
  }
}

static std::string nameOf(const std::string &path) {
  std::filesystem::path whole(path);
  std::filesystem::path last =
      whole.has_filename() ? whole.filename() : whole.parent_path().filename();
  return last.empty() ? path : last.string();
}

Report lori::makeReport(const std::vector<AdapterInput> &inputs,
                        const ReportOptions &options) {
  if (inputs.empty())
    throw Error("report", "takes one adapter or more");
  useOneThreadForLinearAlgebra();
  MergeOptions merge = options.merge;
  if (merge.weights.empty())
    merge.weights.assign(inputs.size(), 1);
  if (merge.weights.size() != inputs.size())
    throw Error("--weights", "has " + std::to_string(merge.weights.size()) +
                                 " numbers for " +
                                 std::to_string(inputs.size()) +
                                 " adapters, give one for each");
  Report report;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Report::Adapter &adapter = report.adapters.emplace_back();
    adapter.path = inputs[i].path();
    adapter.name = nameOf(adapter.path);
    adapter.weight = merge.weights[i];
  }
  std::vector<PlannedModule> modules = alignModules(inputs);
  std::optional<MergePredictor> predictor;
  if (inputs.size() > 1)
    predictor.emplace(inputs, merge);
  report.modules.resize(modules.size());
  forEachInParallel(modules.size(), options.threads, [&](size_t i) {
    ModuleComparison comparison(inputs, merge.weights, modules[i]);
    report.modules[i] = comparison.run();
    if (predictor)
      report.modules[i].errors =
          predictor->predict(i, comparison.parts(), comparison.squaredEnergy());
  });
  if (predictor)
    report.merges = predictor->totals();
  sumUp(report);
  return report;
}
