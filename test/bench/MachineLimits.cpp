// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// usage: machine-limits [THREADS [MEBIBYTES [ROUNDS]]]
//
// Measures what programs are compared with: how fast all threads together read
// memory, and how many f32 multiply-adds they do in registers. Prints one JSON
// line with the result of each round, in bytes and operations a second (a
// multiply-add is two).

#include "runtime/threads/Threads.h"
#include "test/bench/kernels/Limits.h"

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <vector>

using namespace lori::bench;

static volatile uint64_t sink;

namespace {

/// Threads that start each piece of work at the same time.
class Team {
public:
  explicit Team(int threads) : threads(threads) {}

  /// Returns the seconds from the start of the first thread's work to the end
  /// of the last one's.
  double run(const std::function<void(int)> &work) const {
    using Clock = std::chrono::steady_clock;
    Clock::time_point start, end;
    std::barrier<> begin(threads), done(threads);
    auto member = [&](int thread) {
      begin.arrive_and_wait();
      if (thread == 0)
        start = Clock::now();
      work(thread);
      done.arrive_and_wait();
      if (thread == 0)
        end = Clock::now();
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < threads; ++thread)
      others.emplace_back(member, thread);
    member(0);
    for (std::thread &other : others)
      other.join();
    return std::chrono::duration<double>(end - start).count();
  }

  int size() const { return threads; }

private:
  int threads;
};

/// Memory of which each thread reads its own part.
class Memory {
public:
  Memory(const Team &team, size_t bytes)
      : part(bytes / static_cast<size_t>(team.size()) / 4096 * 4096) {
    size_t all = part * static_cast<size_t>(team.size());
    void *mapped = mmap(nullptr, all, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
      std::perror("machine-limits: error: mmap");
      std::exit(1);
    }
    madvise(mapped, all, MADV_HUGEPAGE);
    data = static_cast<uint8_t *>(mapped);
    team.run([&](int thread) { std::memset(of(thread), 1, part); });
  }

  uint8_t *of(int thread) const {
    return data + part * static_cast<size_t>(thread);
  }
  size_t partBytes() const { return part; }

private:
  size_t part;
  uint8_t *data;
};

} // namespace

static double readRate(const Team &team, const Memory &memory, int streams,
                       bool prefetch) {
  double seconds = team.run([&](int thread) {
    sink =
        readStreams(memory.of(thread), memory.partBytes(), streams, prefetch);
  });
  return static_cast<double>(memory.partBytes()) * team.size() / seconds;
}

static double multiplyAddRate(const Team &team, int bits) {
  const int64_t steps = int64_t(1) << 22;
  int64_t each = multiplyAdd(1, bits);
  double seconds = team.run([&](int) { multiplyAdd(steps, bits); });
  return 2.0 * static_cast<double>(each * steps) * team.size() / seconds;
}

static void printList(const char *name, const std::vector<double> &values) {
  std::printf("\"%s\":[", name);
  for (size_t i = 0; i < values.size(); ++i)
    std::printf("%s%.6g", i ? "," : "", values[i]);
  std::printf("],");
}

/// Returns argument `index` as a positive number, or `fallback` without it.
static long argument(int argc, char **argv, int index, long fallback) {
  if (index >= argc)
    return fallback;
  char *end = nullptr;
  long value = std::strtol(argv[index], &end, 10);
  if (*argv[index] == 0 || *end != 0 || value < 1 || value > (1 << 20)) {
    std::fprintf(stderr,
                 "machine-limits: error: '%s': expected a positive number\n",
                 argv[index]);
    std::exit(2);
  }
  return value;
}

int main(int argc, char **argv) {
  Team team(static_cast<int>(argument(argc, argv, 1, lori_available_cpus())));
  Memory memory(team, static_cast<size_t>(argument(argc, argv, 2, 1024)) << 20);
  long rounds = argument(argc, argv, 3, 7);
  int bits = __builtin_cpu_supports("avx512f") ? 512 : 256;

  std::vector<double> reads, operations;
  for (long round = 0; round < rounds; ++round) {
    double read = 0;
    for (int streams : {1, 2, 4})
      for (bool prefetch : {false, true})
        read = std::max(read, readRate(team, memory, streams, prefetch));
    reads.push_back(read);
    double operation = multiplyAddRate(team, 256);
    if (bits == 512)
      operation = std::max(operation, multiplyAddRate(team, 512));
    operations.push_back(operation);
  }
  std::printf("{\"threads\":%d,\"vector_bits\":%d,", team.size(), bits);
  printList("read", reads);
  printList("multiply_add", operations);
  std::printf("\"rounds\":%ld}\n", rounds);
  return 0;
}
