// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which of a checkpoint's files say what about text.

#include "runtime/text/TokenizerSources.h"
#include "TextInputs.h"
#include "TextTestData.h"

using namespace lori;
using namespace lori::test;

namespace {

using Ids = std::vector<int32_t>;

class TextFolderTest : public testing::Test {
protected:
  TextSources read() { return readTextFolder(folder.path); }
  std::string refusal() {
    return errorOf([&] { read(); });
  }

  TemporaryFolder folder;
};

TEST_F(TextFolderTest, EverythingMayBeMissing) {
  TextSources sources = read();
  EXPECT_FALSE(sources.tokenizer);
  EXPECT_FALSE(sources.chatTemplate);
  EXPECT_EQ(sources.bosToken + sources.eosToken, "");
}

TEST_F(TextFolderTest, TokenizerJsonGoesBeforeTheModel) {
  folder.write("tokenizer.model", "not even read");
  folder.write("tokenizer.json", tinyTokenizerJson());
  EXPECT_EQ(read().tokenizer.value().vocabularySize(), 10);
}

TEST_F(TextFolderTest, AModelAddsItsBosUnlessToldOtherwise) {
  folder.write("tokenizer.model", tinyModel().bytes());
  EXPECT_TRUE(read().tokenizer.value().addBos());
  EXPECT_EQ(read().tokenizer.value().bos(), 1);
  folder.write("tokenizer_config.json", R"({"add_bos_token": false})");
  EXPECT_FALSE(read().tokenizer.value().addBos());
  folder.write("tokenizer_config.json", R"({"add_bos_token": null})");
  EXPECT_TRUE(read().tokenizer.value().addBos());
}

TEST_F(TextFolderTest, TheConfigurationNamesTheEnds) {
  std::string json = tinyTokenizerJson();
  json.replace(json.find(R"("single": [)"), 12, R"("single": [], "x": [)");
  folder.write("tokenizer.json", json);
  EXPECT_EQ(read().tokenizer.value().bos(), std::nullopt);
  folder.write("tokenizer_config.json",
               R"({"bos_token": "<s>", "eos_token": {"content": "Tag"}})");
  TextSources sources = read();
  EXPECT_EQ(sources.bosToken, "<s>");
  EXPECT_EQ(sources.eosToken, "Tag");
  EXPECT_EQ(sources.tokenizer.value().bos(), 0);
  EXPECT_FALSE(sources.tokenizer.value().addBos());
  ASSERT_EQ(sources.tokenizer.value().eos().size(), 1u);
  EXPECT_EQ(sources.tokenizer.value().eos()[0], 9);
  // What it leaves out, special_tokens_map.json may say.
  folder.write("tokenizer_config.json",
               R"({"bos_token": null, "add_bos_token": true})");
  folder.write("special_tokens_map.json",
               R"({"bos_token": {"content": "<s>"}, "eos_token": "none"})");
  sources = read();
  EXPECT_EQ(sources.bosToken, "<s>");
  EXPECT_TRUE(sources.tokenizer.value().addBos());
  EXPECT_TRUE(sources.tokenizer.value().eos().empty());
}

TEST_F(TextFolderTest, TheTemplateIsAFileOrAMember) {
  folder.write("tokenizer_config.json", R"({"chat_template": "one"})");
  EXPECT_EQ(read().chatTemplate, "one");
  folder.write("tokenizer_config.json", R"({"chat_template": [
    {"name": "tools", "template": "two"},
    {"name": "default", "template": "three"}]})");
  EXPECT_EQ(read().chatTemplate, "three");
  folder.write("tokenizer_config.json", R"({"chat_template": [
    {"name": "tools", "template": "two"}, {"name": 3}, 4]})");
  EXPECT_EQ(read().chatTemplate, std::nullopt);
  folder.write("tokenizer_config.json", R"({"chat_template": null})");
  EXPECT_EQ(read().chatTemplate, std::nullopt);
  folder.write("tokenizer_config.json", R"({"chat_template": 3})");
  EXPECT_SAYS(refusal(), "tokenizer_config.json: has an integer as "
                         "'chat_template' instead of a string");
  folder.write("tokenizer_config.json", R"({"chat_template": "one"})");
  folder.write("chat_template.jinja", "four");
  EXPECT_EQ(read().chatTemplate, "four");
}

