// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Json.h"
#include "SampleFiles.h"

#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

std::string parseError(const std::string &text) {
  return errorOf([&] { parseJson(text, "x.json"); });
}

TEST(JsonTest, ObjectsKeepTheOrderOfTheFile) {
  JsonValue value = parseJson(R"({"b": 1, "a": [true, null, "t"]})", "x");
  ASSERT_TRUE(value.object());
  EXPECT_EQ(value.object()->at(0).first, "b");
  EXPECT_EQ(value.find("b")->integer(), 1);
  const JsonValue::Array &items = *value.find("a")->array();
  EXPECT_TRUE(*items[0].boolean());
  EXPECT_TRUE(items[1].isNull());
  EXPECT_EQ(*items[2].text(), "t");
  EXPECT_EQ(value.find("c"), nullptr);
}

TEST(JsonTest, NumbersAreIntegersWhereTheyFit) {
  auto parsed = [](const char *text) { return parseJson(text, "x"); };
  EXPECT_EQ(parsed("8.0").integer(), 8);
  EXPECT_FALSE(parsed("8.5").integer());
  EXPECT_EQ(parsed("-3").number(), -3.0);
  EXPECT_EQ(parsed("9223372036854775807").integer(), INT64_MAX);
  EXPECT_FALSE(parsed("9223372036854775808").integer());
  EXPECT_FALSE(parsed("1000000000000000019884624838656").integer());
  EXPECT_FALSE(parsed("true").integer());
}

TEST(JsonTest, MalformedTextIsAnErrorWithItsPlace) {
  EXPECT_EQ(parseError("{\"a\": }"),
            "x.json: the file is not valid JSON (byte 7), fetch the file again "
            "or repair it");
  for (const char *text : {"", "{", "[1", "{} x", "nope", "\"\xff\"", "1e999"})
    EXPECT_NE(parseError(text).find("is not valid JSON"), std::string::npos)
        << text;
  EXPECT_NE(parseError(std::string("{}\0x", 4)).find("not valid JSON"),
            std::string::npos);
}

TEST(JsonTest, DuplicateKeysAreRefusedAtEveryDepth) {
  EXPECT_NE(parseError(R"({"a": 1, "b": {}, "a": 2})").find("key 'a' twice"),
            std::string::npos);
  EXPECT_NE(parseError(R"([{"x": {"q": 1, "q": 1}}])").find("key 'q' twice"),
            std::string::npos);
  EXPECT_EQ(parseError(R"({"a": {"a": {"a": 1}}})"), "no error");
}

TEST(JsonTest, DeepNestingIsRefusedWithoutRecursion) {
  EXPECT_NE(parseError(std::string(1000000, '[')).find("deeper than 64"),
            std::string::npos);
  std::string fine = std::string(64, '[') + std::string(64, ']');
  EXPECT_EQ(parseError(fine), "no error");
}

TEST(JsonTest, ManyKeysTakeNoQuadraticTime) {
  std::string text = "{";
  for (int i = 0; i < 300000; ++i)
    text += (i ? ",\"" : "\"") + std::to_string(i) + "\":0";
  EXPECT_EQ(parseJson(text + "}", "x").object()->size(), 300000u);
}

TEST(JsonTest, ExcerptsAreShortAndWholeCharacters) {
  EXPECT_EQ(parseJson("\"a\\n\"", "x").excerpt(), "\"a\\n\"");
  EXPECT_EQ(parseJson("[1]", "x").excerpt(), "an array");
  std::string text(80, 'x');
  for (size_t i = 0; i < 40; ++i)
    text.replace(2 * i, 2, "ä");
  std::string cut = JsonValue(text).excerpt();
  EXPECT_LE(cut.size(), 44u);
  EXPECT_EQ(cut.substr(cut.size() - 3), "…");
  EXPECT_EQ((cut.size() - 4) % 2, 0u);
}

} // namespace
