// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/threads/Threads.h"
#include "test/unit/threads/Kmpc.h"

#include <atomic>
#include <gtest/gtest.h>
#include <numeric>
#include <utility>
#include <vector>

using namespace lori::test;

namespace {

class RegionTest : public testing::TestWithParam<int> {
protected:
  void SetUp() override {
    lori_set_threads(GetParam());
    ASSERT_EQ(lori_threads(), GetParam());
  }
};
INSTANTIATE_TEST_SUITE_P(Threads, RegionTest, testing::Values(1, 2, 3, 8));

TEST_P(RegionTest, LoopVisitsEachIterationOnce) {
  for (uint64_t trips : {0, 1, 2, 3, 7, 100, 1000}) {
    std::vector<int> visits(trips + 1);
    parallel([&] { shareLoop(trips, [&](uint64_t i) { ++visits[i]; }); });
    EXPECT_EQ(std::accumulate(visits.begin(), visits.end(), 0), int(trips));
    EXPECT_EQ(visits[trips], 0);
  }
}

TEST_P(RegionTest, ChunkedLoopOf32BitsVisitsEachIterationOnce) {
  constexpr uint32_t Trips = 1003, Chunk = 10;
  std::vector<int> visits(Trips);
  parallel([&] {
    uint32_t lower = 0, upper = Trips - 1;
    int32_t last, stride;
    constexpr int32_t StaticChunked = 33, Nonmonotonic = 1 << 30;
    __kmpc_for_static_init_4u(nullptr, 0, StaticChunked | Nonmonotonic, &last,
                              &lower, &upper, &stride, 1, Chunk);
    for (; lower < Trips; lower += uint32_t(stride))
      for (uint32_t i = lower; i < std::min(lower + Chunk, Trips); ++i)
        ++visits[i];
  });
  EXPECT_EQ(visits, std::vector<int>(Trips, 1));
}

// What a region wrote is seen by the next one and by the caller without any
// synchronisation of their own.
TEST_P(RegionTest, WritesAreVisibleToTheNextRegion) {
  constexpr int Rounds = 2000, Size = 97;
  std::vector<int> from(Size), to(Size);
  std::iota(from.begin(), from.end(), 0);
  for (int round = 0; round < Rounds; ++round) {
    parallel([&] {
      shareLoop(Size, [&](uint64_t i) { to[i] = from[(i + 1) % Size] + 1; });
    });
    std::swap(from, to);
  }
  for (int i = 0; i < Size; ++i)
    ASSERT_EQ(from[size_t(i)], (i + Rounds) % Size + Rounds);
}

TEST_P(RegionTest, BarrierSeparatesPhases) {
  int threads = GetParam();
  std::vector<int> written(size_t(threads), -1);
  std::atomic<int> wrong{0};
  parallel([&] {
    int me = __kmpc_global_thread_num(nullptr);
    for (int phase = 0; phase < 500; ++phase) {
      written[size_t(me)] = phase;
      __kmpc_barrier(nullptr, me);
      for (int other : written)
        wrong += other != phase;
      __kmpc_barrier(nullptr, me);
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST_P(RegionTest, NestedRegionRunsOnItsOwnThreadAlone) {
  std::vector<std::vector<int>> visits(13, std::vector<int>(29));
  std::atomic<int> wrong{0};
  parallel([&] {
    int outer = __kmpc_global_thread_num(nullptr);
    shareLoop(visits.size(), [&](uint64_t i) {
      parallel([&] {
        wrong += __kmpc_global_thread_num(nullptr) != 0;
        shareLoop(visits[i].size(),
                  [&](uint64_t j) { parallel([&] { ++visits[i][j]; }); });
      });
      wrong += __kmpc_global_thread_num(nullptr) != outer;
    });
  });
  EXPECT_EQ(wrong, 0);
  for (const std::vector<int> &row : visits)
    EXPECT_EQ(row, std::vector<int>(29, 1));
}

TEST_P(RegionTest, SumsInFloatingPointAreTheSameInEachRun) {
  std::vector<float> values(10007);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = 1.0f / float(i + 1);
  auto sum = [&](bool wait) {
    float total = 0.25f;
    parallel([&] {
      float part = 0;
      shareLoop(values.size(), [&](uint64_t i) { part += values[i]; });
      auto begin = wait ? __kmpc_reduce : __kmpc_reduce_nowait;
      auto end = wait ? __kmpc_end_reduce : __kmpc_end_reduce_nowait;
      for (int twice = 0; twice < 2; ++twice) {
        EXPECT_EQ(begin(nullptr, 0, 1, 8, nullptr, nullptr, nullptr), 1);
        total += part;
        end(nullptr, 0, nullptr);
      }
    });
    return total;
  };
  float expected = 0.25f;
  size_t threads = size_t(GetParam()), first = 0;
  std::vector<float> parts;
  for (size_t i = 0; i < threads; ++i) {
    size_t count = values.size() / threads + (i < values.size() % threads);
    parts.push_back(std::accumulate(values.begin() + long(first),
                                    values.begin() + long(first + count), 0.f));
    first += count;
  }
  for (int twice = 0; twice < 2; ++twice)
    expected = std::accumulate(parts.begin(), parts.end(), expected);
  for (int run = 0; run < 100; ++run) {
    ASSERT_EQ(sum(true), expected);
    ASSERT_EQ(sum(false), expected);
  }
}

template <size_t> using Pointer = void *;

template <size_t... Index> bool passesCaptures(std::index_sequence<Index...>) {
  static std::atomic<int> right;
  right = 0;
  auto body = +[](int32_t *thread, int32_t *bound, Pointer<Index>... captures) {
    std::vector<void *> all{captures...};
    bool good =
        *thread == *bound && *thread == __kmpc_global_thread_num(nullptr);
    for (size_t i = 0; i < all.size(); ++i)
      good &= all[i] == reinterpret_cast<void *>(i * 16 + 1);
    right += good;
  };
  __kmpc_fork_call(nullptr, sizeof...(Index), reinterpret_cast<Body>(body),
                   reinterpret_cast<void *>(Index * 16 + 1)...);
  return right == lori_threads();
}

template <size_t... Count> void expectAllCounts(std::index_sequence<Count...>) {
  auto expect = [](bool passes, size_t count) {
    EXPECT_TRUE(passes) << count << " captures";
  };
  (expect(passesCaptures(std::make_index_sequence<Count>()), Count), ...);
}

TEST_P(RegionTest, CapturesArriveInOrder) {
  expectAllCounts(std::make_index_sequence<65>());
}

TEST(RegionDeathTest, UnknownScheduleAndTooManyCapturesAreRefused) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  uint64_t lower = 0, upper = 9;
  int64_t stride;
  EXPECT_DEATH(__kmpc_for_static_init_8u(nullptr, 0, 35, nullptr, &lower,
                                         &upper, &stride, 1, 0),
               "internal error: schedule 35");
  EXPECT_DEATH(__kmpc_fork_call(nullptr, 65, nullptr),
               "internal error: number of captures 65");
}

} // namespace
