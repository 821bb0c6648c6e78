// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What reports say in text, HTML and JSON, also of hostile names.

#include "tools/adapter/ReportFiles.h"
#include "runtime/formats/JsonWriter.h"
#include "test/unit/adapter/DenseAdapters.h"
#include "tools/adapter/HeatMap.h"
#include "tools/adapter/ReportTables.h"

#include <gtest/gtest.h>
#include <limits>

using namespace lori;
using namespace lori::test;

namespace {

constexpr char hostile[] = "<script>alert(1)</script>&\"'\x1b[2J";

class ReportFilesTest : public testing::Test {
protected:
  /// Two adapters, the second with a hostile name and a module of its own.
  Report sample() {
    DenseAdapter a(1, 2), b(2, 2);
    b.modules[1] = std::string("model.layers.0.self_attn.") + hostile;
    inputs.push_back(AdapterInput::open(a.write(folder, "first")));
    inputs.push_back(
        AdapterInput::open(b.write(folder, "<img src=x onerror=alert(1)>\n")));
    return makeReport(inputs, {});
  }

  TemporaryFolder folder;
  std::vector<AdapterInput> inputs;
};

size_t countOf(const std::string &text, const std::string &part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != text.npos;
       at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST_F(ReportFilesTest, NamesAreEscapedInHtml) {
  std::string html = reportHtml(sample());
  EXPECT_SAYS(html, "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;");
  EXPECT_SAYS(html, "&lt;img src=x onerror=alert(1)&gt;");
  EXPECT_EQ(countOf(html, "<script"), 1u); // ours
  EXPECT_EQ(countOf(html, "<img"), 0u);
  EXPECT_EQ(countOf(html, "\x1b"), 0u);
}

TEST_F(ReportFilesTest, HtmlNeedsNoOtherResource) {
  std::string html = reportHtml(sample());
  for (const char *part : {"http:", "https:", " href=", "url(", "@import",
                           "<link", "<iframe", " src=\""})
    EXPECT_EQ(countOf(html, part), 0u) << part;
  EXPECT_SAYS(html, "prefers-color-scheme: dark");
  EXPECT_SAYS(html, "<meta charset=\"utf-8\">");
  for (const char *tag : {"table", "svg", "figure", "tr", "td", "th", "rect"}) {
    std::string name = tag;
    EXPECT_EQ(countOf(html, "<" + name + " ") + countOf(html, "<" + name + ">"),
              countOf(html, "</" + name + ">"))
        << tag;
  }
}

TEST_F(ReportFilesTest, JsonHasTheFigures) {
  Report report = sample();
  JsonValue json = parseJson(jsonText(reportJson(report), 1), "report");
  EXPECT_EQ(json.find("adapters")->array()->size(), 2u);
  EXPECT_EQ(json.find("modules")->array()->size(), 3u);
  const JsonValue &pair = json.find("pairs")->array()->at(0);
  EXPECT_EQ(pair.find("cosine")->number(), report.pairs[0].cosine);
  EXPECT_EQ(pair.find("modules")->integer(), 1);
  const JsonValue &cat = json.find("merges")->array()->at(0);
  EXPECT_EQ(*cat.find("type")->text(), "cat");
  EXPECT_EQ(*cat.find("basis")->text(), "computed");
  EXPECT_EQ(cat.find("error")->number(), 0);
  const JsonValue &ties = json.find("merges")->array()->at(2);
  EXPECT_FALSE(ties.find("error"));
  EXPECT_SAYS(*ties.find("reason")->text(), "--density");
  const JsonValue &module = json.find("modules")->array()->at(0);
  EXPECT_TRUE(module.find("merge_errors")->find("ties")->isNull());
  EXPECT_EQ(
      module.find("adapters")->array()->at(0).find("a_hash")->text()->size(),
      32u);
}

TEST_F(ReportFilesTest, TextIsFreeOfControlCharacters) {
  std::string text = reportText(sample());
  EXPECT_EQ(countOf(text, "\x1b"), 0u);
  EXPECT_SAYS(text, "<script>alert(1)</script>&\"'?[2J");
  EXPECT_SAYS(text, "onerror=alert(1)>?");
  for (const char *title : {"Adapters\n", "Pairs\n", "Merges\n", "Modules\n"})
    EXPECT_EQ(countOf(text, title), 1u) << title;
}

TEST(HeatMapTest, WhatIsNotDefinedStaysEmpty) {
  double none = std::numeric_limits<double>::quiet_NaN();
  HeatMap map{"t", "0", {"r"}, {"1", "2", "3"}, {}, {none, -0.5, 0.25}};
  std::string html = heatMapHtml(map);
  EXPECT_EQ(countOf(html, "<rect"), 2u);
  EXPECT_SAYS(html, "class=\"below\"");
  EXPECT_SAYS(html, "fill-opacity=\"1.000\"");
  EXPECT_SAYS(html, "fill-opacity=\"0.500\"");
  map.leastReach = 5;
  EXPECT_SAYS(heatMapHtml(map), "fill-opacity=\"0.100\"");
  map.values = {none, none, none};
  EXPECT_EQ(heatMapHtml(map), "");
}

TEST(HeatMapTest, LongNamesAreCutBetweenCharacters) {
  std::string name;
  for (int i = 0; i < 40; ++i)
    name += "ü";
  name += "x";
  std::string html = heatMapHtml({"t", "0", {name}, {"1"}, {}, {1}});
  // Both the label and the full name must be whole characters.
  EXPECT_EQ(countOf(html, "\xC3"), countOf(html, "\xBC"));
}

} // namespace
