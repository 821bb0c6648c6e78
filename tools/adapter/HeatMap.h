// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_HEATMAP_H
#define LORI_TOOLS_ADAPTER_HEATMAP_H

#include <string>
#include <string_view>
#include <vector>

namespace lori {

/// Returns `text` for HTML, inside of elements and of quoted attributes.
/// Control characters become U+FFFD.
std::string htmlEscaped(std::string_view text);

/// Figures as colours: one hue above `center`, another below it, the deeper the
/// farther off.
struct HeatMap {
  std::string title;
  std::string meaning; ///< of the center: "no colour: MEANING"
  std::vector<std::string> rows, columns;
  /// What columns are called in full, if they are headed by numbers.
  std::vector<std::string> columnNames;
  std::vector<double> values; ///< row by row; NaN is left empty
  double center = 0;
  /// The least distance from it that has the full colour, so that noise stays
  /// pale; the largest value if that is farther off.
  double leastReach = 0;
  bool showsValues = false; ///< in the cells, which are wide then
};

/// Returns a figure with the map as inline SVG and a legend, coloured by the
/// classes "above" and "below"; nothing if no value is finite.
std::string heatMapHtml(const HeatMap &map);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_HEATMAP_H
