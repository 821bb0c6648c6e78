// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What holds for any text, with random texts of fixed seeds.

#include "TextInputs.h"
#include "TextTestData.h"
#include "runtime/text/SentencePiece.h"
#include "runtime/text/Unicode.h"

#include <algorithm>
#include <random>

using namespace lori;
using namespace lori::test;

namespace {

/// Text of the alphabets that tokenizers stumble over, now and then damaged.
std::string randomText(std::mt19937 &random, bool damage) {
  static const std::vector<std::string> parts = {"a",
                                                 "B",
                                                 "z",
                                                 "the ",
                                                 " of",
                                                 "don't",
                                                 "I'LL",
                                                 " ",
                                                 "  ",
                                                 "\n",
                                                 "\r\n",
                                                 "\t",
                                                 "0",
                                                 "2024",
                                                 ".",
                                                 "!?",
                                                 "/",
                                                 "_",
                                                 "é",
                                                 "e\u0301",
                                                 "\u1E9B\u0323",
                                                 "ß",
                                                 "Ω",
                                                 "ж",
                                                 "水车",
                                                 "。",
                                                 "カ",
                                                 "물레",
                                                 "٣٤٥",
                                                 "हि",
                                                 "ก",
                                                 "🙂",
                                                 "👩‍🚀",
                                                 "🇩🇪",
                                                 "\u00A0",
                                                 "\u2003",
                                                 "\u200B",
                                                 "\uFEFF",
                                                 "½",
                                                 "ﬁ",
                                                 "\U0001F6DC",
                                                 "\U00031350",
                                                 "<|",
                                                 "|>",
                                                 "<s",
                                                 "s>",
                                                 std::string(1, '\0')};
  std::string text;
  for (unsigned left = random() % 40; left > 0; --left) {
    if (random() % 16 == 0)
      appendUtf8(text, 0x21 + random() % 0xD000);
    else if (damage && random() % 8 == 0)
      text += static_cast<char>(random());
    else
      text += parts[random() % parts.size()];
  }
  return text;
}

class LosslessTokenizerTest : public testing::TestWithParam<const char *> {
protected:
  LosslessTokenizerTest()
      : tokenizer(readTokenizer(ownFile(std::string(GetParam()) + ".json"))) {}

  /// What is left of a text after normalization.
  std::string expected(const std::string &text) const {
    std::string repaired = repairUtf8(text);
    return std::string(GetParam()) == "qwen2"
               ? normalizeUnicode(repaired, NormalForm::C)
               : repaired;
  }

  Tokenizer tokenizer;
};

TEST_P(LosslessTokenizerTest, DecodingUndoesEncoding) {
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    std::string text = randomText(random, round % 2);
    std::vector<int32_t> ids = tokenizer.encode(text, false);
    EXPECT_EQ(tokenizer.decode(ids, false), expected(text));
    for (int32_t id : ids)
      EXPECT_FALSE(tokenizer.isSpecial(id)) << "in plain text";
  }
}

TEST_P(LosslessTokenizerTest, EveryByteAndCharacterGoesThrough) {
  for (char32_t c = 0; c < 0x30000; c += c < 0x800 ? 1 : 37) {
    if (c >= 0xD800 && c < 0xE000)
      continue;
    std::string text = "x";
    appendUtf8(text, c);
    EXPECT_EQ(tokenizer.decode(tokenizer.encode(text, false), false),
              expected(text));
  }
}

// The text of several ids is that of their bytes.
TEST_P(LosslessTokenizerTest, BytesOfTokensAddUp) {
  std::mt19937 random(2);
  for (int round = 0; round < 300; ++round) {
    std::vector<int32_t> ids =
        tokenizer.encode(randomText(random, true), false);
    std::string bytes;
    for (int32_t id : ids)
      bytes += tokenizer.tokenBytes(id);
    // SentencePiece takes off the space that it put in front.
    if (std::string(GetParam()) == "spm" && !bytes.empty())
      bytes.erase(0, 1);
    EXPECT_EQ(tokenizer.decode(ids, false), repairUtf8(bytes));
  }
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, LosslessTokenizerTest,
                         testing::Values("digits", "llama3", "qwen2", "tekken",
                                         "spm"),
                         [](const auto &info) { return info.param; });

class AnyTokenizerTest : public testing::TestWithParam<const char *> {};

TEST_P(AnyTokenizerTest, KeepsItsPromisesForAnyText) {
  std::string name = GetParam();
  Tokenizer tokenizer = name == "spm.model"
                            ? buildTokenizer(readSentencePieceModel(
                                  asBytes(readWhole(ownFile(name))), name))
                            : readTokenizer(ownFile(name + ".json"));
  std::mt19937 random(3);
  for (int round = 0; round < 400; ++round)
    useTokenizer(tokenizer, randomText(random, round % 2));
  useTokenizer(tokenizer, "");
  useTokenizer(tokenizer, std::string(20000, ' '));
  useTokenizer(tokenizer, std::string(20000, 'a'));
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, AnyTokenizerTest,
                         testing::Values("digits", "llama3", "qwen2", "tekken",
                                         "spm", "spm.model", "metaspace",
                                         "words"),
                         [](const auto &info) {
                           std::string name = info.param;
                           return name.substr(0, name.find('.')) +
                                  (name == "spm.model" ? "_model" : "");
                         });

TEST(SpecialTokensTest, SplitATextWhereTheyStand) {
  Tokenizer tokenizer = readTokenizer(ownFile("digits.json"));
  int32_t start = tokenizer.findToken("<|im_start|>").value();
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    std::string before = randomText(random, false);
    std::string after = randomText(random, false);
    // Damage would swallow a part of the token.
    std::vector<int32_t> expected = tokenizer.encode(before, true);
    expected.push_back(start);
    for (int32_t id : tokenizer.encode(after, true))
      expected.push_back(id);
    std::string text = before + "<|im_start|>" + after;
    EXPECT_EQ(tokenizer.encode(text, true), expected);
    std::vector<int32_t> plain = tokenizer.encode(text, false);
    EXPECT_EQ(std::ranges::count(plain, start), 0);
    EXPECT_EQ(tokenizer.decode(expected, true), before + after);
    EXPECT_EQ(tokenizer.decode(expected, false), text);
  }
}

TEST(LongTextTest, IsReadInProportionToItsLength) {
  // Quadratic work on a megabyte would take minutes.
  Tokenizer bytes = readTokenizer(ownFile("llama3.json"));
  Tokenizer pieces = readTokenizer(ownFile("spm.json"));
  for (const char *unit :
       {"a", " ", "\n", "e\u0301", "ab ", "<|e", "1", "水"}) {
    std::string text;
    while (text.size() < (1u << 20))
      text += unit;
    for (const Tokenizer *tokenizer : {&bytes, &pieces})
      EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, true), false), text);
  }
}

TEST(LongTextTest, TooLongATextIsRefused) {
  Tokenizer tokenizer = readTokenizer(ownFile("digits.json"));
  std::string text((size_t(1) << 28) + 1, 'a');
  EXPECT_SAYS(errorOf([&] { tokenizer.encode(text, true); }), "is too long");
}

} // namespace
