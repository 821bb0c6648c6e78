// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Unicode.h"

#include <gtest/gtest.h>

using namespace lori;

namespace {

TEST(UnicodeTest, DamageBecomesOneReplacementForEachMaximalPart) {
  const std::string r(replacementUtf8);
  EXPECT_EQ(repairUtf8("a\x80z"), "a" + r + "z");
  EXPECT_EQ(repairUtf8("\xE2\x82z"), r + "z"); // cut off in the middle
  EXPECT_EQ(repairUtf8("\xE2\x82"), r);        // and at the end
  EXPECT_EQ(repairUtf8("\xF0\x9F\x99\xC3\xA9"), r + "\xC3\xA9");
  EXPECT_EQ(repairUtf8("\xC0\xAF"), r + r);         // overlong
  EXPECT_EQ(repairUtf8("\xED\xA0\x80"), r + r + r); // a surrogate
  EXPECT_EQ(repairUtf8("\xF4\x90\x80\x80"), r + r + r + r);
  EXPECT_EQ(repairUtf8("\xFF\xFE"), r + r);
}

TEST(UnicodeTest, EveryCharacterGoesThroughUtf8) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c == 0xD800)
      c = 0xE000;
    std::string text;
    appendUtf8(text, c);
    Utf8Char back = decodeUtf8(text, 0);
    ASSERT_TRUE(back.valid) << uint32_t(c);
    ASSERT_EQ(back.codePoint, c);
    ASSERT_EQ(back.size, text.size());
    // Each proper prefix is incomplete, and the whole is not.
    ASSERT_EQ(completePrefix(text), text.size());
    for (size_t size = 1; size < text.size(); ++size)
      ASSERT_EQ(completePrefix(text.substr(0, size)), 0u);
  }
}

TEST(UnicodeTest, DamageIsNotWaitedFor) {
  EXPECT_EQ(completePrefix("ab\xE2\x82"), 2u);
  EXPECT_EQ(completePrefix("ab\xE2\x28"), 4u);
  EXPECT_EQ(completePrefix("ab\x80\x80\x80\x80"), 6u);
  EXPECT_EQ(completePrefix("ab\xED\xA0"), 4u);
  EXPECT_EQ(completePrefix(""), 0u);
}

TEST(UnicodeTest, NormalFormsAreThoseOfTheStandard) {
  // From the examples of UAX 15, figures 3 to 6.
  EXPECT_EQ(normalizeUnicode("\u212B", NormalForm::C), "\u00C5");
  EXPECT_EQ(normalizeUnicode("\u212B", NormalForm::D), "A\u030A");
  EXPECT_EQ(normalizeUnicode("\u1E9B\u0323", NormalForm::C), "\u1E9B\u0323");
  EXPECT_EQ(normalizeUnicode("\u1E9B\u0323", NormalForm::D),
            "\u017F\u0323\u0307");
  EXPECT_EQ(normalizeUnicode("\u1E9B\u0323", NormalForm::KC), "\u1E69");
  EXPECT_EQ(normalizeUnicode("\u1E9B\u0323", NormalForm::KD), "s\u0323\u0307");
  EXPECT_EQ(normalizeUnicode("\uFB01", NormalForm::KC), "fi");
  EXPECT_EQ(normalizeUnicode("\u1112\u1161\u11AB", NormalForm::C), "\uD55C");
  EXPECT_EQ(normalizeUnicode("\uD55C", NormalForm::D), "\u1112\u1161\u11AB");
}

TEST(UnicodeTest, LongRunsOfMarksAreOrderedInNoTime) {
  // The classes alternate: the worst case of ordering by exchange.
  std::string marks = "a", ordered = "a";
  for (int i = 0; i < 300'000; ++i)
    marks += "\u0301\u0323"; // classes 230, 220
  for (int i = 0; i < 300'000; ++i)
    ordered += "\u0323";
  for (int i = 0; i < 300'000; ++i)
    ordered += "\u0301";
  EXPECT_EQ(normalizeUnicode(marks, NormalForm::D), ordered);
}

TEST(UnicodeTest, ClassesFollowTheStandard) {
  for (char32_t c : {U' ', U'\n', U'\u0085', U'\u00A0', U'\u2003', U'\u3000'})
    EXPECT_TRUE(isWhiteSpace(c)) << uint32_t(c);
  for (char32_t c : {U'a', U'\u200B', U'\u180E', U'\u001C', U'\uFEFF'})
    EXPECT_FALSE(isWhiteSpace(c)) << uint32_t(c);
  for (char32_t c : {U'a', U'_', U'9', U'\u0301', U'\u24B6', U'\u200D', U'中'})
    EXPECT_TRUE(isWordCharacter(c)) << uint32_t(c);
  for (char32_t c : {U'-', U' ', U'\u00B2', U'\u2603'})
    EXPECT_FALSE(isWordCharacter(c)) << uint32_t(c);
  std::string lower;
  for (char32_t c : {U'A', U'\u0130', U'\u03A3', U'\u1E9E', U'1'})
    appendLower(lower, c);
  EXPECT_EQ(lower, "ai\u0307\u03C3\u00DF1");
}

} // namespace
