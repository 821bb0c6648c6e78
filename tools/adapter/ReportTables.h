// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A report as tables of text, which the terminal and HTML show alike.

#ifndef LORI_TOOLS_ADAPTER_REPORTTABLES_H
#define LORI_TOOLS_ADAPTER_REPORTTABLES_H

#include "tools/adapter/Report.h"

namespace lori {

struct ReportTable {
  std::string title, note;
  std::vector<std::string> columns;
  size_t labels = 1;         ///< so many leading columns are names, no figures
  bool endsInRemark = false; ///< so is the last column
  std::vector<std::vector<std::string>> rows;

  bool isName(size_t column) const {
    return column < labels || (endsInRemark && column + 1 == columns.size());
  }
};

/// "1 add": the number keeps adapters of one name apart.
std::string adapterLabel(const Report &report, size_t adapter);
/// "1 add, 3 sort"
std::string pairLabel(const Report &report, const PairFigures &pair);
/// Three significant digits, "-" for what is not defined.
std::string figureText(double value);

// In all.
ReportTable adapterTable(const Report &report);
ReportTable pairTable(const Report &report);
ReportTable mergeTable(const Report &report);

/// One row a module: the largest figures of its pairs.
ReportTable overviewTable(const Report &report);

// A row for each module and adapter, or pair; errors of merges by module.
ReportTable modulePartTable(const Report &report);
ReportTable modulePairTable(const Report &report);
ReportTable moduleMergeTable(const Report &report);

/// A table for a terminal: control characters of names are shown as "?".
std::string tableText(const ReportTable &table);

/// The first four tables that have rows.
std::string reportText(const Report &report);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_REPORTTABLES_H
