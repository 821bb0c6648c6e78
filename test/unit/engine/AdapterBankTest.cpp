// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/Engine.h"
#include "runtime/engine/EngineError.h"
#include "runtime/formats/SafetensorsWriter.h"
#include "test/unit/engine/FakeModel.h"
#include "test/unit/engine/TempFolder.h"

#include <gmock/gmock.h>

using namespace lori;
using testing::HasSubstr;

namespace {

class AdapterBankTest : public testing::Test {
protected:
  void SetUp() override {
    fake::breaches.clear();
    std::string path = folder / "model";
    fake::write(path, fake::info());
    engine = std::make_unique<Engine>(Artefact(path),
                                      ModelCode{&lori_step, &lori_write_f32});
  }
  void TearDown() override {
    EXPECT_EQ(fake::breaches, std::vector<std::string>());
  }

  /// Writes an adapter of rank 2 that acts as "plus" with the weight `factor`.
  std::string write(const std::string &name, float factor,
                    const std::string &module = "q_proj") {
    std::string path = folder / name;
    std::filesystem::create_directory(path);
    writeFile(path + "/adapter_config.json",
              R"({"peft_type": "LORA", "r": 2, "lora_alpha": 4,
                  "target_modules": [")" +
                  module + R"("], "base_model_name_or_path": "fake"})");
    std::string start = "base_model.model.model.layers.0.self_attn." + module;
    NewFile file(path + "/adapter_model.safetensors");
    SafetensorsWriter writer(
        file,
        {{start + ".lora_A.weight", StorageType::F32, {2, fake::siteIn}},
         {start + ".lora_B.weight", StorageType::F32, {fake::siteOut, 2}}},
        {});
    std::vector<float> a(2 * fake::siteIn, 7), b(2 * fake::siteOut, 9);
    a[0] = factor / 2; // the scaling is 4 / 2
    b[0] = 1;
    writer.append(std::as_bytes(std::span(a)));
    writer.append(std::as_bytes(std::span(b)));
    writer.finish();
    file.commit();
    return path;
  }

  /// The logits after `prompt` with `uses`.
  std::vector<float> run(std::vector<lori_adapter_use> uses) {
    lori_sequence sequence = engine->openSequence();
    engine->setAdapters(sequence, uses);
    lori_part part = {sequence, prompt.data(), prompt.size(), 1};
    const float *logits = engine->run({&part, 1});
    std::vector<float> result(logits, logits + fake::vocabulary);
    engine->closeSequence(sequence);
    return result;
  }

  std::vector<float> expected(float plus) const {
    std::vector<fake::Token> tokens;
    for (int32_t id : prompt)
      tokens.push_back({id, {plus, 0, 0}});
    return fake::logitsAfter(tokens);
  }

  std::string messageOf(const std::function<void()> &action) {
    try {
      action();
    } catch (const Error &error) {
      return error.what();
    }
    return "";
  }

  TempFolder folder;
  std::unique_ptr<Engine> engine;
  // Longer than a step, so that a use is cut up.
  std::vector<int32_t> prompt = std::vector<int32_t>(30, 5);
};

TEST_F(AdapterBankTest, ALoadedAdapterActsByItsFactorsScalingAndWeight) {
  int32_t half = engine->loadAdapter("half", write("half", 0.5f));
  EXPECT_EQ(half, 3);
  EXPECT_EQ(engine->adapterCount(), 4);
  EXPECT_EQ(engine->findAdapter("half"), half);
  EXPECT_EQ(engine->adapter(half)->rank, 2);
  EXPECT_EQ(run({}), expected(0));
  EXPECT_EQ(run({{half, 1}}), expected(0.5f));
  EXPECT_EQ(run({{half, -4}}), expected(-2));
  EXPECT_EQ(run({{half, 0}}), expected(0));
  EXPECT_EQ(run({{half, 1}, {half, 1}, {0, 0.25f}}), expected(1.25f));
}

