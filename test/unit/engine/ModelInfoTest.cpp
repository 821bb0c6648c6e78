// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/ModelInfo.h"
#include "test/unit/engine/FakeModel.h"
#include "test/unit/engine/TempFolder.h"

#include <nlohmann/json.hpp>

using namespace lori;
using Json = nlohmann::ordered_json;

namespace {

Json sample() {
  ModelInfo info = fake::info();
  info.bos = 1;
  info.addBos = true;
  info.chatTemplate = "{{ x }}";
  info.bosToken = "<s>";
  info.eosToken = "</s>";
  info.fused = {"f"};
  info.cpuFeatures = {"avx2", "fma"};
  return Json::parse(toJson(info));
}

TEST(ModelInfoTest, JsonRoundTripKeepsEveryField) {
  std::string json = sample().dump();
  EXPECT_EQ(toJson(parseModelInfo(json, "prog")), json);
}

TEST(ModelInfoTest, UnknownKeysAreAllowed) {
  Json json = sample();
  json["later"] = 3;
  EXPECT_EQ(parseModelInfo(json.dump(), "prog").name, "fake");
}

TEST(ModelInfoTest, EveryMissingKeyIsNamed) {
  const Json whole = sample();
  for (const auto &[key, value] : whole.items()) {
    Json json = whole;
    json.erase(key);
    std::string error = messageOf([&] { parseModelInfo(json.dump(), "prog"); });
    EXPECT_NE(error.find(key + " must be "), std::string::npos) << error;
    EXPECT_EQ(error.find("prog: the model's metadata is not usable: "), 0u);
  }
}

TEST(ModelInfoTest, EveryKeyOfAWrongTypeIsNamed) {
  const Json whole = sample();
  const Json others[] = {
      "text", -1.5, true, Json::array({"x", 1}), Json::object({{"a", "b"}}),
      1e300};
  for (const auto &[key, value] : whole.items())
    for (const Json &other : others) {
      bool fits = value.is_string()  ? other.is_string()
                  : key == "add_bos" ? other.is_boolean()
                                     : false;
      if (fits || (key == "chat_template" && other.is_string()))
        continue;
      Json json = whole;
      json[key] = other;
      std::string error =
          messageOf([&] { parseModelInfo(json.dump(), "prog"); });
      EXPECT_NE(error.find(key), std::string::npos)
          << key << " = " << other << ": " << error;
    }
}

TEST(ModelInfoTest, NumbersOutOfRangeAreErrors) {
  const std::pair<const char *, Json> cases[] = {
      {"format", 2},
      {"vocab_size", 0},
      {"vocab_size", 305}, // above logits_stride
      {"context", 129},    // more than the pages hold
      {"context", INT64_MAX},
      {"max_sequences", int64_t(1) << 40},
      {"pages_per_sequence", INT64_MAX},
      {"pages_per_sequence", UINT64_MAX},
      {"key_page_bytes", INT64_MAX},
      {"max_rows", 1 << 20},
      {"bos", 300},
      {"bos", nullptr}, // with add_bos
      {"eos", Json::array({-1})},
      {"eos", Json::array({300})}};
  for (const auto &[key, value] : cases) {
    Json json = sample();
    json[key] = value;
    EXPECT_NE(messageOf([&] { parseModelInfo(json.dump(), "prog"); }), "")
        << key << " = " << value;
  }
}

TEST(ModelInfoTest, AdaptersAreCheckedToo) {
  Json twice = sample();
  twice["adapters"].push_back(twice["adapters"][0]);
  EXPECT_NE(messageOf([&] {
              parseModelInfo(twice.dump(), "prog");
            }).find("must be unique"),
            std::string::npos);
  for (const char *key :
       {"name", "scale", "rank", "modules", "nonzeros", "entries", "bytes"}) {
    Json json = sample();
    json["adapters"][1].erase(key);
    EXPECT_NE(messageOf([&] {
                parseModelInfo(json.dump(), "prog");
              }).find(std::string("adapters: ") + key),
              std::string::npos);
  }
}

TEST(ModelInfoTest, NamesThatAreNotUtf8StillGiveJson) {
  ModelInfo info = fake::info();
  info.name = "\xff\xfe";
  EXPECT_NE(parseModelInfo(toJson(info), "prog").name, "");
}

TEST(ModelInfoTest, NotJsonIsAnError) {
  std::string deep(1000000, '['), closed = deep + std::string(1000000, ']');
  for (const std::string &text :
       {std::string(), std::string("{"), std::string("[1]"),
        std::string("null"), std::string("{\"format\":1}"), deep, closed})
    EXPECT_NE(messageOf([&] { parseModelInfo(text, "prog"); }), "")
        << text.substr(0, 20);
}

} // namespace
