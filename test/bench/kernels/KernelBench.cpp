// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Measures the generated kernels against the machine's read bandwidth and
// multiply-add peak, all in one run and in turn. The weights come from a pool
// larger than the caches, a different part for each call.

#include "test/bench/kernels/Limits.h"
#include "test/passes/codegen/KernelJit.h"
#include "test/passes/codegen/PanelCase.h"

#include "llvm/Support/CommandLine.h"
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <sys/mman.h>
#include <thread>
#include <time.h>

extern "C" void omp_set_num_threads(int);

using namespace lori::testing;
namespace cl = llvm::cl;

static cl::opt<std::string> targetName("target", cl::desc("x86-64-v3 or -v4"),
                                       cl::init("x86-64-v4"));
static cl::list<std::string> types("types", cl::CommaSeparated,
                                   cl::desc("Storage types (default all)"));
static cl::list<std::string> shapes("shapes", cl::CommaSeparated,
                                    cl::desc("NxK, … (default a set)"));
static cl::list<int> rowCounts("rows", cl::CommaSeparated,
                               cl::desc("Row counts (default a set)"));
static cl::opt<int> threads("omp-threads", cl::desc("Threads"), cl::init(1));
static cl::opt<int> rounds("rounds", cl::desc("Rounds, of which the best"),
                           cl::init(7));
static cl::opt<double> sampleMs("sample-ms", cl::desc("Length of one sample"),
                                cl::init(20));
static cl::opt<int64_t> poolMiB("pool", cl::desc("MiB of weights"),
                                cl::init(768));
static cl::opt<std::string> assembly("assembly",
                                     cl::desc("Folder for the kernels' code"));
static cl::opt<bool> json("json", cl::desc("One JSON object a line"));
static cl::opt<int64_t> l1("l1", cl::desc("Override the plan's L1 bytes"));
static cl::opt<int64_t> depth("block-depth", cl::desc("As the pipeline's"));
static cl::opt<int64_t> blockPanels("block-panels",
                                    cl::desc("As the pipeline's"));
static cl::opt<int64_t> prefetch("prefetch", cl::desc("As the pipeline's"));
static cl::opt<int64_t> expandRows("expand-rows",
                                   cl::desc("As the pipeline's"));

