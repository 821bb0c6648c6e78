// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/ReportTables.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace lori;

using Row = std::vector<std::string>;

std::string lori::figureText(double value) {
  if (!std::isfinite(value))
    return "-";
  char text[32];
  std::snprintf(text, sizeof(text), "%.3g", value);
  return text;
}

static std::string percentText(double share) {
  return std::isfinite(share) ? figureText(100 * share) + " %" : "-";
}

static std::string countText(double count) {
  return std::isfinite(count) ? std::to_string(std::llround(count)) : "-";
}

std::string lori::adapterLabel(const Report &report, size_t adapter) {
  return std::to_string(adapter + 1) + " " + report.adapters[adapter].name;
}

std::string lori::pairLabel(const Report &report, const PairFigures &pair) {
  return adapterLabel(report, pair.first) + ", " +
         adapterLabel(report, pair.second);
}

// ---- Rows that totals and modules share

static Row partCells(const PartFigures &part) {
  return {std::to_string(part.rank),   std::to_string(part.trained),
          std::to_string(part.stored), percentText(part.shareOfLora()),
          percentText(part.density()), figureText(part.energy)};
}

static Row partColumns() {
  return {"rank", "trained", "stored", "of LoRA", "density of B", "energy"};
}

static Row pairCells(const PairFigures &pair) {
  return {figureText(pair.cosine),          figureText(pair.overlapOfA),
          figureText(pair.overlapByChance), countText(pair.common),
          countText(pair.commonByChance),   figureText(pair.maskRatio())};
}

static Row pairColumns() {
  return {"cosine",        "overlap of A's", "by chance",
          "common of B's", "by chance",      "ratio"};
}

