// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_THREADS_POOL_H
#define LORI_RUNTIME_THREADS_POOL_H

#include "runtime/threads/Barrier.h"

#include <mutex>
#include <pthread.h>
#include <vector>

namespace lori {

/// The outlined body of a parallel region, as compilers write it for OpenMP:
/// the two thread numbers by address, then the captured pointers.
using RegionBody = void (*)(int32_t *globalThread, int32_t *boundThread, ...);

struct Region {
  RegionBody body = nullptr;
  void **captures = nullptr;
  unsigned captureCount = 0;
  /// Threads that run the body; at most the pool's.
  unsigned members = 0;
};

/// The most captures that a region body can have.
constexpr unsigned MaxCaptures = 64;

class Pool;

/// What a thread is in the innermost region that it runs.
struct Member {
  unsigned thread = 0, members = 1;
  bool insideRegion = false;
  /// Where members meet; null where there is one.
  Pool *pool = nullptr;
};
extern constinit thread_local Member currentMember;

/// Threads that stay between parallel regions. One region at a time runs on
/// them; a region inside another, and one that comes from a second thread in
/// the meantime, runs on its own thread alone.
///
/// Worker t runs member t, but the caller does not wait for a worker that has
/// not begun when its own part is done: it takes that part too. So a worker
/// whose core is taken by another process does not hold up the rest. That is
/// sound with barriers in the body: a caller past all of its barriers has met
/// every member there, so all of them have begun.
class Pool {
public:
  /// Returns the one pool of the process, with its threads running: as many as
  /// setThreads() said, else lori_available_cpus(). It is never destroyed; a
  /// process made by fork() gets a new one.
  static Pool &get();
  static void setThreads(unsigned wanted);

  /// Runs `region` on min(members, threads()) threads and returns when all of
  /// it is done; members = 0 means all threads there are.
  void run(Region region);

  unsigned threads() const { return size.load(std::memory_order_relaxed); }

  /// Meetings of the members of the region under way.
  alignas(64) Barrier barrier;
  /// The member whose turn it is in an ordered reduction.
  Signal turn;

private:
  /// One cache line, so that a call costs as few transfers as possible.
  struct alignas(64) Worker {
    /// One of State, modulo 4.
    Signal state;
    /// Written before the call; an empty one ends the thread.
    Region region;
    unsigned thread;
    Pool *pool;
    pthread_t handle;
  };
  enum State : uint32_t { Idle, Called, Begun, States = 4 };

  explicit Pool(unsigned wanted) { resize(wanted); }
  void resize(unsigned wanted);
  bool startWorker();
  void endWorkers(unsigned kept);
  static void *workerMain(void *worker);
  static void call(Worker &worker, const Region &region);
  static bool begin(Worker &worker, uint32_t state);
  static uint32_t runPart(Worker &worker);
  void finish(unsigned members);

  /// Held by the thread whose region is under way.
  std::mutex owner;
  std::vector<Worker *> workers;
  std::atomic<unsigned> size{1};
};

} // namespace lori

#endif // LORI_RUNTIME_THREADS_POOL_H