TEST_F(TextFolderTest, TokensAddedBehindAModelAreKnown) {
  // The model has 12 pieces, and "▁" in front of "x" is none of them.
  ModelSample model = tinyModel();
  model.piece("xy", -8);
  folder.write("tokenizer.model", model.bytes());
  Ids plain = read().tokenizer.value().encode("xy", true);
  folder.write("tokenizer_config.json", R"({"added_tokens_decoder": {
    "1": {"content": "<s>", "special": true},
    "13": {"content": "<user>", "special": true},
    "16": {"content": "plain", "special": false, "rstrip": true}}})");
  Tokenizer tokenizer = read().tokenizer.value();
  EXPECT_EQ(tokenizer.vocabularySize(), 17);
  EXPECT_EQ(tokenizer.findToken("<user>"), 13);
  EXPECT_EQ(tokenizer.encode("ab<user>", true), (Ids{6, 13}));
  EXPECT_EQ(tokenizer.decode(Ids{6, 13, 16}, true), "abplain");
  EXPECT_EQ(tokenizer.encode("plain  ", false), (Ids{16}));
  // Characters that are no piece ("x", "y") moved behind the new tokens.
  EXPECT_EQ(tokenizer.encode("xy", true), plain);
  EXPECT_EQ(plain, (Ids{9, 12}));
  useTokenizer(tokenizer, "xy <user> plain 14 15");

  folder.write("tokenizer_config.json", "{}");
  folder.write("added_tokens.json", R"({"<user>": 13, "</s>": 2})");
  tokenizer = read().tokenizer.value();
  EXPECT_TRUE(tokenizer.isSpecial(13));
  EXPECT_EQ(tokenizer.encode("xy<user>", true), (Ids{9, 12, 13}));
}

TEST_F(TextFolderTest, AddedTokensThatDoNotFitAreRefused) {
  folder.write("tokenizer.model", tinyModel().bytes());
  for (const auto &[list, part] :
       std::vector<std::pair<std::string, std::string>>{
           {"[]", "has an array as 'added_tokens_decoder'"},
           {R"({"x": {"content": "a"}})", "has the entry 'x' instead of an id"},
           {R"({"1x": {"content": "a"}})", "has the entry '1x'"},
           {R"({"99999999999": {"content": "a"}})", "'99999999999'"},
           {R"({"-1": {"content": "a"}})", "has the id -1"},
           {R"({"90000": {"content": "a"}})", "has the id 90000"},
           {R"({"12": {"contents": "a"}})", "has the entry '12'"},
           {R"({"12": {"content": 3}})", "has the entry '12'"},
           {R"({"5": {"content": "<new>"}})",
            "gives the id 5 to '<new>', but it is that of 'ab'"},
           {R"({"12": {"content": "<s>"}})",
            "gives the id 12 to '<s>', which has another one"},
           {R"({"12": {"content": "n"}, "13": {"content": "n"}})",
            "gives the id 13 to 'n', which has another one"},
       }) {
    folder.write("tokenizer_config.json",
                 R"({"added_tokens_decoder": )" + list + "}");
    std::string message = refusal();
    EXPECT_SAYS(message, part);
    EXPECT_SAYS(message, "tokenizer_config.json: ");
  }
  folder.write("tokenizer_config.json", "{}");
  folder.write("added_tokens.json", "[1]");
  EXPECT_SAYS(refusal(), "added_tokens.json: is an array instead of");
  folder.write("added_tokens.json", R"({"<new>": "12"})");
  EXPECT_SAYS(refusal(), "'<new>' has the id -1");
}

TEST_F(TextFolderTest, DamagedFilesAreNamed) {
  for (const char *name : {"tokenizer.json", "tokenizer_config.json",
                           "special_tokens_map.json", "tokenizer.model"}) {
    folder.write(name, "{");
    EXPECT_SAYS(refusal(), std::string(name) + ": ");
    std::filesystem::remove(folder / name);
  }
  // A configuration of another kind says nothing.
  folder.write("tokenizer_config.json", "[]");
  EXPECT_FALSE(read().chatTemplate);
}

