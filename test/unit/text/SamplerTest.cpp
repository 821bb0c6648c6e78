// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/text/Sampler.h"
#include "runtime/support/Philox.h"
#include "test/unit/formats/SampleFiles.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <random>

using namespace lori;
using namespace lori::test;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();

std::vector<double> softmax(const std::vector<float> &logits,
                            double temperature) {
  std::vector<double> result;
  double total = 0;
  for (float logit : logits)
    total += result.emplace_back(std::exp(logit / temperature));
  for (double &value : result)
    value /= total;
  return result;
}

/// The share of each token among `draws`.
std::vector<double> shares(const std::vector<float> &logits,
                           const SamplerOptions &options, int draws = 20000) {
  Sampler sampler(options);
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i)
    ++counts.at(static_cast<size_t>(sampler.sample(logits)));
  std::vector<double> result;
  result.reserve(counts.size());
  for (int count : counts)
    result.push_back(static_cast<double>(count) / draws);
  return result;
}

/// Five standard deviations of the mean of so many draws: with fixed seeds the
/// outcome is fixed as well.
void expectShares(const std::vector<double> &got,
                  const std::vector<double> &wanted, int draws = 20000) {
  ASSERT_EQ(got.size(), wanted.size());
  for (size_t id = 0; id < got.size(); ++id) {
    double deviation = std::sqrt(wanted[id] * (1 - wanted[id]) / draws);
    EXPECT_NEAR(got[id], wanted[id], 5 * deviation) << "token " << id;
  }
}

std::vector<float> randomLogits(size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> logits(count);
  for (float &logit : logits)
    logit = static_cast<float>(random() % 2001) / 200 - 5;
  return logits;
}

TEST(SamplerTest, GreedyTakesTheHighestAndOfEqualOnesTheFirst) {
  Sampler greedy({});
  EXPECT_EQ(greedy.sample(std::vector<float>{-3, -1, -2}), 1);
  EXPECT_EQ(greedy.sample(std::vector<float>{1, 2, 2, 2}), 1);
  EXPECT_EQ(greedy.sample(std::vector<float>{-0.0f, 0.0f}), 0);
  EXPECT_EQ(greedy.sample(std::vector<float>{-infinity, -1e30f, -infinity}), 1);
  EXPECT_EQ(greedy.sample(std::vector<float>{5}), 0);
  // At each place of a block of lanes, of its remainder, and twice.
  for (size_t size : {1u, 15u, 16u, 17u, 64u, 77u})
    for (size_t at = 0; at < size; ++at) {
      std::vector<float> logits(size, -7.5f);
      logits[at] = 3;
      EXPECT_EQ(greedy.sample(logits), static_cast<int32_t>(at));
      logits[(at * 5 + 3) % size] = 3;
      EXPECT_EQ(greedy.sample(logits),
                static_cast<int32_t>(std::min(at, (at * 5 + 3) % size)));
    }
}

TEST(SamplerTest, GreedyIgnoresTheOtherOptions) {
  std::vector<float> logits = randomLogits(100, 1);
  Sampler greedy({.temperature = 0, .topK = 5, .topP = 0.5, .seed = 7});
  int32_t first = greedy.sample(logits);
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(greedy.sample(logits), first);
  EXPECT_EQ(first, mostLikely(logits));
}

TEST(SamplerTest, WhatIsNoNumberIsRefused) {
  for (double temperature : {0.0, 1.0})
    for (size_t size : {3u, 40u})
      for (size_t at : {size_t(0), size - 1}) {
        Sampler sampler({.temperature = temperature});
        std::vector<float> logits(size, 1);
        for (float wrong : {nan, -nan, infinity}) {
          logits[at] = wrong;
          EXPECT_SAYS(errorOf([&] { sampler.sample(logits); }),
                      "is not a number");
        }
        EXPECT_SAYS(errorOf([&] {
                      sampler.sample(std::vector<float>(size, -infinity));
                    }),
                    "no finite value");
        EXPECT_SAYS(errorOf([&] { sampler.sample({}); }), "no finite value");
      }
}

