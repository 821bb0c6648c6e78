// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Regex.h"
#include "runtime/support/Error.h"
#include "test/unit/formats/SampleFiles.h"

#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

/// The matches of an Oniguruma pattern.
std::vector<std::string> matches(std::string_view pattern,
                                 std::string_view text) {
  std::vector<std::string> found;
  RegexScratch scratch;
  Regex(translatePattern(pattern))
      .forEachMatch(text, scratch, [&](size_t begin, size_t end) {
        found.emplace_back(text.substr(begin, end - begin));
      });
  return found;
}

using Texts = std::vector<std::string>;

TEST(RegexTest, ClassesAreOnigurumas) {
  EXPECT_EQ(matches(R"(\s)", " \u180E\u0085"), (Texts{" ", "\u0085"}));
  EXPECT_EQ(matches(R"(\S+)", "a\u180Eb c"), (Texts{"a\u180Eb", "c"}));
  EXPECT_EQ(matches(R"([^\S\n]+)", "a \t\nb"), (Texts{" \t"}));
  EXPECT_EQ(matches(R"(\w+)", "e\u0301_1\u00B2-\u2074"),
            (Texts{"e\u0301_1\u00B2"}));
  EXPECT_EQ(matches(R"(\d+)", "1\u0663\u00B2"), (Texts{"1\u0663"}));
  EXPECT_EQ(matches(R"(\bx)", "x ax x"), (Texts{"x", "x"}));
  EXPECT_EQ(matches(R"(\p{Han}+)", "中a々"), (Texts{"中", "々"}));
  EXPECT_EQ(matches(R"(\p{^L}+)", "a12b"), (Texts{"12"}));
}

TEST(RegexTest, SyntaxIsOnigurumas) {
  EXPECT_EQ(matches(R"([+\-a-c\w-]+)", "a+b-"), (Texts{"a+b-"}));
  EXPECT_EQ(matches(R"([\s-x]+)", " -x\u2003"), (Texts{" -x\u2003"}));
  EXPECT_EQ(matches(R"([!-\/]+)", "!/0"), (Texts{"!/"}));
  EXPECT_EQ(matches(R"((?i:'s|'re))", "'S'Re'\u017F"),
            (Texts{"'S", "'Re", "'\u017F"}));
  EXPECT_EQ(matches("a{,2}", "aaa"), (Texts{"aa", "a"}));
  EXPECT_EQ(matches("a{2", "a{2"), (Texts{"a{2"}));
  EXPECT_EQ(matches("^b$", "a\nb\nc"), (Texts{"b"}));
  EXPECT_EQ(matches(".+", "a\nb\r"), (Texts{"a", "b\r"}));
  EXPECT_EQ(matches(R"(\x41|\x{e9}|\u4e2d)", "Aé中"), (Texts{"A", "é", "中"}));
  EXPECT_EQ(matches("(a)(b)?", "aba"), (Texts{"ab", "a"}));
  EXPECT_EQ(matches("x*", "axb"), (Texts{"", "x", ""}));
  EXPECT_EQ(matches(R"(\s+(?!\S)|\s+)", "a   b "), (Texts{"  ", " ", " "}));
}

TEST(RegexTest, WhatHasNoCounterpartIsRefusedByName) {
  for (const auto &[pattern, part] :
       std::vector<std::pair<std::string, std::string>>{
           {R"(\p{N}{1,3}+)", "'1,3}+'"},
           {"a{2}?", "'2}?'"},
           {R"([a&&b])", "'&&'"},
           {"[[:alpha:]]", "set inside a set"},
           {"(?<n>a)", "group '(?<n'"},
           {R"((a)\1)", "'\\1'"},
           {"a(?i)b", "group '(?i)'"},
           {R"(\h)", "'\\h'"},
           {R"(\p{N)", "property without {}"},
           {"[a", "set without its ']'"},
           {"[a-", "range without"},
           {"a\\", "'\\' at its end"}})
    EXPECT_SAYS(errorOf([&] { translatePattern(pattern); }), part);
  for (const char *pattern : {"(", ")", "*", "a**", "\\p{Nonsense}", "(*UTF)"})
    EXPECT_SAYS(errorOf([&] { Regex(translatePattern(pattern)); }),
                "is not valid");
}

TEST(RegexTest, QuotedTextMatchesItself) {
  std::string all;
  for (int byte = 0; byte < 128; ++byte)
    all += static_cast<char>(byte);
  all += "é中🙂";
  Regex regex(quotedPattern(all));
  RegexScratch scratch;
  Regex::Match match;
  ASSERT_TRUE(regex.find("xx" + all, 0, scratch, match));
  EXPECT_EQ(match.begin, 2u);
  EXPECT_EQ(match.end, 2 + all.size());
}

TEST(RegexTest, CharactersYoungerThanTheLibraryStandForOlderOnes) {
  std::string standIns, text = "a\U00031350\U00011F50\U0001F6DC\u0CF3z";
  ASSERT_TRUE(replaceYoungCharacters(text, standIns));
  ASSERT_EQ(standIns.size(), text.size());
  EXPECT_EQ(matches(R"(\p{L}|\p{Nd}|\p{S}|\p{M})", standIns).size(), 6u);
  EXPECT_EQ(matches(R"(\p{Han})", standIns).size(), 1u);
  EXPECT_FALSE(replaceYoungCharacters("aé中🙂\U0010FFFF", standIns));
}

TEST(RegexTest, PatternsThatBacktrackForeverEndInAnError) {
  EXPECT_SAYS(errorOf([] { matches("(a+)+[bc]", std::string(5000, 'a')); }),
              "cannot be matched");
}

} // namespace