GgufSample pieces(const std::string &model) {
  return GgufSample()
      .text("tokenizer.ggml.model", model)
      .strings("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "▁", "a"});
}

GgufSample &types(GgufSample &sample, const std::vector<int32_t> &values) {
  std::string bytes;
  put<uint32_t>(bytes, 5); // int32
  put<uint64_t>(bytes, values.size());
  for (int32_t value : values)
    put(bytes, value);
  return sample.raw("tokenizer.ggml.token_type", 9, bytes);
}

TextSources readMetadata(const GgufSample &sample) {
  std::string bytes = sample.bytes();
  return readTextMetadata(Gguf(asBytes(bytes), "m.gguf"));
}

TEST(TextMetadataTest, AFileMayHaveNoTokenizer) {
  EXPECT_FALSE(readMetadata(GgufSample()).tokenizer);
  EXPECT_FALSE(readMetadata(GgufSample().text("tokenizer.ggml.model", "none"))
                   .tokenizer);
  TextSources sources = readMetadata(
      GgufSample().text("tokenizer.chat_template", "{{ messages }}"));
  EXPECT_EQ(sources.chatTemplate, "{{ messages }}");
}

TEST(TextMetadataTest, EndsAreNamedOrTheUsualOnes) {
  GgufSample sample = pieces("llama");
  types(sample.floats("tokenizer.ggml.scores", {0, 0, 0, -1, -2}),
        {2, 3, 3, 1, 1});
  TextSources usual = readMetadata(sample);
  EXPECT_EQ(usual.bosToken, "<s>");
  EXPECT_EQ(usual.eosToken, "</s>");
  EXPECT_TRUE(usual.tokenizer.value().addBos());
  EXPECT_EQ(usual.tokenizer.value().encode("a", true), (Ids{3, 4}));

  GgufSample none = sample;
  none.u32("tokenizer.ggml.bos_token_id", UINT32_MAX)
      .u32("tokenizer.ggml.eos_token_id", UINT32_MAX)
      .boolean("tokenizer.ggml.add_bos_token", false);
  EXPECT_EQ(readMetadata(none).bosToken, "");
  EXPECT_TRUE(readMetadata(none).tokenizer.value().eos().empty());

  GgufSample named = sample;
  named.u32("tokenizer.ggml.bos_token_id", 2)
      .u32("tokenizer.ggml.eos_token_id", 1)
      .u32("tokenizer.ggml.eot_token_id", 1);
  EXPECT_EQ(readMetadata(named).bosToken, "</s>");
  EXPECT_EQ(readMetadata(named).tokenizer.value().eos().size(), 1u);
}

TEST(TextMetadataTest, WhatDoesNotFitTogetherIsRefused) {
  auto refusal = [](const GgufSample &sample) {
    return errorOf([&] { readMetadata(sample); });
  };
  auto with = [](auto change) {
    GgufSample sample =
        pieces("llama").floats("tokenizer.ggml.scores", {0, 0, 0, -1, -2});
    change(sample);
    return sample;
  };
  auto byteLevel = [](auto change) {
    GgufSample sample = GgufSample()
                            .text("tokenizer.ggml.model", "gpt2")
                            .strings("tokenizer.ggml.tokens", {"a", "b", "ab"});
    change(sample);
    return sample;
  };
  for (const auto &[sample, part] :
       std::vector<std::pair<GgufSample, std::string>>{
           {GgufSample().text("tokenizer.ggml.model", "bert"),
            "of the model 'bert'"},
           {GgufSample().text("tokenizer.ggml.model", "llama"),
            "no tokenizer.ggml.tokens"},
           {pieces("llama"), "without tokenizer.ggml.scores"},
           {pieces("llama").floats("tokenizer.ggml.scores", {1}),
            "tokenizer.ggml.scores has 1 entries for 5 tokens"},
           {with([](GgufSample &s) { types(s, {1, 1}); }),
            "tokenizer.ggml.token_type has 2 entries for 5 tokens"},
           {with([](GgufSample &s) { types(s, {1, 1, 1, 1, 77}); }),
            "unknown type 77"},
           {with(
                [](GgufSample &s) { s.u32("tokenizer.ggml.bos_token_id", 5); }),
            "tokenizer.ggml.bos_token_id is 5, but there are 5 tokens"},
           {with([](GgufSample &s) {
              s.boolean("tokenizer.ggml.add_eos_token", true);
            }),
            "wants an EOS token behind each prompt"},
           {byteLevel([](GgufSample &) {}), "does not name its pre-tokenizer"},
           {byteLevel(
                [](GgufSample &s) { s.text("tokenizer.ggml.pre", "novel"); }),
            "has the unknown pre-tokenizer 'novel'"},
           {byteLevel(
                [](GgufSample &s) { s.text("tokenizer.ggml.pre", "gpt-2"); }),
            "without tokenizer.ggml.merges"},
           {byteLevel([](GgufSample &s) {
              s.text("tokenizer.ggml.pre", "gpt-2")
                  .strings("tokenizer.ggml.merges", {"a b", "b b"});
            }),
            "merge 1 of tokenizer.ggml.merges, 'b b', joins or makes"},
           {byteLevel([](GgufSample &s) {
              s.text("tokenizer.ggml.pre", "gpt-2")
                  .strings("tokenizer.ggml.merges", {"", " "});
            }),
            "merge 0 of tokenizer.ggml.merges"},
       })
    EXPECT_SAYS(refusal(sample), part);
  EXPECT_EQ(refusal(byteLevel([](GgufSample &s) {
              s.text("tokenizer.ggml.pre", "gpt-2")
                  .strings("tokenizer.ggml.merges", {"a b"});
            })),
            "no error");
}

} // namespace