TEST(SamplerTest, OptionsOutOfRangeAreRefused) {
  using Limits = std::numeric_limits<double>;
  auto message = [](const SamplerOptions &options) {
    return errorOf([&] { Sampler sampler(options); });
  };
  for (double wrong : {-1.0, Limits::quiet_NaN(), Limits::infinity()})
    EXPECT_SAYS(message({.temperature = wrong}), "temperature");
  for (double wrong : {-0.1, 1.1, Limits::quiet_NaN()})
    EXPECT_SAYS(message({.topP = wrong}), "top-p");
  EXPECT_SAYS(message({.topK = -1}), "top-k");
  EXPECT_EQ(message({.temperature = Limits::max(), .topK = INT64_MAX}),
            "no error");
}

TEST(SamplerTest, SharesAreTheSoftmax) {
  std::vector<float> logits = {0, 1, 2, -1, 0.5f};
  for (double temperature : {0.3, 1.0, 2.5})
    expectShares(shares(logits, {.temperature = temperature, .seed = 3}),
                 softmax(logits, temperature));
}

TEST(SamplerTest, ExtremeTemperaturesStayFinite) {
  std::vector<float> logits = {-3e38f, 1, 3e38f, 2};
  EXPECT_EQ(shares(logits, {.temperature = 5e-324}, 50)[2], 1);
  EXPECT_EQ(shares(logits, {.temperature = 1e-6}, 50)[2], 1);
  expectShares(shares(logits, {.temperature = 1e300, .seed = 5}),
               {0.25, 0.25, 0.25, 0.25});
}

TEST(SamplerTest, RuledOutTokensNeverCome) {
  std::vector<float> logits = {-infinity, 1, -infinity, 1, -infinity};
  for (SamplerOptions options :
       {SamplerOptions{.temperature = 1e300},
        SamplerOptions{.temperature = 1, .topK = 4},
        SamplerOptions{.temperature = 1, .topP = 0.999}})
    expectShares(shares(logits, options), {0, 0.5, 0, 0.5, 0});
}

TEST(SamplerTest, TopKKeepsTheMostLikely) {
  std::vector<float> logits = {1, 4, 2, 3, 0};
  std::vector<double> all = softmax(logits, 1);
  double kept = all[1] + all[2] + all[3];
  expectShares(shares(logits, {.temperature = 1, .topK = 3, .seed = 1}),
               {0, all[1] / kept, all[2] / kept, all[3] / kept, 0});
  // Of equal ones the first; as many as there are, or more, change nothing.
  expectShares(shares({1, 1, 1, 1}, {.temperature = 1, .topK = 2}),
               {0.5, 0.5, 0, 0});
  for (int64_t many : {0, 5, 6, 1000000})
    expectShares(shares(logits, {.temperature = 1, .topK = many}), all);
  EXPECT_EQ(shares(logits, {.temperature = 9, .topK = 1}, 100)[1], 1);
}

TEST(SamplerTest, TopPKeepsTheFewestThatReachIt) {
  // Probabilities 0.5, 0.25, 0.125, 0.125.
  auto log = [](double value) { return static_cast<float>(std::log(value)); };
  std::vector<float> logits = {log(0.125), log(0.5), log(0.125), log(0.25)};
  auto of = [&](double topP) {
    return shares(logits, {.temperature = 1, .topP = topP, .seed = 2});
  };
  expectShares(of(0), {0, 1, 0, 0});
  expectShares(of(0.49), {0, 1, 0, 0});
  expectShares(of(0.6), {0, 2.0 / 3, 0, 1.0 / 3});
  expectShares(of(0.8), {1.0 / 7, 4.0 / 7, 0, 2.0 / 7});
  expectShares(of(0.9), {0.125, 0.5, 0.125, 0.25});
  expectShares(of(1), {0.125, 0.5, 0.125, 0.25});
}

