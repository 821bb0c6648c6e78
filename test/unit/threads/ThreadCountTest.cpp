// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/threads/Threads.h"
#include "test/unit/threads/Kmpc.h"

#include <atomic>
#include <chrono>
#include <ctime>
#include <gtest/gtest.h>
#include <mutex>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace lori::test;

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LORI_TSAN 1
#endif
#endif

namespace {

std::set<int> membersOfRegion() {
  std::mutex lock;
  std::set<int> members;
  parallel([&] {
    std::lock_guard guard(lock);
    EXPECT_TRUE(members.insert(__kmpc_global_thread_num(nullptr)).second);
  });
  return members;
}

std::set<int> upTo(int count) {
  std::set<int> numbers;
  for (int i = 0; i < count; ++i)
    numbers.insert(i);
  return numbers;
}

TEST(ThreadCountTest, CanChangeBetweenRegions) {
  for (int count : {1, 2, 7, 3, 3, 1, 1, 5, 2, 16, 1, 2}) {
    lori_set_threads(count);
    EXPECT_EQ(lori_threads(), count);
    for (int i = 0; i < 3; ++i)
      EXPECT_EQ(membersOfRegion(), upTo(count));
  }
}

TEST(ThreadCountTest, IsAtLeastOne) {
  for (int count : {0, -5}) {
    lori_set_threads(count);
    EXPECT_EQ(lori_threads(), 1);
    EXPECT_EQ(membersOfRegion(), upTo(1));
  }
}

TEST(ThreadCountTest, CannotChangeInsideARegion) {
  lori_set_threads(3);
  parallel([] { lori_set_threads(5); });
  EXPECT_EQ(lori_threads(), 3);
  EXPECT_EQ(membersOfRegion(), upTo(3));
}

TEST(ThreadCountTest, ClauseHoldsForOneRegionAndUpToThePool) {
  lori_set_threads(4);
  __kmpc_push_num_threads(nullptr, 0, 2);
  EXPECT_EQ(membersOfRegion(), upTo(2));
  EXPECT_EQ(membersOfRegion(), upTo(4));
  __kmpc_push_num_threads(nullptr, 0, 9);
  EXPECT_EQ(membersOfRegion(), upTo(4));
  __kmpc_push_num_threads(nullptr, 0, 1);
  EXPECT_EQ(membersOfRegion(), upTo(1));
}

TEST(ThreadCountTest, RegionsOfSeveralThreadsAtOnceAreAllRight) {
  lori_set_threads(3);
  std::atomic<int64_t> sum{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller)
    callers.emplace_back([&] {
      for (int round = 0; round < 200; ++round)
        parallel(
            [&] { shareLoop(100, [&](uint64_t i) { sum += int64_t(i); }); });
    });
  callers.emplace_back([&] {
    for (int round = 0; round < 50; ++round)
      lori_set_threads(1 + round % 4);
  });
  for (std::thread &caller : callers)
    caller.join();
  EXPECT_EQ(sum, 4 * 200 * 4950);
}

double cpuSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return double(time.tv_sec) + 1e-9 * double(time.tv_nsec);
}

TEST(ThreadCountTest, IdleThreadsSleepAndWakeAgain) {
  lori_set_threads(4);
  EXPECT_EQ(membersOfRegion(), upTo(4));
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  double before = cpuSeconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_LT(cpuSeconds() - before, 0.05);
  EXPECT_EQ(membersOfRegion(), upTo(4));
}

TEST(ThreadCountTest, AMemberThatIsLateIsWaitedForAsleep) {
  lori_set_threads(2);
  std::atomic<bool> begun{false}, finished{false};
  double before = cpuSeconds();
  parallel([&] {
    if (__kmpc_global_thread_num(nullptr) == 1) {
      begun = true;
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      finished = true;
    }
    while (!begun)
      std::this_thread::yield();
  });
  EXPECT_TRUE(finished);
  EXPECT_LT(cpuSeconds() - before, 0.15);
}

// Workers that sleep take longer to wake than the caller takes for all parts.
TEST(ThreadCountTest, PartsNotBegunAreTakenByTheCaller) {
  lori_set_threads(16);
  auto caller = std::this_thread::get_id();
  std::atomic<int> all{0}, ofCaller{0};
  for (int round = 0; round < 50; ++round) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    parallel([&] {
      ++all;
      ofCaller += std::this_thread::get_id() == caller;
    });
  }
  EXPECT_EQ(all, 50 * 16);
  EXPECT_GT(ofCaller, 50);
}

TEST(ThreadCountTest, ForkedProcessHasItsOwnThreads) {
#ifdef LORI_TSAN
  GTEST_SKIP() << "ThreadSanitizer allows no threads after fork()";
#endif
  lori_set_threads(3);
  EXPECT_EQ(membersOfRegion(), upTo(3));
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0)
    _exit(membersOfRegion() == upTo(3) && lori_threads() == 3 ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(membersOfRegion(), upTo(3));
}

} // namespace
