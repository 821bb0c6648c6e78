// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/TextStream.h"
#include "TextTestData.h"
#include "runtime/text/Unicode.h"

#include <random>

using namespace lori;
using namespace lori::test;

namespace {

/// A token for each byte but 0xFF, in this order, then some texts, the last of
/// them special.
Tokenizer byteTokens(const std::vector<std::string> &texts) {
  TokenizerSpec spec;
  spec.file = "test";
  spec.byteLevel = true;
  auto add = [&](const std::string &text, bool special = false) {
    TokenSpec token;
    token.exists = true;
    token.text = token.shown = text;
    token.special = special;
    token.inModel = !special;
    spec.tokens.push_back(token);
  };
  for (int byte = 0; byte < 255; ++byte) {
    spec.byteTokens[static_cast<size_t>(byte)] = byte;
    add(std::string(1, static_cast<char>(byte)));
  }
  for (const std::string &text : texts)
    add(text);
  AddedTokenSpec end;
  end.id = static_cast<int32_t>(spec.tokens.size());
  end.content = "<end>";
  end.special = true;
  spec.added.push_back(end);
  add(end.content, /*special=*/true);
  return buildTokenizer(spec);
}

struct Streamed {
  std::string text;
  std::vector<std::string> pieces; ///< one for each id, then the rest
  size_t read = 0;                 ///< ids until it stopped
  bool stopped = false;
};

Streamed stream(const Tokenizer &tokenizer, const std::vector<int32_t> &ids,
                std::vector<std::string> stops = {}, bool skipSpecial = true) {
  TextStream text(tokenizer, std::move(stops), skipSpecial);
  Streamed result;
  auto take = [&](const std::string &piece) {
    EXPECT_TRUE(isUtf8(piece)) << piece;
    result.pieces.push_back(piece);
    result.text += piece;
  };
  for (int32_t id : ids) {
    take(text.add(id));
    ++result.read;
    if (text.stopped())
      break;
  }
  take(text.finish());
  result.stopped = text.stopped();
  return result;
}

std::vector<int32_t> bytesOf(std::string_view text) {
  std::vector<int32_t> ids;
  for (char c : text)
    ids.push_back(static_cast<uint8_t>(c));
  return ids;
}

using Texts = std::vector<std::string>;

TEST(TextStreamTest, TextComesAsSoonAsItIsWhole) {
  Tokenizer tokenizer = byteTokens({"hello", " wor\xF0\x9F"});
  EXPECT_EQ(stream(tokenizer, {255, 32, 'x'}).pieces,
            (Texts{"hello", " ", "x", ""}));
  EXPECT_EQ(stream(tokenizer, bytesOf("aé🙂")).pieces,
            (Texts{"a", "", "é", "", "", "", "🙂", ""}));
  EXPECT_EQ(stream(tokenizer, {256, 0x99, 0x82, 'z'}).pieces,
            (Texts{" wor", "", "🙂", "z", ""}));
}

TEST(TextStreamTest, DamageBecomesReplacementsAndHoldsNothingUp) {
  Tokenizer tokenizer = byteTokens({});
  const std::string r(replacementUtf8);
  EXPECT_EQ(stream(tokenizer, {0x80, 'a'}).pieces, (Texts{r, "a", ""}));
  EXPECT_EQ(stream(tokenizer, {0xF0, 0x9F, 'a'}).pieces,
            (Texts{"", "", r + "a", ""}));
  EXPECT_EQ(stream(tokenizer, {0xE2, 0x82}).pieces, (Texts{"", "", r}));
  EXPECT_EQ(stream(tokenizer, {0xE2, 0xE2, 0xE2}).text, r + r + r);
}

TEST(TextStreamTest, UnknownIdsGiveNothing) {
  Tokenizer tokenizer = byteTokens({});
  EXPECT_EQ(
      stream(tokenizer, {'a', -1, 100000, INT32_MIN, INT32_MAX, 'b'}).pieces,
      (Texts{"a", "", "", "", "", "b", ""}));
}

TEST(TextStreamTest, SpecialTokensAreLeftOutUnlessWanted) {
  Tokenizer tokenizer = byteTokens({});
  int32_t end = tokenizer.findToken("<end>").value();
  EXPECT_EQ(stream(tokenizer, {'a', end, 'b'}).text, "ab");
  EXPECT_EQ(stream(tokenizer, {'a', end, 'b'}, {}, false).text, "a<end>b");
  // A character that a special token cuts in two is still one.
  EXPECT_EQ(stream(tokenizer, {0xC3, end, 0xA9}).text, "é");
}

TEST(TextStreamTest, AStopStringEndsTheTextBeforeIt) {
  Tokenizer tokenizer = byteTokens({"ab", "bc", "STOP it", "xxST"});
  Streamed whole = stream(tokenizer, {'a', 257, 'c'}, {"STOP"});
  EXPECT_TRUE(whole.stopped);
  EXPECT_EQ(whole.text, "a");
  EXPECT_EQ(whole.read, 2u);
  // Across tokens, beginning within one and ending within another.
  Streamed spanning = stream(tokenizer, {258, 'O', 'P', 'c'}, {"STOP"});
  EXPECT_EQ(spanning.pieces, (Texts{"xx", "", "", ""}));
  EXPECT_EQ(spanning.read, 3u);
  // At the very start, and after the start of another.
  EXPECT_EQ(stream(tokenizer, {255, 'c'}, {"abc"}).pieces, (Texts{"", "", ""}));
  EXPECT_EQ(stream(tokenizer, bytesOf("aab!"), {"ab"}).text, "a");
  EXPECT_EQ(stream(tokenizer, bytesOf("ababac!"), {"abac"}).text, "ab");
}

TEST(TextStreamTest, OfSeveralStopsTheFirstInTheTextCounts) {
  Tokenizer tokenizer = byteTokens({"one two", "one"});
  EXPECT_EQ(stream(tokenizer, {255}, {"two", "ne"}).text, "o");
  EXPECT_EQ(stream(tokenizer, {255}, {"e tw", "two"}).text, "on");
  EXPECT_EQ(stream(tokenizer, bytesOf("abcd"), {"cd", "bcd"}).text, "a");
}

TEST(TextStreamTest, WhatOnlyBeginsAStopStringComesOut) {
  Tokenizer tokenizer = byteTokens({});
  Streamed early = stream(tokenizer, bytesOf("a\n\nb"), {"\n\n\n"});
  EXPECT_FALSE(early.stopped);
  EXPECT_EQ(early.pieces, (Texts{"a", "", "", "\n\nb", ""}));
  EXPECT_EQ(stream(tokenizer, bytesOf("a\n\n"), {"\n\n\n"}).pieces,
            (Texts{"a", "", "", "\n\n"}));
  // The longest beginning of any stop string is held back.
  EXPECT_EQ(stream(tokenizer, bytesOf("xyzq"), {"zz", "yzzz"}).pieces,
            (Texts{"x", "", "", "yzq", ""}));
}

TEST(TextStreamTest, StopStringsMayHoldAnything) {
  Tokenizer tokenizer = byteTokens({});
  EXPECT_FALSE(stream(tokenizer, bytesOf("abc"), {""}).stopped);
  EXPECT_EQ(stream(tokenizer, bytesOf("é🙂!"), {"🙂"}).text, "é");
  std::string zero("a\0b", 3);
  EXPECT_EQ(
      stream(tokenizer, bytesOf("xa" + std::string(1, '\0') + "b"), {zero})
          .text,
      "x");
  EXPECT_FALSE(
      stream(tokenizer, bytesOf("ab"), {std::string(99999, 'a')}).stopped);
  // Damage in a stop string stands for what it becomes in a text.
  Streamed damaged = stream(tokenizer, {'a', 0xFE, 'b'}, {"\xFE"});
  EXPECT_TRUE(damaged.stopped);
  EXPECT_EQ(damaged.text, "a");
  // Special tokens are no text, unless they are shown.
  int32_t end = tokenizer.findToken("<end>").value();
  EXPECT_FALSE(stream(tokenizer, {'a', end}, {"<end>"}).stopped);
  EXPECT_EQ(stream(tokenizer, {'a', end, 'b'}, {"<end>"}, false).text, "a");
}

TEST(TextStreamTest, AfterTheStopNothingComes) {
  Tokenizer tokenizer = byteTokens({});
  TextStream text(tokenizer, {"b"});
  EXPECT_EQ(text.add('a'), "a");
  EXPECT_EQ(text.add('b'), "");
  EXPECT_TRUE(text.stopped());
  EXPECT_EQ(text.add('c'), "");
  EXPECT_EQ(text.finish(), "");
}

TEST(TextStreamTest, AStopMayCompleteAtTheEndOnly) {
  // The bytes that finish() turns into U+FFFD complete it.
  Tokenizer tokenizer = byteTokens({});
  Streamed result =
      stream(tokenizer, {'a', 0xE2}, {std::string(replacementUtf8)});
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.text, "a");
}