// Sorting all is the plain way to find what is kept.
TEST(SamplerTest, WhatIsKeptIsWhatSortingKeeps) {
  std::mt19937 random(4);
  for (int round = 0; round < 300; ++round) {
    std::vector<float> logits =
        randomLogits(1 + random() % 200, static_cast<unsigned>(round));
    SamplerOptions options;
    options.temperature = 0.25 + random() % 8 / 2.0;
    options.topK = static_cast<int64_t>(random() % 3 * random() % 30);
    options.topP = random() % 101 / 100.0;
    options.seed = random();

    std::vector<size_t> order(logits.size());
    for (size_t id = 0; id < order.size(); ++id)
      order[id] = id;
    std::ranges::sort(order, [&](size_t a, size_t b) {
      return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
    });
    if (options.topK > 0 && static_cast<size_t>(options.topK) < order.size())
      order.resize(static_cast<size_t>(options.topK));
    double total = 0, reached = 0;
    auto weight = [&](size_t id) {
      return std::exp(logits[id] / options.temperature);
    };
    for (size_t id : order)
      total += weight(id);
    size_t certain = 0, possible = 0; // but for rounding at the edge
    for (size_t id : order) {
      certain += reached < options.topP * total * (1 - 1e-9);
      possible += reached < options.topP * total * (1 + 1e-9);
      reached += weight(id);
    }
    possible = std::max<size_t>(possible, 1);

    Sampler sampler(options);
    std::map<int32_t, int> seen;
    for (int draw = 0; draw < 200; ++draw)
      ++seen[sampler.sample(logits)];
    for (auto [id, count] : seen) {
      auto place = std::ranges::find(order, static_cast<size_t>(id));
      EXPECT_LT(place - order.begin(), static_cast<ptrdiff_t>(possible));
    }
    // The least likely that must be kept comes, if it is not rare.
    if (certain > 0 && weight(order[certain - 1]) > 0.1 * total) {
      EXPECT_GT(seen[static_cast<int32_t>(order[certain - 1])], 0);
    }
  }
}

TEST(SamplerTest, OneSeedGivesOneSequence) {
  std::vector<float> logits = randomLogits(5000, 9);
  auto sequence = [&](uint64_t seed, double topP) {
    Sampler sampler({.temperature = 1.5, .topP = topP, .seed = seed});
    std::vector<int32_t> ids(50);
    for (int32_t &id : ids)
      id = sampler.sample(logits);
    return ids;
  };
  for (double topP : {1.0, 0.9}) {
    EXPECT_EQ(sequence(42, topP), sequence(42, topP));
    EXPECT_NE(sequence(42, topP), sequence(43, topP));
    EXPECT_NE(sequence(42, topP), sequence(42 + (uint64_t(1) << 32), topP));
  }
}

// The contract of the header, computed anew: the same on every machine.
TEST(SamplerTest, DrawsAreThoseOfTheCounter) {
  constexpr uint64_t seed = 0x123456789ABCDEF0;
  Sampler sampler({.temperature = 1, .seed = seed});
  std::vector<float> logits(1000, 0.5f);
  for (uint32_t draw = 0; draw < 100; ++draw) {
    auto words = philox4x32({draw, 0, 0, 0}, seed);
    double uniform = words[0] / 4294967296.0;
    EXPECT_EQ(sampler.sample(logits), static_cast<int32_t>(uniform * 1000));
  }
}

TEST(SamplerTest, SizesMayChangeFromDrawToDraw) {
  Sampler sampler({.temperature = 1, .topK = 10, .topP = 0.9, .seed = 1});
  for (size_t size : {1000u, 1u, 7u, 300u, 2u})
    for (int i = 0; i < 20; ++i) {
      int32_t id = sampler.sample(randomLogits(size, 3));
      EXPECT_GE(id, 0);
      EXPECT_LT(id, static_cast<int32_t>(size));
    }
}

} // namespace
