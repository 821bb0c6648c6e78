// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ids and texts against those of the reference libraries.

#include "TextTestData.h"
#include "runtime/text/TokenizerJson.h"

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

Tokenizer readJson(const std::string &path) {
  return buildTokenizer(readTokenizerJson(parseJsonFile(path), path));
}

class OwnTokenizerTest : public testing::TestWithParam<const char *> {};

TEST_P(OwnTokenizerTest, GivesTheReferenceIdsAndTexts) {
  std::string name = GetParam();
  Tokenizer tokenizer = readJson(ownFile(name + ".json"));
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

class SharedTokenizerTest
    : public testing::TestWithParam<std::pair<const char *, const char *>> {};

TEST_P(SharedTokenizerTest, GivesTheReferenceIdsAndTexts) {
  auto [tokenizer, cases] = GetParam();
  if (!std::filesystem::exists(sharedFile(cases)))
    GTEST_SKIP() << sharedFile(cases) << " is not there";
  checkCases(readJson(sharedFile(tokenizer)), sharedFile(cases));
}

INSTANTIATE_TEST_SUITE_P(
    TokenizerJson, SharedTokenizerTest,
    testing::Values(std::pair("smollm2/tokenizer.json",
                              "smollm2/tokenizer_cases.json"),
                    std::pair("models/tinystories-260k/tokenizer.json",
                              "models/tinystories-260k/tokenizer_cases.json")));

} // namespace
