// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/AdapterPath.h"

#include <gtest/gtest.h>

using namespace lori;

namespace {

TEST(AdapterPathTest, ALastAtNumberIsTheScale) {
  auto check = [](const char *text, const char *path, double scale) {
    AdapterPath parsed = parseAdapterPath(text);
    EXPECT_EQ(parsed.path, path) << text;
    EXPECT_EQ(parsed.scale, scale) << text;
  };
  check("dir@0.5", "dir", 0.5);
  check("dir@-2", "dir", -2);
  check("dir@1e-3", "dir", 1e-3);
  check("a@home/b@2", "a@home/b", 2);
  check("a@1@2", "a@1", 2);
  check("dir/@3", "dir/", 3);
}

TEST(AdapterPathTest, OtherTextsArePathsAsTheyAre) {
  for (const char *text : {"dir", "dir@", "dir@x", "dir@0.5x", "dir@1/b", "@2",
                           "dir@inf", "dir@nan", "dir@1e999", "dir@ 1", ""}) {
    EXPECT_EQ(parseAdapterPath(text).path, text);
    EXPECT_FALSE(parseAdapterPath(text).scale) << text;
  }
}

TEST(AdapterPathTest, WeightsHaveTheirOwnSign) {
  EXPECT_EQ(parseAdapterPath("a@2=-0.5", '=').path, "a@2");
  EXPECT_EQ(parseAdapterPath("a@2=-0.5", '=').scale, -0.5);
  EXPECT_EQ(parseAdapterPath("a@2", '=').path, "a@2");
  EXPECT_FALSE(parseAdapterPath("r=8/a", '=').scale);
}

} // namespace
