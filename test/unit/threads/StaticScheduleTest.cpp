// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/threads/StaticSchedule.h"

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <map>
#include <random>

using namespace lori;

namespace {

template <typename Unsigned> struct Loop {
  using Signed = std::make_signed_t<Unsigned>;
  Unsigned lower, upper;
  Signed step;
  uint64_t trips;
};

template <typename Unsigned>
Loop<Unsigned> randomLoop(std::mt19937_64 &random) {
  uint64_t trips = random() % 300 + 1;
  auto step = static_cast<std::make_signed_t<Unsigned>>(random() % 7 + 1);
  uint64_t span = (trips - 1) * uint64_t(step);
  uint64_t room = std::numeric_limits<Unsigned>::max() - span;
  auto lower = static_cast<Unsigned>(
      room == ~uint64_t(0) ? random() : random() % (room + 1));
  auto upper = static_cast<Unsigned>(lower + span);
  if (random() % 2)
    return {lower, upper, step, trips};
  using Signed = std::make_signed_t<Unsigned>;
  return {upper, lower, Signed(-step), trips};
}

template <typename Unsigned> class StaticScheduleTest : public testing::Test {};
using Widths = testing::Types<uint32_t, uint64_t>;
TYPED_TEST_SUITE(StaticScheduleTest, Widths);

TYPED_TEST(StaticScheduleTest, EvenSharesCoverEachIterationOnce) {
  std::mt19937_64 random(1);
  for (int round = 0; round < 500; ++round) {
    auto loop = randomLoop<TypeParam>(random);
    unsigned threads = unsigned(random() % 70 + 1), lasts = 0;
    ASSERT_EQ(countIterations(loop.lower, loop.upper, loop.step), loop.trips);
    std::map<TypeParam, int> visits;
    uint64_t least = loop.trips, most = 0;
    for (unsigned thread = 0; thread < threads; ++thread) {
      auto share =
          shareEvenly(loop.lower, loop.upper, loop.step, thread, threads);
      auto mine = TypeParam(share.upper - share.lower + TypeParam(loop.step));
      uint64_t count = loop.step > 0 ? mine / TypeParam(loop.step)
                                     : TypeParam(-mine) / TypeParam(-loop.step);
      for (uint64_t i = 0; i < count; ++i)
        ++visits[TypeParam(share.lower + TypeParam(i) * TypeParam(loop.step))];
      least = std::min(least, count);
      most = std::max(most, count);
      lasts += share.last;
      if (share.last) {
        EXPECT_EQ(share.upper, loop.upper);
      }
    }
    EXPECT_EQ(visits.size(), loop.trips);
    for (auto [iteration, times] : visits)
      ASSERT_EQ(times, 1) << "iteration " << iteration;
    EXPECT_LE(most - least, 1u);
    EXPECT_EQ(lasts, 1u);
  }
}

TYPED_TEST(StaticScheduleTest, ChunksCoverEachIterationOnce) {
  std::mt19937_64 random(2);
  for (int round = 0; round < 500; ++round) {
    TypeParam trips = TypeParam(random() % 300 + 1);
    TypeParam chunk = TypeParam(random() % 9 + 1);
    unsigned threads = unsigned(random() % 9 + 1), lasts = 0;
    std::vector<int> visits(trips);
    for (unsigned thread = 0; thread < threads; ++thread) {
      auto share =
          shareInChunks<TypeParam>(0, trips - 1, 1, chunk, thread, threads);
      ASSERT_EQ(share.upper - share.lower + 1, chunk);
      // Compiled code cuts the last chunk itself.
      for (auto start = share.lower; start < trips;
           start += TypeParam(share.stride))
        for (auto i = start; i < std::min<TypeParam>(start + chunk, trips); ++i)
          ++visits[i];
      lasts += share.last;
    }
    EXPECT_EQ(std::count(visits.begin(), visits.end(), 1), trips);
    EXPECT_EQ(lasts, 1u);
  }
}

TYPED_TEST(StaticScheduleTest, LoopWithoutIterationsStaysEmpty) {
  auto none = TypeParam(0) - 1; // how 0 .. trips - 1 looks for no trips
  for (unsigned thread = 0; thread < 3; ++thread) {
    auto share = shareEvenly<TypeParam>(0, none, 1, thread, 3);
    EXPECT_EQ(TypeParam(share.upper - share.lower + 1), 0u);
    EXPECT_FALSE(share.last);
    share = shareEvenly<TypeParam>(7, 6, 1, thread, 3);
    EXPECT_EQ(TypeParam(share.upper - share.lower + 1), 0u);
    share = shareEvenly<TypeParam>(6, 7, -1, thread, 3);
    EXPECT_EQ(TypeParam(share.upper - share.lower - 1), 0u);
  }
}

TYPED_TEST(StaticScheduleTest, MoreThreadsThanIterationsLeaveSomeWithout) {
  auto share = shareEvenly<TypeParam>(0, 1, 1, 2, 8);
  EXPECT_EQ(TypeParam(share.upper - share.lower + 1), 0u);
  EXPECT_FALSE(share.last);
}

} // namespace