TEST_F(AdapterBankTest, SequencesOfABatchUseTheirOwnAdapters) {
  int32_t one = engine->loadAdapter("one", write("one", 1));
  int32_t two = engine->loadAdapter("two", write("two", 2));
  std::vector<lori_sequence> sequences;
  std::vector<lori_part> parts;
  std::vector<std::vector<lori_adapter_use>> uses = {
      {{two, 1}}, {}, {{one, 1}}};
  for (auto &use : uses) {
    sequences.push_back(engine->openSequence());
    engine->setAdapters(sequences.back(), use);
    parts.push_back({sequences.back(), prompt.data(), prompt.size(), 1});
  }
  const float *logits = engine->run(parts);
  for (auto [i, weight] : {std::pair(0, 2.0f), {1, 0.0f}, {2, 1.0f}}) {
    const float *row = logits + i * fake::logitsStride;
    EXPECT_EQ(std::vector<float>(row, row + fake::vocabulary),
              expected(weight));
  }
}

TEST_F(AdapterBankTest, UnloadingFreesNumberNameAndMemory) {
  int32_t first = engine->loadAdapter("a", write("a", 1));
  int32_t second = engine->loadAdapter("b", write("b", 3));
  engine->unloadAdapter(first);
  EXPECT_EQ(engine->adapter(first), nullptr);
  EXPECT_EQ(engine->findAdapter("a"), -1);
  EXPECT_EQ(run({{second, 1}}), expected(3));
  EXPECT_EQ(engine->loadAdapter("a", write("again", 0.25f)), first);
  EXPECT_EQ(run({{first, 1}}), expected(0.25f));
  EXPECT_EQ(run({{second, 1}}), expected(3));
}

TEST_F(AdapterBankTest, RefusesWhatIsInUseOrCompiledIn) {
  int32_t loaded = engine->loadAdapter("a", write("a", 1));
  lori_sequence sequence = engine->openSequence();
  std::vector<lori_adapter_use> uses = {{loaded, 1}};
  engine->setAdapters(sequence, uses);
  EXPECT_THAT(messageOf([&] { engine->unloadAdapter(loaded); }),
              HasSubstr("in use by a sequence"));
  engine->setAdapters(sequence, {});
  engine->unloadAdapter(loaded);
  for (int32_t number : {-1, 0, 2, loaded, 99})
    EXPECT_THAT(messageOf([&] { engine->unloadAdapter(number); }),
                HasSubstr("is not one that was loaded"));
  EXPECT_THAT(messageOf([&] { engine->setAdapters(sequence, uses); }),
              HasSubstr("is not one of the model's"));
}

TEST_F(AdapterBankTest, RefusesNamesAndFoldersThatDoNotFit) {
  std::string path = write("a", 1);
  engine->loadAdapter("a", path);
  for (const char *name : {"a", "plus"})
    EXPECT_THAT(messageOf([&] { engine->loadAdapter(name, path); }),
                HasSubstr("already"));
  EXPECT_THAT(messageOf([&] { engine->loadAdapter("", path); }),
              HasSubstr("needs a name"));
  EXPECT_THAT(messageOf([&] { engine->loadAdapter("b", folder / "none"); }),
              HasSubstr("none"));
  std::string other = write("other", 1, "o_proj");
  EXPECT_THAT(messageOf([&] { engine->loadAdapter("b", other); }),
              HasSubstr("which the base lacks"));
  EXPECT_EQ(engine->adapterCount(), 4);
}

TEST_F(AdapterBankTest, AModelWithoutSitesLoadsNothing) {
  ModelInfo info = fake::info();
  info.bank.sites.clear();
  std::string path = folder / "bare";
  fake::write(path, info);
  Engine bare(Artefact(path), ModelCode{&lori_step, &lori_write_f32});
  EXPECT_THAT(messageOf([&] { bare.loadAdapter("a", write("a", 1)); }),
              HasSubstr("without a place for adapters"));
}

} // namespace
