// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every case of the reference data is decided as its list says.

#include "SampleFiles.h"
#include "runtime/formats/Json.h"
#include "runtime/formats/PeftAdapter.h"

#include <gtest/gtest.h>
#include <map>

using namespace lori;
using namespace lori::test;

namespace {

class ReferenceAdaptersTest : public testing::Test {
protected:
  void SetUp() override {
    if (sharedFolder().empty())
      GTEST_SKIP() << "the reference data is not beside the repository";
    data = sharedFolder() + "/data/";
  }
  const Checkpoint &base(const std::string &name) {
    auto found = bases.find(name);
    if (found == bases.end())
      found = bases.emplace(name, Checkpoint::open(data + name)).first;
    return found->second;
  }
  std::string decide(const std::string &path, const std::string &model) {
    return errorOf([&] { PeftAdapter::open(data + path, base(model)); });
  }
  std::string data;
  std::map<std::string, Checkpoint> bases;
};

TEST_F(ReferenceAdaptersTest, Adapters) {
  JsonValue cases = parseJsonFile(data + "adapters/cases.json");
  ASSERT_GT(cases.array()->size(), 30u);
  for (const JsonValue &one : *cases.array()) {
    const std::string &name = *one.find("name")->text();
    std::string message = decide("adapters/" + name, *one.find("base")->text());
    if (*one.find("must")->text() == "work")
      EXPECT_EQ(message, "no error") << name;
    else if (message != "no error")
      EXPECT_SAYS(message, name);
  }
}

TEST_F(ReferenceAdaptersTest, Malformed) {
  JsonValue cases = parseJsonFile(data + "malformed/cases.json");
  ASSERT_GT(cases.array()->size(), 20u);
  for (const JsonValue &one : *cases.array()) {
    const std::string &name = *one.find("name")->text();
    const std::string &want = *one.find("want")->text();
    std::string message =
        decide("malformed/" + name, "models/tinystories-260k");
    if (want == "work")
      EXPECT_EQ(message, "no error") << name;
    else if (want == "clear_error")
      EXPECT_SAYS(message, name);
  }
}

TEST_F(ReferenceAdaptersTest, VariantsThatAreNoPlainLoraAreRefused) {
  for (const char *name :
       {"ts_dora_r8", "ts_lora_bias", "ts_modules_to_save_norm"})
    EXPECT_NE(
        decide(std::string("adapters/") + name, "models/tinystories-260k"),
        "no error")
        << name;
  EXPECT_NE(decide("adapters/mha_modules_to_save_lm_head",
                   "models/llama-mha-untied-f32"),
            "no error");
}

TEST_F(ReferenceAdaptersTest, SparsityIsRecovered) {
  const Checkpoint &model = base("models/tinystories-260k");
  auto zeros = [&](const std::string &name) {
    return PeftAdapter::open(data + "adapters/" + name, model).zeroFraction();
  };
  EXPECT_EQ(zeros("ts_lori_d_r8"), 0);
  EXPECT_NEAR(zeros("ts_lori_s_r8"), 0.9, 1e-4);
  EXPECT_NEAR(zeros("ts_lori_s_r16_bf16"), 0.9, 1e-4);
}

TEST_F(ReferenceAdaptersTest, ScalingsOfPatterns) {
  const Checkpoint &model = base("models/tinystories-260k");
  PeftAdapter adapter =
      PeftAdapter::open(data + "adapters/ts_rank_alpha_pattern", model);
  std::map<std::string, std::pair<int64_t, double>> found;
  for (const AdapterModule &module : adapter.modules())
    found[module.module.path] = {module.rank, module.scaling};
  EXPECT_EQ(found["model.layers.0.self_attn.q_proj"],
            std::pair(int64_t(4), 8.0));
  EXPECT_EQ(found["model.layers.1.mlp.down_proj"], std::pair(int64_t(16), 1.0));
  EXPECT_EQ(found["model.layers.2.self_attn.o_proj"],
            std::pair(int64_t(8), 0.5));
  EXPECT_EQ(found["model.layers.3.mlp.gate_proj"], std::pair(int64_t(8), 1.0));
}

} // namespace
