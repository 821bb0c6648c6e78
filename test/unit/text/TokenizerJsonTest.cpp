// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What tokenizer.json may hold, and what is said of the rest; the ids are
// checked against the reference library in TokenizerCasesTest.

#include "TextInputs.h"
#include "TextTestData.h"

using namespace lori;
using namespace lori::test;

namespace {

Tokenizer build(const std::string &json) {
  return buildTokenizer(readTokenizerJson(parseJson(json, "t.json"), "t.json"));
}

/// The tiny tokenizer with one part of its text replaced.
std::string with(const std::string &part, const std::string &other) {
  std::string json = tinyTokenizerJson();
  size_t at = json.find(part);
  EXPECT_NE(at, json.npos) << part;
  return at == json.npos ? json : json.replace(at, part.size(), other);
}

using Ids = std::vector<int32_t>;

TEST(TokenizerJsonTest, TheTinyOneWorks) {
  Tokenizer tokenizer = build(tinyTokenizerJson());
  EXPECT_EQ(tokenizer.vocabularySize(), 10);
  EXPECT_EQ(tokenizer.bos(), 0);
  EXPECT_TRUE(tokenizer.addBos());
  EXPECT_TRUE(tokenizer.isSpecial(0));
  EXPECT_FALSE(tokenizer.isSpecial(9));
  EXPECT_EQ(tokenizer.findToken("Tag"), 9);
  EXPECT_EQ(tokenizer.findToken("ab"), 6);
  EXPECT_EQ(tokenizer.findToken("abc"), std::nullopt);
  EXPECT_EQ(tokenizer.encode("ab", true), (Ids{7}));
  EXPECT_EQ(tokenizer.encode("<s>ab", true), (Ids{0, 7}));
  EXPECT_EQ(tokenizer.encode("a", true), (Ids{5}));
  // Runs of what has neither token nor bytes are one unknown.
  EXPECT_EQ(tokenizer.encode("acdb", true), (Ids{5, 1, 4}));
  EXPECT_EQ(tokenizer.decode(Ids{7, 5}, false), "ab a");
}

TEST(TokenizerJsonTest, WhatIsMalformedIsNamed) {
  for (const auto &[json, part] :
       std::vector<std::pair<std::string, std::string>>{
           {"[]", "the tokenizer is an array instead of an object"},
           {"{}", "the tokenizer has no 'model'"},
           {R"({"model": 3})", "the model is an integer"},
           {with(R"("1.0")", R"("2.0")"), "version '2.0', supported is 1.0"},
           {with(R"("type": "BPE")", R"("type": "WordPiece")"),
            "of type 'WordPiece', supported is BPE"},
           {with(R"("a": 3)", R"("a": 4)"), "gives the id 4 to 'b' and to 'a'"},
           {with(R"("a": 3)", R"("a": -1)"), "has the id -1"},
           {with(R"("a": 3)", R"("a": 99999999)"), "has the id 99999999"},
           {with(R"("a": 3)", R"("a": "3")"), "as the id of 'a' instead of"},
           {with(R"("a": 3)", R"("a": 3.5)"), "as the id of 'a' instead of"},
           {with(R"("a": 3, )", ""),
            "has 'a' as part of a merge, which is not"},
           {with(R"("ab": 6,)", ""), "has 'ab' as result of a merge"},
           {with(R"("_ a")", R"("_a")"), "instead of two tokens"},
           {with(R"("_ a")", R"("_ a b")"), "instead of two tokens"},
           {with(R"(["a", "b"])", R"(["a", "b", "c"])"),
            "instead of two tokens"},
           {with(R"(["a", "b"])", "7"), "instead of two tokens"},
           {with(R"("unk_token": "?")", R"("unk_token": "??")"),
            "has '?\?' as unk_token"},
           {with(R"("dropout": null)", R"("dropout": 0.1)"), "dropout"},
           {with(R"("dropout": null)", R"("end_of_word_suffix": "</w>")"),
            "end_of_word_suffix '</w>', which is not supported"},
           {with(R"("ignore_merges": false)", R"("ignore_merges": 1)"),
            "has an integer as 'ignore_merges' instead of true or false"},
       }) {
    std::string message = errorOf([&, &json = json] { build(json); });
    EXPECT_SAYS(message, part);
    EXPECT_TRUE(message.starts_with("t.json: ")) << message;
  }
}

TEST(TokenizerJsonTest, AddedTokensMustFit) {
  const std::string tag = R"("id": 9, "content": "Tag")";
  for (const auto &[other, part] :
       std::vector<std::pair<std::string, std::string>>{
           {R"("id": 5, "content": "Tag")", "is that of '_a'"},
           {R"("id": 9, "content": "ab")",
            "the added token 'ab' has the id 9, but the model's vocabulary "
            "gives it 6"},
           {R"("id": 999999999, "content": "Tag")", "has the id 999999999"},
           {R"("id": "9", "content": "Tag")", "instead of an integer"},
           {R"("content": "Tag")", "has no 'id'"},
           {R"("id": 9)", "has no 'content'"},
           {R"("id": 9, "content": "<s>")", "<s>"},
           {R"("id": 9, "content": ")" + std::string(2000, 'x') + "\"",
            "an added token is 2001 bytes long"},
       })
    EXPECT_SAYS(errorOf([&, &other = other] { build(with(tag, other)); }),
                part);
  // The same entry twice is one.
  std::string entry = R"({"id": 0, "content": "<s>", "special": true}, )";
  EXPECT_EQ(build(with(R"({"id": 0, "content": "<s>")",
                       entry + R"({"id": 0, "content": "<s>")"))
                .encode("<s>", true),
            (Ids{0}));
}

