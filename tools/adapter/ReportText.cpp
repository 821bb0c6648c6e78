// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/ReportTables.h"

#include <algorithm>

using namespace lori;

/// Without the control characters that could move a terminal's cursor.
static std::string printable(std::string text) {
  std::ranges::replace_if(
      text,
      [](char c) { return static_cast<unsigned char>(c) < 32 || c == 127; },
      '?');
  return text;
}

/// Characters of UTF-8 text.
static size_t widthOf(const std::string &text) {
  return static_cast<size_t>(std::ranges::count_if(text, [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

/// Breaks a note at blanks, two columns in.
static std::string wrapped(const std::string &note) {
  std::string out;
  size_t column = 0;
  for (size_t at = 0; at < note.size();) {
    size_t end = std::min(note.find(' ', at), note.size());
    if (column == 0 || column + 1 + (end - at) > 96) {
      out += column == 0 ? "  " : "\n  ";
      column = 2;
    } else {
      out += ' ';
      ++column;
    }
    out += note.substr(at, end - at);
    column += end - at;
    at = end + 1;
  }
  return out + "\n";
}

std::string lori::tableText(const ReportTable &table) {
  std::vector<size_t> widths;
  for (size_t column = 0; column < table.columns.size(); ++column) {
    size_t width = widthOf(table.columns[column]);
    for (const std::vector<std::string> &row : table.rows)
      width = std::max(width, widthOf(row[column]));
    widths.push_back(width);
  }
  auto line = [&](const std::vector<std::string> &cells) {
    std::string out = " ";
    for (size_t column = 0; column < cells.size(); ++column) {
      std::string blanks(widths[column] - widthOf(cells[column]), ' ');
      std::string cell = printable(cells[column]);
      out += " " + (table.isName(column) ? cell + blanks : blanks + cell);
      out += column + 1 < cells.size() ? " " : "";
    }
    return out.substr(0, out.find_last_not_of(' ') + 1) + "\n";
  };
  std::string out = table.title + "\n" + line(table.columns);
  for (const std::vector<std::string> &row : table.rows)
    out += line(row);
  return out + wrapped(table.note);
}

std::string lori::reportText(const Report &report) {
  std::string out;
  for (const ReportTable &table : {adapterTable(report), pairTable(report),
                                   mergeTable(report), overviewTable(report)})
    if (!table.rows.empty())
      out += (out.empty() ? "" : "\n") + tableText(table);
  return out;
}
