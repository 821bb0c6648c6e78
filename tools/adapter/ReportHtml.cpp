// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/HeatMap.h"
#include "tools/adapter/ReportFiles.h"
#include "tools/adapter/ReportTables.h"

#include <limits>

using namespace lori;

static constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

static constexpr std::string_view style = R"(
:root { color-scheme: light dark; --ink: #1d1f22; --paper: #fff; --quiet: #63676d;
  --line: #d9dce0; --above: #d95f02; --below: #2166ac; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6e9; --paper: #17191c; --quiet: #9ba1a9; --line: #383c42;
    --above: #e8802f; --below: #5b9bd8; } }
body { font: 15px/1.45 system-ui, sans-serif; color: var(--ink);
  background: var(--paper); margin: 2em auto; max-width: 78em; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.15em; margin-top: 2em; }
.note { color: var(--quiet); max-width: 60em; margin: .4em 0; font-size: .9em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .88em; }
th, td { padding: .25em .7em; border-bottom: 1px solid var(--line);
  text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th { vertical-align: bottom; } .name { text-align: left; }
td.name { white-space: normal; overflow-wrap: break-word; max-width: 46em; }
th.sortable { cursor: pointer; } th[aria-sort] { text-decoration: underline; }
.maps { display: flex; flex-wrap: wrap; gap: 1.5em; align-items: flex-start; }
figure { margin: 0; overflow-x: auto; } figcaption { font-weight: 600; }
figure .note { max-width: 34em; }
svg text { font: 12px system-ui, sans-serif; fill: var(--ink); }
rect { stroke: var(--line); } .above { fill: var(--above); } .below { fill: var(--below); }
.key { display: inline-block; width: .8em; height: .8em; }
.aboveKey { background: var(--above); } .belowKey { background: var(--below); }
)";

// Only makes tables sortable; without scripts they stand in model order.
static constexpr std::string_view script = R"(
for (const table of document.querySelectorAll("table"))
  table.querySelectorAll("th").forEach((head, column) => {
    head.classList.add("sortable");
    head.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "descending";
      table.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "ascending" : "descending");
      const isName = head.classList.contains("name"), sign = down ? 1 : -1;
      const key = row => row.cells[column].textContent;
      const compare = (a, b) => isName ? key(a).localeCompare(key(b), undefined, {numeric: true})
        : (parseFloat(key(a)) || 0) - (parseFloat(key(b)) || 0);
      const body = table.tBodies[0];
      body.append(...[...body.rows].sort((a, b) => sign * compare(a, b)));
    });
  });
)";

static std::string cells(const ReportTable &table,
                         const std::vector<std::string> &texts,
                         const std::string &tag) {
  std::string out = "<tr>";
  for (size_t i = 0; i < texts.size(); ++i)
    out += "<" + tag + (tag == "th" ? " scope=\"col\"" : "") +
           (table.isName(i) ? " class=\"name\">" : ">") +
           htmlEscaped(texts[i]) + "</" + tag + ">";
  return out + "</tr>\n";
}

static std::string tableHtml(const ReportTable &table) {
  if (table.rows.empty())
    return "";
  std::string out = "<h2>" + htmlEscaped(table.title) +
                    "</h2>\n<p class=\"note\">" + htmlEscaped(table.note) +
                    "</p>\n<div class=\"scroll\"><table><thead>" +
                    cells(table, table.columns, "th") + "</thead><tbody>\n";
  for (const std::vector<std::string> &row : table.rows)
    out += cells(table, row, "td");
  return out + "</tbody></table></div>\n";
}

// ---- Heat maps

namespace {

/// A figure of pairs that has maps.
struct PairMap {
  const char *title, *meaning;
  double center, leastReach;
  double (*value)(const PairFigures &);
};

} // namespace

static constexpr PairMap pairMaps[] = {
    {"Cosine of the deltas", "0, the deltas are orthogonal", 0, 0.1,
     [](const PairFigures &pair) { return pair.cosine; }},
    {"Overlap of the A's, relative to chance", "1, as random A's", 1, 0.5,
     [](const PairFigures &pair) { return pair.overlapRatio(); }},
    {"Common entries of the B's, relative to chance",
     "1, as entries placed at random", 1, 0.5,
     [](const PairFigures &pair) { return pair.maskRatio(); }},
};

