// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pieces and scores from .model files put together here; whole models are
// checked against the library in TokenizerCasesTest.

#include "runtime/text/SentencePiece.h"
#include "TextInputs.h"
#include "test/unit/formats/SampleFiles.h"

#include <gtest/gtest.h>
#include <limits>

using namespace lori;
using namespace lori::test;

namespace {

using Ids = std::vector<int32_t>;

Tokenizer build(const ModelSample &model) {
  return buildTokenizer(readSentencePieceModel(asBytes(model.bytes()), "m"));
}

std::string refusal(const ModelSample &model) {
  return errorOf([&] { build(model); });
}

ModelSample ends() {
  ModelSample sample;
  return sample.piece("<unk>", 0, 2)
      .piece("<s>", 0, 3)
      .piece("</s>", 0, 3)
      .trainer(3, 2)
      .normalizer(4, 0);
}

TEST(SentencePieceTest, TheHighestScoreMergesFirst) {
  ModelSample sample = ends();
  for (const char *text : {"▁", "a", "b", "c"})
    sample.piece(text, -100);                             // 3 to 6
  sample.piece("ab", -2).piece("bc", -1).piece("▁a", -3); // 7 8 9
  EXPECT_EQ(build(sample).encode("abc", false), (Ids{9, 8}));
  // Of equal scores the leftmost.
  sample = ends();
  for (const char *text : {"▁", "a", "b", "c"})
    sample.piece(text, -100);
  sample.piece("ab", -1).piece("bc", -1);
  EXPECT_EQ(build(sample).encode("abc", false), (Ids{3, 7, 6}));
}

TEST(SentencePieceTest, TheTinyModelWorks) {
  Tokenizer tokenizer = build(tinyModel());
  EXPECT_EQ(tokenizer.bos(), 1);
  ASSERT_EQ(tokenizer.eos().size(), 1u);
  EXPECT_EQ(tokenizer.eos()[0], 2);
  EXPECT_EQ(tokenizer.encode("ab", true), (Ids{6}));
  EXPECT_EQ(tokenizer.encode("ab A", true), (Ids{6, 9, 3}));
  EXPECT_EQ(tokenizer.encode("b<sep>a", true), (Ids{9, 8, 10, 7}));
  EXPECT_EQ(tokenizer.encode("Z", true), (Ids{9, 0}));
  // An unused piece falls apart again.
  EXPECT_EQ(tokenizer.encode("bb", true), (Ids{9, 8, 8}));
  EXPECT_EQ(tokenizer.encode("</s>", true), (Ids{2}));
  EXPECT_EQ(tokenizer.encode("", true), Ids());
  EXPECT_EQ(tokenizer.decode(Ids{1, 6, 9, 3, 2}, true), "ab A");
}

TEST(SentencePieceTest, WhiteSpaceFollowsTheNormalizer) {
  auto model = [](bool prefix, bool squeeze) {
    ModelSample sample;
    sample.piece("<unk>", 0, 2).piece("▁", -1).piece("a", -2).piece("▁a", 0);
    sample.trainer(3, 2).normalizer(3, prefix).normalizer(4, squeeze);
    return build(sample);
  };
  EXPECT_EQ(model(true, false).encode(" a  a ", true), (Ids{1, 3, 1, 3, 1}));
  EXPECT_EQ(model(true, true).encode(" a  a ", true), (Ids{3, 3}));
  EXPECT_EQ(model(false, false).encode("a a", true), (Ids{2, 3}));
  EXPECT_EQ(model(false, false).decode(Ids{3, 3}, true), " a a");
  EXPECT_EQ(model(true, false).decode(Ids{3, 3}, true), "a a");
}

TEST(SentencePieceTest, IdsOfTheEndsComeFromTheModel) {
  ModelSample sample;
  sample.piece("<unk>", 0, 2).piece("a", -1).piece("<e>", 0, 3);
  sample.piece("<b>", 0, 3).trainer(3, 2).trainer(41, 3).trainer(42, 2);
  Tokenizer tokenizer = build(sample);
  EXPECT_EQ(tokenizer.bos(), 3);
  EXPECT_EQ(tokenizer.eos()[0], 2);
  // -1, as protocol buffers write it: there is none.
  sample.trainer(41, UINT64_MAX).trainer(42, UINT64_MAX);
  EXPECT_EQ(build(sample).bos(), std::nullopt);
  EXPECT_TRUE(build(sample).eos().empty());
  // An id that is no control piece, or out of reach, is none either.
  EXPECT_EQ(build(sample.trainer(41, 1)).bos(), std::nullopt);
  EXPECT_EQ(build(sample.trainer(41, 1u << 30)).bos(), std::nullopt);
}

TEST(SentencePieceTest, OtherModelsAreRefusedByName) {
  ModelSample unigram = ends();
  EXPECT_SAYS(refusal(ends().trainer(3, 1)),
              "of type unigram, supported is BPE");
  EXPECT_SAYS(refusal(ends().trainer(3, 99)), "of type ?");
  EXPECT_SAYS(refusal(ends().normalizer(1, "nmt_nfkc").normalizer(2, "rules")),
              "normalizes by 'nmt_nfkc'");
  EXPECT_SAYS(refusal(ends().trainer(24, 1)), "treat_whitespace_as_suffix");
  EXPECT_SAYS(refusal(ModelSample()), "it has no pieces");
  EXPECT_EQ(refusal(ends()), "no error");
}

TEST(SentencePieceTest, OddPieces) {
  EXPECT_SAYS(
      refusal(ends().piece("a", std::numeric_limits<float>::quiet_NaN())),
      "piece 3 has NaN as its score");
  EXPECT_SAYS(refusal(ends().piece("x", 0, 6)),
              "is of type byte, but is called");
  EXPECT_SAYS(refusal(ends().piece("x", 0, 9)), "is of the unknown type 9");
  EXPECT_SAYS(refusal(ends().piece(std::string(600, 'a'), 0)),
              "is longer than 512 bytes");
  // Twice the same, infinite scores, empty and damaged texts harm nobody.
  constexpr float infinity = std::numeric_limits<float>::infinity();
  Tokenizer tokenizer = build(ends()
                                  .piece("▁", -1)
                                  .piece("a", 1)
                                  .piece("a", 2)
                                  .piece("", 3)
                                  .piece("\xC3", 4)
                                  .piece("▁a", infinity)
                                  .piece("aa", -infinity));
  useTokenizer(tokenizer, "a aaa \xC3");
  EXPECT_EQ(tokenizer.encode("aa", false), (Ids{8, 5}));
}

TEST(SentencePieceTest, DamagedMessagesAreRefused) {
  auto read = [](const std::string &bytes) {
    return errorOf([&] { readSentencePieceModel(asBytes(bytes), "m"); });
  };
  EXPECT_SAYS(read(""), "it has no pieces");
  for (const std::string &bytes :
       {std::string("\x0A\xFF"), std::string("\x0A\x05 ab"),
        std::string("\x0F"), std::string("\x00\x00", 2),
        std::string("\x08\x01"),
        std::string("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"),
        std::string(11, '\xFF'), std::string("\x0A\x02\x10\x01"),
        std::string("{\"version\": \"1.0\"}")})
    EXPECT_SAYS(read(bytes), "m: is not a SentencePiece model, or is damaged");
}

} // namespace
