// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/HeatMap.h"
#include "tools/adapter/ReportTables.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>

using namespace lori;

std::string lori::htmlEscaped(std::string_view text) {
  std::string out;
  for (char c : text)
    switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    case '\'':
      out += "&#39;";
      break;
    default:
      if (static_cast<unsigned char>(c) < 32 || c == 127)
        out += "\xEF\xBF\xBD";
      else
        out += c;
    }
  return out;
}

static bool isContinuation(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

/// The last characters of a long name, which tell modules apart.
static std::string shortened(const std::string &name) {
  constexpr size_t most = 44;
  if (name.size() <= most)
    return name;
  size_t start = name.size() - most;
  while (start < name.size() && isContinuation(name[start]))
    ++start;
  return "…" + name.substr(start);
}

namespace {

class Drawing {
public:
  explicit Drawing(const HeatMap &map) : map(map), reach(map.leastReach) {
    for (double value : map.values)
      if (std::isfinite(value))
        reach = std::max(reach, std::fabs(value - map.center));
    for (const std::string &row : map.rows)
      left = std::max(left, 7 * static_cast<int>(shortened(row).size()) + 8);
    width = map.showsValues ? 76 : 34;
    height = map.showsValues ? 30 : 16;
  }

  bool isEmpty() const {
    return std::ranges::none_of(map.values,
                                [](double v) { return std::isfinite(v); });
  }

  std::string run() {
    int wide = left + width * static_cast<int>(map.columns.size()) + 1;
    int tall = top + height * static_cast<int>(map.rows.size()) + 1;
    std::string size =
        std::to_string(wide) + "\" height=\"" + std::to_string(tall);
    out = "<figure><figcaption>" + htmlEscaped(map.title) +
          "</figcaption>\n<svg role=\"img\" aria-label=\"" +
          htmlEscaped(map.title) + "\" width=\"" + size + "\">\n";
    for (size_t column = 0; column < map.columns.size(); ++column)
      text(left + width * static_cast<int>(column) + width / 2, top - 6,
           "middle", map.columns[column]);
    for (size_t row = 0; row < map.rows.size(); ++row)
      drawRow(row);
    out += "</svg>\n<p class=\"note\">no colour: " + htmlEscaped(map.meaning) +
           "; <span class=\"key aboveKey\"></span> above, <span class=\"key "
           "belowKey\"></span> below; full colour: " +
           figureText(reach) +
           " away from it; empty: not defined.</p></figure>\n";
    return std::move(out);
  }

private:
  void text(int x, int y, const char *anchor, const std::string &content) {
    out += "<text x=\"" + std::to_string(x) + "\" y=\"" + std::to_string(y) +
           "\" text-anchor=\"" + anchor + "\">" + htmlEscaped(content) +
           "</text>\n";
  }

  void drawRow(size_t row) {
    int y = top + height * static_cast<int>(row);
    text(left - 6, y + height / 2 + 4, "end", shortened(map.rows[row]));
    for (size_t column = 0; column < map.columns.size(); ++column) {
      double value = map.values[row * map.columns.size() + column];
      if (std::isfinite(value))
        drawCell(row, column, y, value);
    }
  }

  void drawCell(size_t row, size_t column, int y, double value) {
    int x = left + width * static_cast<int>(column);
    char depth[16];
    std::snprintf(depth, sizeof(depth), "%.3f",
                  reach == 0 ? 0.0 : std::fabs(value - map.center) / reach);
    const std::vector<std::string> &names =
        map.columnNames.empty() ? map.columns : map.columnNames;
    out += "<rect class=\"" +
           std::string(value >= map.center ? "above" : "below") + "\" x=\"" +
           std::to_string(x) + "\" y=\"" + std::to_string(y) + "\" width=\"" +
           std::to_string(width) + "\" height=\"" + std::to_string(height) +
           "\" fill-opacity=\"" + depth + "\"><title>" +
           htmlEscaped(map.rows[row] + " — " + names[column] + ": " +
                       figureText(value)) +
           "</title></rect>\n";
    if (map.showsValues)
      text(x + width / 2, y + height / 2 + 4, "middle", figureText(value));
  }

  const HeatMap &map;
  double reach; ///< the distance from the center that has the full colour
  int left = 20, top = 22, width = 0, height = 0;
  std::string out;
};

} // namespace

std::string lori::heatMapHtml(const HeatMap &map) {
  assert(map.values.size() == map.rows.size() * map.columns.size());
  Drawing drawing(map);
  return drawing.isEmpty() ? "" : drawing.run();
}
