// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How texts are cut into words. The expected words are those of the pre-
// tokenizers that the models' tokenizer.json files hold, cut by `tokenizers`.

#include "runtime/support/Error.h"
#include "runtime/text/GgufTokenizer.h"
#include "runtime/text/TextSteps.h"
#include "test/unit/formats/SampleFiles.h"

#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;

namespace {

using Texts = std::vector<std::string>;

Texts cut(const std::vector<SplitterStep> &steps, std::string text,
          bool atStart = true) {
  TokenizerSpec spec;
  spec.splitters = steps;
  Tokenizer tokenizer = buildTokenizer(spec);
  BlobView blob = viewBlob(tokenizer.serialize(), "test");
  std::vector<PreTokenizer::Piece> pieces;
  RegexScratch scratch;
  PreTokenizer(blob).apply(text, pieces, atStart, scratch);
  Texts result;
  for (const PreTokenizer::Piece &piece : pieces)
    result.push_back(text.substr(piece.begin, piece.end - piece.begin));
  return result;
}

SplitterStep split(std::string_view pattern,
                   SplitBehavior behavior = SplitBehavior::Isolated,
                   bool invert = false) {
  SplitterStep step;
  step.pattern = translatePattern(pattern);
  step.behavior = behavior;
  step.invert = invert;
  return step;
}

std::vector<SplitterStep> named(const std::string &name) {
  std::vector<SplitterStep> steps;
  for (std::string_view pattern : findPreTokenizer(name, "test").patterns)
    steps.push_back(split(pattern));
  return steps;
}

constexpr const char *sample =
    "I'LL say: don't  go\n\n  to 12345 Straßen,\t水车2024年! Éa\u0301B's "
    "\u0663\u0664 x==y\r\n½² ";

TEST(PreTokenizerTest, TheKnownFamiliesCutAsTheirModelsDo) {
  const std::vector<std::pair<std::string, Texts>> families = {
      {"gpt-2", {"I",        "'",   "LL",     " say",  ":",    " don",
                 "'t",       " ",   " go",    "\n\n ", " to",  " 12345",
                 " Straßen", ",",   "\t",     "水车",  "2024", "年",
                 "!",        " Éa", "\u0301", "B",     "'s",   " \u0663\u0664",
                 " x",       "==",  "y",      "\r",    "\n",   "½²",
                 " "}},
      {"smollm",
       {"I",      "'",   "LL",    " say",     ":",      " don",   "'t",
        " ",      " go", "\n\n ", " to",      " ",      "1",      "2",
        "3",      "4",   "5",     " Straßen", ",",      "\t",     "水车",
        "2",      "0",   "2",     "4",        "年",     "!",      " Éa",
        "\u0301", "B",   "'s",    " ",        "\u0663", "\u0664", " x",
        "==",     "y",   "\r\n",  "½",        "²",      " "}},
      {"llama-bpe", {"I",        "'LL",
                     " say",     ":",
                     " don",     "'t",
                     " ",        " go",
                     "\n\n",     " ",
                     " to",      " ",
                     "123",      "45",
                     " Straßen", ",",
                     "\t水车",   "202",
                     "4",        "年",
                     "!",        " Éa",
                     "\u0301B",  "'s",
                     " ",        "\u0663\u0664",
                     " x",       "==",
                     "y",        "\r\n",
                     "½²",       " "}},
      {"qwen2",
       {"I",    "'LL",      " say", ":",       " don", "'t", " ",      " go",
        "\n\n", " ",        " to",  " ",       "1",    "2",  "3",      "4",
        "5",    " Straßen", ",",    "\t水车",  "2",    "0",  "2",      "4",
        "年",   "!",        " Éa",  "\u0301B", "'s",   " ",  "\u0663", "\u0664",
        " x",   "==",       "y",    "\r\n",    "½",    "²",  " "}},
      {"tekken",
       {"I",    "'LL",  " say",   ":",        " don", "'t",        " ",
        " go",  "\n\n", " ",      " to",      " ",    "1",         "2",
        "3",    "4",    "5",      " Straßen", ",",    "\t水车",    "2",
        "0",    "2",    "4",      "年",       "!",    " Éa\u0301", "B",
        "'s",   " ",    "\u0663", "\u0664",   " x",   "==",        "y",
        "\r\n", "½",    "²",      " "}},
      {"falcon",
       {"I",
        "'",
        "LL",
        " say",
        ":",
        " don",
        "'",
        "t",
        " ",
        " go",
        "\n\n ",
        " to",
        " ",
        "123",
        "45",
        " Straßen",
        ",",
        "\t",
        "水车",
        "202",
        "4",
        "年",
        "!",
        " Éa",
        "\u0301",
        "B",
        "'",
        "s",
        " \u0663\u0664",
        " x",
        "==",
        "y",
        "\r",
        "\n",
        "½²",
        " "}},
  };
  for (const auto &[name, words] : families)
    EXPECT_EQ(cut(named(name), sample), words) << name;
}

TEST(PreTokenizerTest, EveryKnownFamilyKeepsTheWholeText) {
  std::string message = errorOf([] { findPreTokenizer("no such", "f.gguf"); });
  EXPECT_SAYS(message, "f.gguf: has the unknown pre-tokenizer 'no such'");
  size_t begin = message.find("known are ") + 10, count = 0;
  std::string names = message.substr(begin, message.find(';') - begin);
  for (size_t at = 0; at < names.size(); ++count) {
    size_t end = std::min(names.find(", ", at), names.size());
    std::string joined;
    for (const std::string &word :
         cut(named(names.substr(at, end - at)), sample))
      joined += word;
    EXPECT_EQ(joined, sample) << names.substr(at, end - at);
    at = end + 2;
  }
  EXPECT_GT(count, 30u);
}

// The example of the library's documentation.
TEST(PreTokenizerTest, MatchesGoWhereTheBehaviorPutsThem) {
  auto of = [](SplitBehavior behavior, bool invert = false) {
    return cut({split("-", behavior, invert)}, "the-final--countdown");
  };
  EXPECT_EQ(of(SplitBehavior::Isolated),
            (Texts{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(of(SplitBehavior::Removed), (Texts{"the", "final", "countdown"}));
  EXPECT_EQ(of(SplitBehavior::MergedWithPrevious),
            (Texts{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(of(SplitBehavior::MergedWithNext),
            (Texts{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(of(SplitBehavior::Contiguous),
            (Texts{"the", "-", "final", "--", "countdown"}));
  EXPECT_EQ(of(SplitBehavior::Removed, true), (Texts{"-", "-", "-"}));
}

TEST(PreTokenizerTest, MetaspacePrependsWhereItsSchemeSays) {
  SplitterStep step;
  step.kind = SplitterKind::Metaspace;
  step.pattern = "_";
  for (const auto &[scheme, atStart, words] :
       std::vector<std::tuple<PrependScheme, bool, Texts>>{
           {PrependScheme::Always, true, {"_a_b", "_-", "_c"}},
           {PrependScheme::Always, false, {"_a_b", "_-", "_c"}},
           {PrependScheme::First, true, {"_a_b", "-", "_c"}},
           {PrependScheme::First, false, {"a_b", "-", "_c"}},
           {PrependScheme::Never, true, {"a_b", "-", "_c"}}}) {
    step.prepend = scheme;
    EXPECT_EQ(cut({split("-"), step}, "a b- c", atStart), words);
  }
  step.kind = SplitterKind::AddPrefixSpace;
  step.prepend = PrependScheme::Always;
  EXPECT_EQ(cut({split("-"), step}, "a- b"), (Texts{" a", " -", " b"}));
}

TEST(PreTokenizerTest, NothingGivesNothing) {
  EXPECT_EQ(cut(named("qwen2"), ""), Texts());
  EXPECT_EQ(cut({}, ""), (Texts{""}));
  EXPECT_EQ(cut({split("a", SplitBehavior::Removed)}, "aaa"), Texts());
}

// Characters of Unicode 15 and later, which PCRE2 10.42 does not know.
TEST(PreTokenizerTest, YoungCharactersAreCutAsOthersOfTheirKind) {
  EXPECT_EQ(cut(named("qwen2"), "a\U00031350 \U0001F6DC1"),
            (Texts{"a\U00031350", " \U0001F6DC", "1"}));
}

} // namespace