class TextStreamKindsTest : public testing::TestWithParam<const char *> {};

// All pieces together are what decode gives, with any ids, and with stops the
// part before the first of them.
TEST_P(TextStreamKindsTest, PiecesAddUpToTheDecodedText) {
  Tokenizer tokenizer =
      readTokenizer(ownFile(std::string(GetParam()) + ".json"));
  std::mt19937 random(8);
  size_t stopped = 0;
  for (int round = 0; round < 400; ++round) {
    std::vector<int32_t> ids(random() % 60);
    for (int32_t &id : ids)
      id = static_cast<int32_t>(
          random() % static_cast<unsigned>(tokenizer.vocabularySize() + 3));
    bool skip = random() % 2;
    std::string text = tokenizer.decode(ids, skip);
    EXPECT_EQ(stream(tokenizer, ids, {}, skip).text, text);

    // A stop from the text itself, and one that is not in it.
    if (text.empty())
      continue;
    size_t begin = random() % text.size();
    std::string stop = text.substr(begin, 1 + random() % 6);
    Streamed result = stream(tokenizer, ids, {stop, "\x01\x02\x03"}, skip);
    std::string expected = text.substr(0, text.find(stop));
    stopped += result.stopped;
    if (isUtf8(stop)) {
      EXPECT_EQ(result.text, expected);
      EXPECT_TRUE(result.stopped);
    }
  }
  EXPECT_GT(stopped, 100u);
}

INSTANTIATE_TEST_SUITE_P(Tokenizers, TextStreamKindsTest,
                         testing::Values("digits", "llama3", "qwen2", "tekken",
                                         "spm", "metaspace", "words"),
                         [](const auto &info) { return info.param; });

} // namespace
