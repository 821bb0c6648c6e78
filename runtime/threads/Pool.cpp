// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/threads/Pool.h"
#include "runtime/threads/Threads.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdio>
#include <new>
#include <utility>

using namespace lori;

constinit thread_local Member lori::currentMember;

// Enough for the row buffers that compiled code keeps on the stack; only the
// part that is touched takes memory.
static constexpr size_t StackBytes = size_t(8) << 20;

//===----------------------------------------------------------------------===//
// Calling a region body
//===----------------------------------------------------------------------===//

template <size_t> using Pointer = void *;

template <size_t... Index>
static void callWith(const Region &region, int32_t *thread,
                     std::index_sequence<Index...>) {
  using Body = void (*)(int32_t *, int32_t *, Pointer<Index>...);
  reinterpret_cast<Body>(region.body)(thread, thread,
                                      region.captures[Index]...);
}

using Caller = void (*)(const Region &, int32_t *);

template <size_t... Count>
static constexpr std::array<Caller, sizeof...(Count)>
makeCallers(std::index_sequence<Count...>) {
  return {[](const Region &region, int32_t *thread) {
    callWith(region, thread, std::make_index_sequence<Count>());
  }...};
}

static constexpr auto callers =
    makeCallers(std::make_index_sequence<MaxCaptures + 1>());

static void runAs(const Region &region, Member member) {
  Member outer = std::exchange(currentMember, member);
  int32_t thread = static_cast<int32_t>(member.thread);
  callers[region.captureCount](region, &thread);
  currentMember = outer;
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

static void runAlone(const Region &region) {
  runAs(region, {.insideRegion = true});
}

void Pool::run(Region region) {
  if (region.members == 1 || currentMember.insideRegion || !owner.try_lock())
    return runAlone(region);
  std::lock_guard lock(owner, std::adopt_lock);
  if (region.members == 0 || region.members > threads())
    region.members = threads();
  if (region.members == 1)
    return runAlone(region);

  for (unsigned thread = 1; thread < region.members; ++thread)
    call(*workers[thread - 1], region);
  runAs(region, {0, region.members, true, this});
  finish(region.members);
}

void Pool::call(Worker &worker, const Region &region) {
  worker.region = region;
  worker.state.set(worker.state.get() + Called);
}

bool Pool::begin(Worker &worker, uint32_t state) {
  return state % States == Called &&
         worker.state.replace(state, state - Called + Begun);
}

// Returns the state it leaves behind. The caller may call the worker anew and
// overwrite the region as soon as that is set.
uint32_t Pool::runPart(Worker &worker) {
  const Region &region = worker.region;
  runAs(region, {worker.thread, region.members, true, worker.pool});
  uint32_t idle = worker.state.get() - Begun + States;
  worker.state.set(idle);
  return idle;
}

void Pool::finish(unsigned members) {
  for (unsigned thread = 1; thread < members; ++thread)
    if (Worker &worker = *workers[thread - 1];
        begin(worker, worker.state.get()))
      runPart(worker);
  for (unsigned thread = 1; thread < members; ++thread) {
    Signal &state = workers[thread - 1]->state;
    for (uint32_t now = state.get(); now % States != Idle;)
      now = state.waitWhile(now);
  }
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

void *Pool::workerMain(void *argument) {
  auto &worker = *static_cast<Worker *>(argument);
  for (uint32_t seen = 0;;) {
    seen = worker.state.waitWhile(seen);
    if (!begin(worker, seen))
      continue; // the caller was first
    if (!worker.region.body)
      return nullptr;
    seen = runPart(worker);
  }
}

bool Pool::startWorker() {
  auto *worker = new Worker{{}, {}, threads(), this, {}};
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, StackBytes);
  // Signals are for the threads of the program that this is part of.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = pthread_create(&worker->handle, &attributes, workerMain, worker);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    delete worker;
    return false;
  }
  workers.push_back(worker);
  size.store(threads() + 1, std::memory_order_relaxed);
  return true;
}

void Pool::endWorkers(unsigned kept) {
  size.store(kept + 1, std::memory_order_relaxed);
  for (size_t i = kept; i < workers.size(); ++i)
    call(*workers[i], {});
  for (; workers.size() > kept; workers.pop_back()) {
    pthread_join(workers.back()->handle, nullptr);
    delete workers.back();
  }
}

void Pool::resize(unsigned wanted) {
  std::lock_guard lock(owner);
  if (wanted < threads())
    endWorkers(wanted - 1);
  while (threads() < wanted)
    if (!startWorker())
      return;
}

//===----------------------------------------------------------------------===//
// The one pool
//===----------------------------------------------------------------------===//

namespace {
/// Constant-initialized, so that a loop in a static constructor finds it.
struct Instance {
  std::atomic<Pool *> pool{nullptr};
  std::mutex creation;
};
} // namespace
static constinit Instance instance;
static constinit std::atomic<unsigned> requested{0};

// The child has this thread alone: the old pool's locks and counters are in an
// unknown state, so they are left behind.
static void startAnewInChild() {
  new (&instance) Instance;
  currentMember = {};
}

Pool &Pool::get() {
  if (Pool *pool = instance.pool.load(std::memory_order_acquire))
    return *pool;
  std::lock_guard lock(instance.creation);
  if (Pool *pool = instance.pool.load(std::memory_order_relaxed))
    return *pool;
  static const int registered =
      pthread_atfork(nullptr, nullptr, startAnewInChild);
  (void)registered;
  unsigned wanted = requested.load(std::memory_order_relaxed);
  Pool *pool = new Pool(wanted ? wanted : unsigned(lori_available_cpus()));
  instance.pool.store(pool, std::memory_order_release);
  return *pool;
}

void Pool::setThreads(unsigned wanted) {
  requested.store(wanted, std::memory_order_relaxed);
  Pool::get().resize(wanted);
}

extern "C" void lori_set_threads(int count) {
  if (!currentMember.insideRegion)
    Pool::setThreads(static_cast<unsigned>(std::clamp(count, 1, 1024)));
}

extern "C" int lori_threads(void) {
  return static_cast<int>(Pool::get().threads());
}
