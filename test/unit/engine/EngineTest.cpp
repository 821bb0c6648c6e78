// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/Engine.h"
#include "runtime/engine/EngineError.h"
#include "test/unit/engine/FakeModel.h"
#include "test/unit/engine/TempFolder.h"

#include <cmath>
#include <random>

using namespace lori;

namespace {

class EngineTest : public testing::Test {
protected:
  void SetUp() override {
    fake::breaches.clear();
    fake::calls.clear();
  }
  void TearDown() override {
    EXPECT_EQ(fake::breaches, std::vector<std::string>());
  }

  std::unique_ptr<Engine> open(const ModelInfo &info = fake::info()) {
    std::string path = folder / "model";
    fake::write(path, info);
    return std::make_unique<Engine>(Artefact(path), ModelCode{&lori_step});
  }

  TempFolder folder;
};

/// A sequence together with all that the model should know of it.
struct Tracked {
  lori_sequence handle = 0;
  std::vector<fake::Token> tokens;
  std::vector<float> scales = {0, 0, 0};
};

std::vector<float> row(const float *logits, size_t index) {
  const float *start = logits + index * fake::logitsStride;
  return {start, start + fake::vocabulary};
}

std::vector<fake::Token> prefix(const std::vector<fake::Token> &tokens,
                                size_t size) {
  return {tokens.begin(), tokens.begin() + static_cast<ptrdiff_t>(size)};
}

lori_status statusOf(const std::function<void()> &action) {
  try {
    action();
  } catch (const EngineError &error) {
    return error.status();
  }
  return LORI_OK;
}

TEST_F(EngineTest, APromptLongerThanAStepIsCutUpAndGivesAllLogits) {
  auto engine = open();
  lori_sequence sequence = engine->openSequence();
  std::vector<int32_t> prompt(70);
  for (int32_t i = 0; i < 70; ++i)
    prompt[i] = i * 37 % 299;
  lori_part part = {sequence, prompt.data(), prompt.size(), prompt.size()};
  const float *logits = engine->run({&part, 1});
  std::vector<fake::Token> tokens;
  for (size_t i = 0; i < prompt.size(); ++i) {
    tokens.push_back({prompt[i]});
    EXPECT_EQ(row(logits, i), fake::logitsAfter(tokens)) << i;
  }
  EXPECT_EQ(fake::calls, (std::vector<int64_t>{24, 24, 22}));
  EXPECT_EQ(engine->length(sequence), 70);
}

TEST_F(EngineTest, OnlyTheLogitsAskedForAreComputed) {
  auto engine = open();
  lori_sequence a = engine->openSequence(), b = engine->openSequence();
  std::vector<int32_t> first = {5, 6, 7}, second = {8, 9};
  lori_part parts[] = {{a, first.data(), 3, 2}, {b, second.data(), 2, 0}};
  const float *logits = engine->run(parts);
  EXPECT_EQ(row(logits, 0), fake::logitsAfter({{5}, {6}}));
  EXPECT_EQ(row(logits, 1), fake::logitsAfter({{5}, {6}, {7}}));
}

TEST_F(EngineTest, AdapterWeightsAreThoseOfTheTimeATokenWasRun) {
  auto engine = open();
  lori_sequence sequence = engine->openSequence();
  std::vector<int32_t> ids = {10, 11, 12};
  auto run = [&](size_t index) {
    lori_part part = {sequence, &ids[index], 1, 1};
    return row(engine->run({&part, 1}), 0);
  };
  run(0);
  const lori_adapter_use uses[] = {{0, 1}, {2, 0.25f}, {0, 0.5f}};
  engine->setAdapters(sequence, uses);
  fake::Token plain = {10}, adapted = {11, {1.5f, 0, 0.25f}};
  EXPECT_EQ(run(1), fake::logitsAfter({plain, adapted}));
  engine->setAdapters(sequence, {});
  EXPECT_EQ(run(2), fake::logitsAfter({plain, adapted, {12}}));
}

// Sequences come and go, grow by prompts and by single tokens, are cut back
// and change adapters, all mixed in the same steps.
TEST_F(EngineTest, RaggedBatchesGiveWhatEachSequenceGivesAlone) {
  auto engine = open();
  std::mt19937 random(3);
  std::vector<Tracked> sequences;
  size_t compared = 0;
  for (int round = 0; round < 400; ++round) {
    if (sequences.size() < 4 && random() % 3 == 0) {
      Tracked tracked;
      tracked.handle = engine->openSequence();
      sequences.push_back(tracked);
    }
    if (!sequences.empty() && random() % 12 == 0) {
      engine->closeSequence(sequences.back().handle);
      sequences.pop_back();
    }
    std::shuffle(sequences.begin(), sequences.end(), random);
    std::vector<std::vector<int32_t>> ids;
    std::vector<lori_part> parts;
    ids.reserve(sequences.size());
    for (Tracked &tracked : sequences) {
      if (random() % 5 == 0) {
        tracked.scales = {float(random() % 3), 0, float(random() % 5) / 4};
        const lori_adapter_use uses[] = {{0, tracked.scales[0]},
                                         {2, tracked.scales[2]}};
        engine->setAdapters(tracked.handle, uses);
      }
      if (random() % 7 == 0) {
        tracked.tokens.resize(random() % (tracked.tokens.size() + 1));
        engine->truncate(tracked.handle,
                         static_cast<int64_t>(tracked.tokens.size()));
      }
      size_t room = fake::info().context - tracked.tokens.size();
      size_t count = std::min<size_t>(room, random() % 2 ? 1 : random() % 40);
      std::vector<int32_t> &added = ids.emplace_back();
      for (size_t i = 0; i < count; ++i) {
        added.push_back(static_cast<int32_t>(random() % 299));
        tracked.tokens.push_back({added.back(), tracked.scales});
      }
      size_t outputs = std::min<size_t>(count, random() % 4);
      parts.push_back({tracked.handle, added.data(), count, outputs});
    }
    const float *logits = engine->run(parts);
    for (size_t i = 0, output = 0; i < parts.size(); ++i) {
      const Tracked &tracked = sequences[i];
      EXPECT_EQ(engine->length(tracked.handle),
                static_cast<int64_t>(tracked.tokens.size()));
      for (size_t j = parts[i].outputs; j-- > 0; ++output, ++compared)
        ASSERT_EQ(row(logits, output),
                  fake::logitsAfter(
                      prefix(tracked.tokens, tracked.tokens.size() - j)))
            << "round " << round;
    }
  }
  EXPECT_GT(compared, 500u);
}

TEST_F(EngineTest, AFullContextIsAnErrorAndTheSequenceStaysUsable) {
  ModelInfo info = fake::info();
  info.context = 20;
  auto engine = open(info);
  lori_sequence sequence = engine->openSequence();
  std::vector<int32_t> ids(21, 4);
  lori_part all = {sequence, ids.data(), 21, 1};
  EXPECT_EQ(statusOf([&] { engine->run({&all, 1}); }), LORI_ERROR_CONTEXT);
  EXPECT_EQ(engine->length(sequence), 0);
  lori_part fits = {sequence, ids.data(), 20, 1};
  std::vector<fake::Token> tokens(20, fake::Token{4});
  EXPECT_EQ(row(engine->run({&fits, 1}), 0), fake::logitsAfter(tokens));
  lori_part more = {sequence, ids.data(), 1, 1};
  EXPECT_EQ(statusOf([&] { engine->run({&more, 1}); }), LORI_ERROR_CONTEXT);
  engine->truncate(sequence, 19);
  EXPECT_EQ(row(engine->run({&more, 1}), 0), fake::logitsAfter(tokens));
}

TEST_F(EngineTest, AFailedRunChangesNothing) {
  auto engine = open();
  lori_sequence a = engine->openSequence(), b = engine->openSequence();
  std::vector<int32_t> good = {1, 2, 3}, bad = {4, 300}, low = {-1};
  lori_part parts[] = {{a, good.data(), 3, 1}, {b, bad.data(), 2, 1}};
  EXPECT_EQ(statusOf([&] { engine->run(parts); }), LORI_ERROR_ARGUMENT);
  EXPECT_NE(messageOf([&] {
              engine->run(parts);
            }).find("token 300 is not in the vocabulary, ids are 0 to 299"),
            std::string::npos);
  parts[1] = {b, low.data(), 1, 0};
  EXPECT_EQ(statusOf([&] { engine->run(parts); }), LORI_ERROR_ARGUMENT);
  parts[1] = {a, good.data(), 1, 0};
  EXPECT_NE(messageOf([&] { engine->run(parts); }).find("given twice"),
            std::string::npos);
  parts[1] = {b, good.data(), 1, 2};
  EXPECT_EQ(statusOf([&] { engine->run(parts); }), LORI_ERROR_ARGUMENT);
  EXPECT_TRUE(fake::calls.empty());
  EXPECT_EQ(engine->length(a), 0);
  EXPECT_EQ(row(engine->run({parts, 1}), 0),
            fake::logitsAfter({{1}, {2}, {3}}));
}

TEST_F(EngineTest, NanLogitsAreAnErrorAndLeaveNoTrace) {
  auto engine = open();
  lori_sequence a = engine->openSequence();
  std::vector<int32_t> ids = {1, fake::poison}, good = {7, 8};
  lori_part part = {a, ids.data(), 2, 1};
  EXPECT_EQ(statusOf([&] { engine->run({&part, 1}); }), LORI_ERROR_NUMBER);
  EXPECT_EQ(engine->length(a), 0);
  part = {a, good.data(), 2, 1};
  EXPECT_EQ(row(engine->run({&part, 1}), 0), fake::logitsAfter({{7}, {8}}));
}

TEST_F(EngineTest, HandlesOfClosedSequencesAreRefusedForGood) {
  auto engine = open();
  lori_sequence old = engine->openSequence();
  engine->closeSequence(old);
  lori_sequence young = engine->openSequence();
  EXPECT_NE(old, young);
  EXPECT_EQ(statusOf([&] { engine->length(old); }), LORI_ERROR_ARGUMENT);
  EXPECT_EQ(statusOf([&] { engine->closeSequence(old); }), LORI_ERROR_ARGUMENT);
  for (lori_sequence wild : {int64_t(-1), INT64_MAX, INT64_MIN, int64_t(77)})
    EXPECT_EQ(statusOf([&] { engine->truncate(wild, 0); }),
              LORI_ERROR_ARGUMENT);
}

TEST_F(EngineTest, MoreSequencesThanTheModelHasAreAnError) {
  auto engine = open();
  for (int i = 0; i < 4; ++i)
    engine->openSequence();
  EXPECT_EQ(statusOf([&] { engine->openSequence(); }), LORI_ERROR_SEQUENCES);
}

TEST_F(EngineTest, AdaptersOutOfRangeAndWeightsThatAreNoNumbersAreErrors) {
  auto engine = open();
  lori_sequence a = engine->openSequence();
  for (lori_adapter_use use :
       {lori_adapter_use{3, 1}, {-1, 1}, {0, NAN}, {1, INFINITY}})
    EXPECT_EQ(statusOf([&] { engine->setAdapters(a, {&use, 1}); }),
              LORI_ERROR_ARGUMENT);
}

TEST_F(EngineTest, AMissingCpuFeatureIsSaidBeforeAnythingRuns) {
  ModelInfo info = fake::info();
  info.cpuFeatures = {"avx9000"};
  info.targetCpu = "future";
  EXPECT_EQ(statusOf([&] { open(info); }), LORI_ERROR_CPU);
  EXPECT_EQ(messageOf([&] { open(info); })
                .find("this CPU lacks avx9000, which the model was compiled "
                      "for (--cpu=future)"),
            0u);
}

TEST_F(EngineTest, ARunOfNothingIsAllowed) {
  auto engine = open();
  engine->run({});
  lori_sequence a = engine->openSequence();
  lori_part part = {a, nullptr, 0, 0};
  engine->run({&part, 1});
  EXPECT_TRUE(fake::calls.empty());
}

} // namespace