TEST(TokenizerJsonTest, ComponentsWithoutACounterpartAreNamed) {
  for (const auto &[part, other, said] :
       std::vector<std::array<std::string, 3>>{
           {R"("type": "NFKC")", R"("type": "BertNormalizer")",
            "normalizer 'BertNormalizer' is not supported"},
           {R"("type": "NFKC")", R"("kind": "NFKC")", "has no 'type'"},
           {R"("type": "Digits")", R"("type": "UnicodeScripts")",
            "pre_tokenizer 'UnicodeScripts' is not supported"},
           {R"("behavior": "Isolated")", R"("behavior": "Lost")",
            "unknown behavior 'Lost'"},
           {R"("Regex": "[ \t]+")", R"("Regex": "[ \t")", "set without"},
           {R"("Regex": "[ \t]+")", R"("Regexp": "x")", "has no 'Regex'"},
           {R"("prepend_scheme": "first")", R"("prepend_scheme": "last")",
            "unknown prepend_scheme 'last'"},
           {R"("replacement": "_")", R"("replacement": "__")", "replacement"},
           {R"("type": "Fuse")", R"("type": "WordPiece")",
            "decoder 'WordPiece' is not supported"},
           {R"({"type": "Fuse"},)", "", "comes before Fuse"},
           {R"("start": 1)", R"("start": -1)", "outside of 0 to 65535"},
           {R"("type": "TemplateProcessing")", R"("type": "BertProcessing")",
            "is not supported"},
           {R"("ids": [0])", R"("ids": [0, 1])", "other than one id"},
           {R"("ids": [0])", R"("ids": [70])",
            "the BOS token is token 70, which does not exist"},
           {R"("ids": [0])", R"("ids": [4294967296])", "other than one id"},
           {R"({"Sequence": {"id": "A", "type_id": 0}}])",
            R"({"Sequence": {}}, {"SpecialToken": {"id": "<s>"}}])",
            "puts '<s>' behind the prompt, which is not supported"},
       })
    EXPECT_SAYS(errorOf([&, &part = part, &other = other] {
                  build(with(part, other));
                }),
                said);
}

std::string repeat(const std::string &text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i)
    result += text;
  return result;
}

TEST(TokenizerJsonTest, CostlyComponentsAreRefused) {
  std::string nfc = R"({"type": "NFC"}, )";
  EXPECT_SAYS(
      errorOf([&] { build(with(R"({"type": "NFKC"}, )", repeat(nfc, 100))); }),
      "the normalizer has 102 steps, at most 64 are supported");
  EXPECT_SAYS(errorOf([&] {
                build(with(R"({"type": "Digits")",
                           repeat(R"({"type": "WhitespaceSplit"}, )", 100) +
                               R"({"type": "Digits")"));
              }),
              "the pre_tokenizer has 104 steps");
  std::string fuse = R"({"type": "Fuse"},)";
  EXPECT_SAYS(errorOf([&] { build(with(fuse, repeat(fuse, 100))); }),
              "the decoder has 65 steps");
  // Each of 20 steps doubles what the one before made.
  std::string twice =
      R"({"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}, )";
  std::string many = with(R"({"type": "NFKC"}, )", repeat(twice, 20));
  EXPECT_SAYS(
      errorOf([&] { build(many); }),
      "t.json: added_tokens has 'Tag': the tokenizer's normalizer makes "
      "the text too long");
  many.insert(many.find(R"("special": false)"), R"("normalized": false, )");
  Tokenizer growing = build(many);
  EXPECT_SAYS(errorOf([&] { growing.encode("aaaa", true); }),
              "makes the text too long");
  // Messages quote only the beginning of what is wrong.
  EXPECT_LT(errorOf([&] {
              build(with(R"("unk_token": "?")",
                         R"("unk_token": ")" + std::string(9999, 'x') + '"'));
            }).size(),
            400u);
}

// Each search is short enough; a text has only so many of them.
TEST(TokenizerJsonTest, PatternsThatBacktrackEverywhereEnd) {
  Tokenizer tokenizer =
      build(with(R"((?i:'s|x+)|\\s+(?!\\S)|\\d{1,3})", R"((b+)+[cd]|b)"));
  EXPECT_SAYS(
      errorOf([&] { tokenizer.encode(std::string(100000, 'b'), true); }),
      "cannot be matched");
  EXPECT_EQ(tokenizer.decode(tokenizer.encode("ab b", true), true), "ab b");
}

TEST(TokenizerJsonTest, NestingEnds) {
  std::string open, close;
  for (int i = 0; i < 100000; ++i) {
    open += R"({"type": "Sequence", "normalizers": [)";
    close += "]}";
  }
  EXPECT_SAYS(errorOf([&] {
                build(with(R"({"type": "NFKC"})",
                           open + R"({"type": "NFKC"})" + close));
              }),
              "nest");
}

} // namespace
