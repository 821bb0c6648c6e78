// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/Scheduler.h"
#include "test/unit/engine/FakeModel.h"
#include "test/unit/engine/TempFolder.h"

#include <algorithm>
#include <random>

using namespace lori;

namespace {

class SchedulerTest : public testing::Test {
protected:
  void SetUp() override {
    fake::breaches.clear();
    fake::calls.clear();
  }
  void TearDown() override {
    EXPECT_EQ(fake::breaches, std::vector<std::string>());
  }

  Model &open(const ModelInfo &info = fake::info()) {
    fake::write(folder / "model", info);
    return model.emplace((folder / "model").c_str());
  }

  TempFolder folder;
  std::optional<Model> model;
};

struct Result {
  std::vector<int32_t> tokens;
  int ends = 0;
  bool contextFull = false;
};

int32_t best(std::span<const float> logits) {
  return static_cast<int32_t>(std::ranges::max_element(logits) -
                              logits.begin());
}

Job greedyJob(std::vector<int32_t> prompt, size_t count, Result &result) {
  Job job;
  job.prompt = std::move(prompt);
  job.pick = [&result,
              count](std::span<const float> logits) -> std::optional<int32_t> {
    result.tokens.push_back(best(logits));
    if (result.tokens.size() == count)
      return std::nullopt;
    return result.tokens.back();
  };
  job.done = [&result](bool contextFull) {
    ++result.ends;
    result.contextFull = contextFull;
  };
  return job;
}

std::vector<int32_t> prompt(size_t size, uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<int32_t> ids(size);
  for (int32_t &id : ids)
    id = static_cast<int32_t>(random() % 299);
  return ids;
}

TEST_F(SchedulerTest, AJobGivesItsGreedyContinuation) {
  Scheduler scheduler(open());
  Result result;
  scheduler.add(greedyJob({1, 2, 3}, 20, result));
  scheduler.run();
  EXPECT_EQ(result.tokens, fake::greedy({1, 2, 3}, 20));
  EXPECT_EQ(result.ends, 1);
  EXPECT_FALSE(result.contextFull);
}

// More jobs than sequences, of all lengths, with adapters of their own.
TEST_F(SchedulerTest, ManyJobsGiveWhatEachGivesAlone) {
  Scheduler scheduler(open());
  std::vector<Result> results(23);
  std::vector<std::vector<float>> scales;
  for (uint32_t i = 0; i < results.size(); ++i) {
    Job job = greedyJob(prompt(1 + i * 5 % 61, i), 1 + i * 7 % 40, results[i]);
    std::vector<float> weights = {float(i % 3), 0, i % 2 ? 0.5f : 0.0f};
    job.adapters = {{0, weights[0]}, {2, weights[2]}};
    scales.push_back(weights);
    scheduler.add(std::move(job));
  }
  scheduler.run();
  for (uint32_t i = 0; i < results.size(); ++i) {
    EXPECT_EQ(results[i].tokens, fake::greedy(prompt(1 + i * 5 % 61, i),
                                              1 + i * 7 % 40, scales[i]))
        << i;
    EXPECT_EQ(results[i].ends, 1);
  }
  // Prompts and tokens shared steps: far fewer than one a token.
  EXPECT_LT(fake::calls.size(), 250u);
  EXPECT_LE(std::ranges::max(fake::calls), 24);
}

TEST_F(SchedulerTest, SequencesThatDoNotFitAStepTakeTurns) {
  ModelInfo info = fake::info();
  info.maxRows = 2;
  Scheduler scheduler(open(info));
  std::vector<Result> results(4);
  for (uint32_t i = 0; i < 4; ++i)
    scheduler.add(greedyJob(prompt(3, i), 10, results[i]));
  for (int i = 0; i < 18; ++i)
    scheduler.step();
  for (const Result &result : results)
    EXPECT_GE(result.tokens.size(), 3u);
  scheduler.run();
  for (uint32_t i = 0; i < 4; ++i)
    EXPECT_EQ(results[i].tokens, fake::greedy(prompt(3, i), 10)) << i;
}

TEST_F(SchedulerTest, AFullContextEndsItsJobOnly) {
  ModelInfo info = fake::info();
  info.context = 20;
  Scheduler scheduler(open(info));
  Result full, other;
  scheduler.add(greedyJob(prompt(15, 1), 100, full));
  scheduler.add(greedyJob(prompt(2, 2), 18, other));
  scheduler.run();
  // The last token is known, but has no place in the cache.
  EXPECT_EQ(full.tokens, fake::greedy(prompt(15, 1), 6));
  EXPECT_TRUE(full.contextFull);
  EXPECT_EQ(other.tokens, fake::greedy(prompt(2, 2), 18));
  EXPECT_FALSE(other.contextFull);
}

TEST_F(SchedulerTest, PromptLogitsComeInOrderAndAllOfThem) {
  Scheduler scheduler(open());
  std::vector<int32_t> ids = prompt(60, 9);
  size_t next = 0;
  Result result;
  Job job = greedyJob(ids, 3, result);
  job.promptLogits = [&](size_t index, std::span<const float> logits) {
    EXPECT_EQ(index, next++);
    std::vector<fake::Token> tokens;
    for (size_t i = 0; i <= index; ++i)
      tokens.push_back({ids[i]});
    EXPECT_EQ(std::vector<float>(logits.begin(), logits.end()),
              fake::logitsAfter(tokens));
  };
  scheduler.add(std::move(job));
  scheduler.run();
  EXPECT_EQ(next, 60u);
  EXPECT_EQ(result.tokens, fake::greedy(ids, 3));
}

TEST_F(SchedulerTest, AJobMayContinueASequence) {
  Model &opened = open();
  Sequence sequence(opened);
  Scheduler scheduler(opened);
  Result first, second;
  Job job = greedyJob({1, 2, 3}, 4, first);
  job.sequence = &sequence;
  scheduler.add(std::move(job));
  scheduler.run();
  EXPECT_EQ(sequence.length(), 6);
  job = greedyJob({first.tokens[3], 50}, 2, second);
  job.sequence = &sequence;
  scheduler.add(std::move(job));
  scheduler.run();
  std::vector<int32_t> all = {1, 2, 3};
  all.insert(all.end(), first.tokens.begin(), first.tokens.end());
  all.push_back(50);
  EXPECT_EQ(second.tokens, fake::greedy(all, 2));
}

TEST_F(SchedulerTest, WithoutPickAJobEndsWithItsPrompt) {
  Scheduler scheduler(open());
  int ends = 0;
  Job job;
  job.prompt = prompt(30, 1);
  job.done = [&](bool) { ++ends; };
  scheduler.add(std::move(job));
  scheduler.run();
  EXPECT_EQ(ends, 1);
  EXPECT_EQ(fake::calls, (std::vector<int64_t>{24, 6}));
}

TEST_F(SchedulerTest, LogitsOfLargeVocabulariesComeInSlices) {
  Scheduler scheduler(open(), 3 * fake::logitsStride * sizeof(float) + 1);
  Result result, other;
  Job job = greedyJob(prompt(50, 3), 2, result);
  size_t rows = 0;
  job.promptLogits = [&](size_t, std::span<const float>) { ++rows; };
  scheduler.add(std::move(job));
  scheduler.add(greedyJob(prompt(5, 4), 9, other));
  scheduler.run();
  EXPECT_EQ(rows, 50u);
  EXPECT_EQ(result.tokens, fake::greedy(prompt(50, 3), 2));
  EXPECT_EQ(other.tokens, fake::greedy(prompt(5, 4), 9));
  EXPECT_LE(fake::calls[0], 3);
}

TEST_F(SchedulerTest, AnEmptyPromptIsAnError) {
  Scheduler scheduler(open());
  EXPECT_NE(messageOf([&] { scheduler.add({}); }).find("empty"),
            std::string::npos);
  EXPECT_FALSE(scheduler.step());
}

TEST_F(SchedulerTest, WhatACallbackThrowsReachesTheCaller) {
  Scheduler scheduler(open());
  Job job;
  job.prompt = {1};
  job.pick = [](std::span<const float>) -> std::optional<int32_t> {
    throw Error("stop here");
  };
  scheduler.add(std::move(job));
  EXPECT_EQ(messageOf([&] { scheduler.run(); }), "stop here");
}

TEST_F(SchedulerTest, NanLogitsEndTheRun) {
  Scheduler scheduler(open());
  Result result;
  scheduler.add(greedyJob({1, fake::poison}, 4, result));
  EXPECT_NE(messageOf([&] { scheduler.run(); }).find("NaN"), std::string::npos);
  EXPECT_TRUE(result.tokens.empty());
}

} // namespace