static std::string matrixMap(const Report &report, const PairMap &figure) {
  size_t count = report.adapters.size();
  HeatMap map{figure.title,  figure.meaning,    {},  {}, {}, {},
              figure.center, figure.leastReach, true};
  for (size_t i = 0; i < count; ++i) {
    map.rows.push_back(adapterLabel(report, i));
    map.columns.push_back(std::to_string(i + 1));
  }
  map.columnNames = map.rows;
  map.values.assign(count * count, undefined);
  for (const PairFigures &pair : report.pairs)
    map.values[pair.first * count + pair.second] =
        map.values[pair.second * count + pair.first] = figure.value(pair);
  return heatMapHtml(map);
}

static std::string moduleMap(const Report &report, const PairMap &figure) {
  HeatMap map{std::string(figure.title) + ", by module and pair",
              figure.meaning,
              {},
              {},
              {},
              {},
              figure.center,
              figure.leastReach,
              false};
  size_t count = report.adapters.size(), pairs = report.pairs.size();
  std::vector<size_t> columnOf(count * count);
  for (size_t i = 0; i < pairs; ++i) {
    const PairFigures &pair = report.pairs[i];
    columnOf[pair.first * count + pair.second] = i;
    map.columns.push_back(std::to_string(pair.first + 1) + "," +
                          std::to_string(pair.second + 1));
    map.columnNames.push_back(pairLabel(report, pair));
  }
  map.values.assign(report.modules.size() * pairs, undefined);
  for (size_t row = 0; row < report.modules.size(); ++row) {
    map.rows.push_back(report.modules[row].module.path);
    for (const PairFigures &pair : report.modules[row].pairs)
      map.values[row * pairs + columnOf[pair.first * count + pair.second]] =
          figure.value(pair);
  }
  return heatMapHtml(map);
}

static std::string energyMap(const Report &report) {
  HeatMap map{
      "Energy of the adapters, by module", "0", {}, {}, {}, {}, 0, 0, false};
  for (size_t i = 0; i < report.adapters.size(); ++i) {
    map.columns.push_back(std::to_string(i + 1));
    map.columnNames.push_back(adapterLabel(report, i));
  }
  for (const ModuleReport &module : report.modules) {
    map.rows.push_back(module.module.path);
    for (const std::optional<PartFigures> &part : module.parts)
      map.values.push_back(part ? part->energy : undefined);
  }
  return heatMapHtml(map);
}

static std::string mapsHtml(const std::string &title, const std::string &maps) {
  return maps.empty() ? ""
                      : "<h2>" + title + "</h2>\n<div class=\"maps\">\n" +
                            maps + "</div>\n";
}

std::string lori::reportHtml(const Report &report) {
  std::string inAll, byModule;
  for (const PairMap &figure : pairMaps) {
    inAll += matrixMap(report, figure);
    byModule += moduleMap(report, figure);
  }
  byModule += energyMap(report);
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width\">\n"
      "<title>Interference of adapters</title>\n<style>" +
      std::string(style) + "</style></head><body>\n<h1>Interference of " +
      std::to_string(report.adapters.size()) + " adapters in " +
      std::to_string(report.modules.size()) + " modules</h1>\n<ol>\n";
  for (const Report::Adapter &adapter : report.adapters)
    out += "<li>" + htmlEscaped(adapter.path) + "</li>\n";
  out += "</ol>\n";
  for (const ReportTable &table :
       {adapterTable(report), pairTable(report), mergeTable(report)})
    out += tableHtml(table);
  out += mapsHtml("All modules together", inAll);
  out += mapsHtml("Module by module", byModule);
  for (const ReportTable &table :
       {modulePartTable(report), modulePairTable(report),
        moduleMergeTable(report)})
    out += tableHtml(table);
  return out + "<script>" + std::string(script) + "</script>\n</body></html>\n";
}
