// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ids and texts against those of the reference libraries.

#include "GgufTokenizers.h"
#include "TextTestData.h"
#include "runtime/support/MappedFile.h"
#include "runtime/text/GgufTokenizer.h"
#include "runtime/text/SentencePiece.h"

#include <cstdlib>

using namespace lori;
using namespace lori::test;

namespace {

void checkCases(const Tokenizer &tokenizer, const std::string &file) {
  std::vector<TokenizerCase> cases = readCases(file);
  ASSERT_GE(cases.size(), 50u);
  for (const TokenizerCase &row : cases) {
    std::vector<int32_t> ids = row.hasIds ? row.ids : row.plain;
    if (row.text) {
      SCOPED_TRACE(*row.text);
      if (row.hasIds) {
        EXPECT_EQ(tokenizer.encode(*row.text, true), row.ids);
      }
      if (row.hasPlain) {
        EXPECT_EQ(tokenizer.encode(*row.text, false), row.plain);
      }
    }
    if (row.decoded) {
      EXPECT_EQ(tokenizer.decode(ids, false), *row.decoded);
    }
    if (row.skipped) {
      EXPECT_EQ(tokenizer.decode(ids, true), *row.skipped);
    }
  }
}

Tokenizer readModel(const std::string &path) {
  MappedFile file(path);
  return buildTokenizer(readSentencePieceModel(file.bytes(), path));
}

Tokenizer readGguf(std::span<const std::byte> bytes, const std::string &path) {
  return buildTokenizer(readGgufTokenizer(Gguf(bytes, path)).value());
}

class OwnTokenizerTest : public testing::TestWithParam<const char *> {};

TEST_P(OwnTokenizerTest, GivesTheReferenceIdsAndTexts) {
  std::string name = GetParam();
  Tokenizer tokenizer = readTokenizer(ownFile(name + ".json"));
  checkCases(tokenizer, ownFile(name + ".cases.json"));
  // The packed form alone, at an odd address too.
  std::vector<std::byte> copy(1);
  auto packed = tokenizer.serialize();
  copy.insert(copy.end(), packed.begin(), packed.end());
  checkCases(Tokenizer::load(std::span(copy).subspan(1)),
             ownFile(name + ".cases.json"));
}

INSTANTIATE_TEST_SUITE_P(TokenizerJson, OwnTokenizerTest,
                         testing::Values("digits", "llama3", "qwen2", "tekken",
                                         "spm", "metaspace", "words"),
                         [](const auto &info) { return info.param; });

TEST(SentencePieceCasesTest, GiveTheIdsAndTextsOfTheLibrary) {
  checkCases(readModel(ownFile("spm.model")), ownFile("spm.model.cases.json"));
}

class GgufCasesTest
    : public testing::TestWithParam<std::pair<const char *, const char *>> {};

// Added tokens of other kinds than GGUF knows are not among these.
TEST_P(GgufCasesTest, GiveTheIdsAndTextsOfTheTokenizerTheyAreMadeOf) {
  auto [name, pre] = GetParam();
  std::string bytes = byteLevelGguf(ownFile(std::string(name) + ".json"), pre);
  checkCases(readGguf(asBytes(bytes), "sample.gguf"),
             ownFile(std::string(name) + ".cases.json"));
}

INSTANTIATE_TEST_SUITE_P(ByteLevel, GgufCasesTest,
                         testing::Values(std::pair("digits", "smollm"),
                                         std::pair("qwen2", "qwen2"),
                                         std::pair("tekken", "tekken")),
                         [](const auto &info) { return info.param.first; });

TEST(SentencePieceCasesTest, AreTheSameFromGguf) {
  std::string bytes = sentencePieceGguf(ownFile("spm.json"));
  Tokenizer gguf = readGguf(asBytes(bytes), "sample.gguf");
  Tokenizer model = readModel(ownFile("spm.model"));
  size_t compared = 0;
  for (const TokenizerCase &row : readCases(ownFile("spm.cases.json")))
    // Behind a user-defined piece, only llama.cpp adds a space.
    if (row.text && row.text->find("<pause>") == row.text->npos &&
        row.text->find("\n\n") == row.text->npos) {
      EXPECT_EQ(gguf.encode(*row.text, true), model.encode(*row.text, true));
      EXPECT_EQ(gguf.decode(row.ids, true), model.decode(row.ids, true));
      ++compared;
    }
  EXPECT_GE(compared, 50u);
}

struct SharedCases {
  const char *tokenizer, *cases;
};

class SharedTokenizerTest : public testing::TestWithParam<SharedCases> {};

TEST_P(SharedTokenizerTest, GivesTheReferenceIdsAndTexts) {
  std::string cases = sharedFile(GetParam().cases);
  std::string path = sharedFile(GetParam().tokenizer);
  if (!std::filesystem::exists(cases))
    GTEST_SKIP() << "no reference data: " << cases;
  checkCases(path.ends_with(".model") ? readModel(path) : readTokenizer(path),
             cases);
}

constexpr const char *tinyCases =
    "models/tinystories-260k/tokenizer_cases.json";

INSTANTIATE_TEST_SUITE_P(
    Reference, SharedTokenizerTest,
    testing::Values(
        SharedCases{"smollm2/tokenizer.json", "smollm2/tokenizer_cases.json"},
        SharedCases{"models/tinystories-260k/tokenizer.json", tinyCases},
        SharedCases{"models/tinystories-260k/tokenizer.model", tinyCases}));

TEST(SharedGgufTest, GivesTheReferenceIdsAndTexts) {
  const char *named = std::getenv("LORI_SMOLLM2");
  std::string path =
      named ? named : LORI_SOURCE_DIR "/.cache/SmolLM2-135M-Instruct.Q4_1.gguf";
  if (!std::filesystem::exists(path))
    GTEST_SKIP() << "SmolLM2's GGUF is not here";
  if (!std::filesystem::exists(sharedFile("smollm2")))
    GTEST_SKIP() << "no reference data: " << sharedFile("smollm2");
  MappedFile file(path);
  checkCases(readGguf(file.bytes(), path),
             sharedFile("smollm2/tokenizer_cases.json"));
}

} // namespace