static Row joined(Row left, const Row &right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

// ---- In all

ReportTable lori::adapterTable(const Report &report) {
  ReportTable table;
  table.title = "Adapters";
  table.note =
      "trained: entries of B that are not 0. stored: entries of A and "
      "B in the file. of LoRA: trained, as a share of all entries of A "
      "and B. energy: the Frobenius norm of scaling * B A, all modules "
      "as one matrix.";
  table.columns = joined({"adapter", "weight", "modules"}, partColumns());
  for (size_t i = 0; i < report.adapters.size(); ++i) {
    const Report::Adapter &adapter = report.adapters[i];
    table.rows.push_back(
        joined({adapterLabel(report, i), figureText(adapter.weight),
                std::to_string(adapter.modules)},
               partCells(adapter.total)));
  }
  return table;
}

ReportTable lori::pairTable(const Report &report) {
  ReportTable table;
  table.title = "Pairs";
  table.note =
      "cosine: of the two deltas, -1 to 1. overlap of A's: 0 if their "
      "rows are orthogonal, 1 if they span the same; by chance: for "
      "random A's of these sizes. common of B's: entries where neither "
      "is 0; by chance: if each B's were placed at random; ratio: of "
      "the two.";
  table.columns = joined({"pair", "modules", "equal A's"}, pairColumns());
  for (const PairFigures &pair : report.pairs)
    table.rows.push_back(
        joined({pairLabel(report, pair), std::to_string(pair.modules),
                std::to_string(pair.equalA)},
               pairCells(pair)));
  return table;
}

static std::string remarkText(const MergePrediction &merge) {
  switch (merge.basis) {
  case MergePrediction::Basis::Computed:
    return "";
  case MergePrediction::Basis::OneDraw:
    return "estimate: one draw";
  case MergePrediction::Basis::Unknown:
    break;
  }
  return "not known: " + merge.reason;
}

ReportTable lori::mergeTable(const Report &report) {
  ReportTable table;
  table.title = "Merges";
  table.note = "error: distance of the merged delta from the weighted sum of "
               "the deltas, as a share of that sum's norm. size: of the "
               "result's A and B in f32.";
  table.columns = {"type", "error", "rank", "size", "remark"};
  table.endsInRemark = true;
  for (const MergePrediction &merge : report.merges) {
    bool isKnown = merge.basis != MergePrediction::Basis::Unknown;
    table.rows.push_back(
        {std::string(mergeTypeName(merge.type)), percentText(merge.error),
         isKnown ? std::to_string(merge.rank) : "-",
         isKnown ? figureText(static_cast<double>(merge.bytes) / 1e6) + " MB"
                 : "-",
         remarkText(merge)});
  }
  return table;
}

// ---- By module

/// The pair with the largest figure, and that figure.
template <typename Figure>
static std::string largestText(const ModuleReport &module, Figure &&figure) {
  const PairFigures *largest = nullptr;
  for (const PairFigures &pair : module.pairs)
    if (std::isfinite(figure(pair)) &&
        (!largest || std::fabs(figure(pair)) > std::fabs(figure(*largest))))
      largest = &pair;
  if (!largest)
    return "-";
  return figureText(figure(*largest)) + " (" +
         std::to_string(largest->first + 1) + ", " +
         std::to_string(largest->second + 1) + ")";
}

ReportTable lori::overviewTable(const Report &report) {
  ReportTable table;
  table.title = "Modules";
  table.note = "energy of each adapter; of the pairs the largest figure, and "
               "whose it is. -o FILE.html and --json have all pairs.";
  table.columns = {"module", "size"};
  for (size_t i = 0; i < report.adapters.size(); ++i)
    table.columns.push_back("energy " + std::to_string(i + 1));
  if (!report.pairs.empty())
    table.columns = joined(std::move(table.columns),
                           {"cosine", "overlap / chance", "common / chance"});
  for (const ModuleReport &module : report.modules) {
    Row row = {module.module.path, std::to_string(module.module.out) + " x " +
                                       std::to_string(module.module.in)};
    for (const std::optional<PartFigures> &part : module.parts)
      row.push_back(part ? figureText(part->energy) : "-");
    if (!report.pairs.empty()) {
      row.push_back(largestText(
          module, [](const PairFigures &pair) { return pair.cosine; }));
      row.push_back(largestText(
          module, [](const PairFigures &pair) { return pair.overlapRatio(); }));
      row.push_back(largestText(
          module, [](const PairFigures &pair) { return pair.maskRatio(); }));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

ReportTable lori::modulePartTable(const Report &report) {
  ReportTable table;
  table.title = "Adapters by module";
  table.note = "size: rows of B by columns of A. hash: of A's entries in f32, "
               "its first 12 digits; equal A's have equal ones.";
  table.columns = joined({"module", "adapter", "hash of A", "size", "scaling"},
                         partColumns());
  table.labels = 3;
  for (const ModuleReport &module : report.modules)
    for (size_t i = 0; i < module.parts.size(); ++i)
      if (const std::optional<PartFigures> &part = module.parts[i])
        table.rows.push_back(
            joined({module.module.path, adapterLabel(report, i),
                    part->hashOfA.substr(0, 12),
                    std::to_string(module.module.out) + " x " +
                        std::to_string(module.module.in),
                    figureText(part->scaling)},
                   partCells(*part)));
  return table;
}

ReportTable lori::modulePairTable(const Report &report) {
  ReportTable table;
  table.title = "Pairs by module";
  table.note = "The figures of the table of pairs, module by module.";
  table.columns = joined({"module", "pair", "A's"}, pairColumns());
  table.labels = 3;
  for (const ModuleReport &module : report.modules)
    for (const PairFigures &pair : module.pairs)
      table.rows.push_back(joined({module.module.path, pairLabel(report, pair),
                                   pair.equalA != 0 ? "equal" : "differ"},
                                  pairCells(pair)));
  return table;
}

ReportTable lori::moduleMergeTable(const Report &report) {
  ReportTable table;
  table.title = "Errors of merges by module";
  table.note = "energy: of the weighted sum of the deltas.";
  table.columns = {"module", "energy"};
  for (const MergePrediction &merge : report.merges)
    table.columns.emplace_back(mergeTypeName(merge.type));
  for (const ModuleReport &module : report.modules) {
    Row row = {module.module.path, figureText(module.energy)};
    for (double error : module.errors)
      row.push_back(percentText(error));
    if (!report.merges.empty())
      table.rows.push_back(std::move(row));
  }
  return table;
}