namespace {

/// Thread time if one thread works: others on the machine disturb it less.
double now() {
  timespec time;
  clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC,
                &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

/// Calls `work`, which returns an amount, until a sample is long enough;
/// returns the amount per second.
double rate(const std::function<double()> &work) {
  double start = now(), amount = 0, passed = 0;
  do {
    amount += work();
    passed = now() - start;
  } while (passed < sampleMs * 1e-3);
  return amount / passed;
}

void onAllThreads(const std::function<void(int)> &work) {
  std::vector<std::thread> others;
  for (int thread = 1; thread < threads; ++thread)
    others.emplace_back(work, thread);
  work(0);
  for (std::thread &other : others)
    other.join();
}

struct Pool {
  uint8_t *data;
  size_t bytes, at = 0;

  explicit Pool(size_t bytes) : bytes(bytes) {
    void *mapped = mmap(nullptr, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) {
      std::perror("mmap");
      std::exit(1);
    }
    madvise(mapped, bytes, MADV_HUGEPAGE);
    data = static_cast<uint8_t *>(mapped);
  }

  /// Fills the pool with copies of one part of `size` bytes.
  void fill(const std::vector<uint8_t> &part) {
    for (size_t to = 0; to + part.size() <= bytes; to += stride(part.size()))
      std::memcpy(data + to, part.data(), part.size());
    at = 0;
  }

  static size_t stride(size_t size) { return (size + 4095) / 4096 * 4096; }

  const uint8_t *next(size_t size) {
    if (at + size > bytes)
      at = 0;
    const uint8_t *found = data + at;
    at += stride(size);
    return found;
  }
};

volatile uint64_t readSink;

double readRate(Pool &pool, int streams) {
  const size_t chunk = 16 << 20;
  return rate([&] {
    const uint8_t *data = pool.next(chunk * threads);
    onAllThreads([&](int thread) {
      readSink =
          lori::bench::readStreams(data + thread * chunk, chunk, streams);
    });
    return double(chunk * threads);
  });
}

double peakRate(int bits) {
  return rate([&] {
    const int64_t steps = 1 << 19;
    int64_t each = 0;
    onAllThreads([&](int) { each = lori::bench::multiplyAdd(steps, bits); });
    return 2.0 * each * steps * threads;
  });
}

struct Result {
  double seconds = 1e9;
};

void measure(const Target &target, Storage storage, int64_t columns,
             int64_t depth) {
  int64_t width = 2 * target.options.vectorBits / 32;
  PanelCase panel{storage, columns / width, depth, width};
  std::string code;
  KernelJit jit(panel.module(), target, KernelJit::Road::Kernels,
                assembly.empty() ? nullptr : &code);
  if (!jit.error().empty()) {
    std::fprintf(stderr, "%s\n", jit.error().c_str());
    std::exit(1);
  }
  std::string label = std::string(name(storage)) + " " +
                      std::to_string(columns) + "x" + std::to_string(depth);
  if (!assembly.empty()) {
    std::string path = assembly + "/" + name(storage) + "_" +
                       std::to_string(columns) + "x" + std::to_string(depth) +
                       ".s";
    if (FILE *file = std::fopen(path.c_str(), "w")) {
      std::fputs(code.c_str(), file);
      std::fclose(file);
    }
  }

  Pool pool(size_t(poolMiB) << 20);
  std::mt19937 random(1);
  std::vector<uint8_t> part(panel.weightBytes());
  panel.fill(random, /*dyadic=*/false, part.data(), nullptr);
  pool.fill(part);

  std::vector<int> counts(rowCounts.begin(), rowCounts.end());
  if (counts.empty())
    counts = {1, 2, 4, 8, 16, 128, 512};
  int most = *std::max_element(counts.begin(), counts.end());
  std::vector<float> x(size_t(most) * depth, 0.01f), y(size_t(most) * columns);

  double bandwidth = 0, peak = 0;
  std::map<int, double> best;
  for (int round = 0; round < rounds; ++round) {
    for (int streams : {1, 2, 4})
      bandwidth = std::max(bandwidth, readRate(pool, streams));
    peak = std::max(peak, peakRate(int(target.options.vectorBits)));
    for (int rows : counts)
      best[rows] = std::max(best[rows], rate([&] {
                              jit.call(x.data(), rows, depth,
                                       pool.next(panel.weightBytes()),
                                       panel.weightBytes(), y.data(), columns);
                              return 1.0;
                            }));
  }
  munmap(pool.data, pool.bytes);

  if (!json)
    std::printf(
        "%-18s %s  read %.1f GB/s, peak %.0f GF/s, compiled in %.2f s\n",
        label.c_str(), target.name.c_str(), bandwidth * 1e-9, peak * 1e-9,
        jit.seconds());
  for (int rows : counts) {
    double bytes = best[rows] * panel.weightBytes();
    double flops = best[rows] * 2.0 * rows * columns * depth;
    std::printf(
        json ? "{\"case\": \"%s\", \"rows\": %d, \"us\": %.2f, \"gbs\": %.2f, "
               "\"of_bandwidth\": %.3f, \"gfs\": %.1f, \"of_peak\": %.3f}\n"
             : "  %-16s M=%-4d %10.1f us  %6.2f GB/s (%.2f)  %7.1f GF/s "
               "(%.2f)\n",
        label.c_str(), rows, 1e6 / best[rows], bytes * 1e-9, bytes / bandwidth,
        flops * 1e-9, flops / peak);
  }
  std::fflush(stdout);
}

} // namespace

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv, "Kernels against the machine\n");
  omp_set_num_threads(threads);
  std::vector<std::string> chosen(shapes.begin(), shapes.end());
  if (chosen.empty())
    chosen = {"576x576", "1536x576",  "576x1536",
              "192x576", "49152x576", "4096x4096"};
  for (Target target : targets()) {
    if (target.name != targetName)
      continue;
    if (!target.runs) {
      std::fprintf(stderr, "this processor lacks %s\n", target.name.c_str());
      return 1;
    }
    if (l1)
      target.options.l1Bytes = l1;
    if (depth)
      target.options.blockDepth = depth;
    if (blockPanels)
      target.options.blockPanels = blockPanels;
    if (prefetch.getNumOccurrences())
      target.options.prefetchBytes = prefetch;
    if (expandRows)
      target.options.expandRows = expandRows;
    for (const std::string &shape : chosen)
      for (Storage storage : allStorages) {
        if (!types.empty() && !llvm::is_contained(types, name(storage)))
          continue;
        size_t x = shape.find('x');
        measure(target, storage, std::stoll(shape.substr(0, x)),
                std::stoll(shape.substr(x + 1)));
      }
  }
  return 0;
}
