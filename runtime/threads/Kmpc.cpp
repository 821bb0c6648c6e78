// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The entries of LLVM's OpenMP runtime that MLIR's OpenMP dialect is lowered
// to. Interface: openmp/runtime/src/kmp.h and the OpenMPIRBuilder of LLVM 22.

#include "runtime/threads/Pool.h"
#include "runtime/threads/StaticSchedule.h"
#include "runtime/threads/Threads.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <utility>

using namespace lori;

// Kinds of schedule (kmp.h, sched_type); bits 29 and 30 say whether chunks may
// come in any order, which a static schedule does not do anyway.
enum : int32_t {
  StaticChunked = 33,
  Static = 34,
  OrderModifiers = 3 << 29,
};

static thread_local unsigned nextMembers = 0;

[[noreturn]] static void refuse(const char *what, long value) {
  std::fprintf(stderr, "lori: internal error: %s %ld in compiled code\n", what,
               value);
  std::abort();
}

template <typename Unsigned>
static void initStaticLoop(int32_t schedule, int32_t *last, Unsigned *lower,
                           Unsigned *upper,
                           std::make_signed_t<Unsigned> *stride,
                           std::make_signed_t<Unsigned> step,
                           std::make_signed_t<Unsigned> chunk) {
  const Member &member = currentMember;
  Share<Unsigned> share;
  switch (schedule & ~OrderModifiers) {
  case Static:
    share = shareEvenly(*lower, *upper, step, member.thread, member.members);
    break;
  case StaticChunked:
    share = shareInChunks(*lower, *upper, step, Unsigned(chunk < 1 ? 1 : chunk),
                          member.thread, member.members);
    break;
  default:
    refuse("schedule", schedule);
  }
  *lower = share.lower;
  *upper = share.upper;
  *stride = share.stride;
  if (last)
    *last = share.last;
}

static void meet() {
  if (Pool *pool = currentMember.pool)
    pool->barrier.arriveAndWait(currentMember.members);
}

// Members add up in the order of their numbers, so that a sum in floating point
// is the same in every run with the same number of threads.
static void beginReduction() {
  if (Pool *pool = currentMember.pool)
    pool->turn.waitUntil(currentMember.thread);
}

static void endReduction() {
  const Member &member = currentMember;
  if (member.pool)
    member.pool->turn.set((member.thread + 1) % member.members);
}

extern "C" {

int32_t __kmpc_global_thread_num(void *) {
  return static_cast<int32_t>(currentMember.thread);
}

/// What the next region would run on; kernels cut their work by it.
int32_t omp_get_max_threads(void) { return lori_threads(); }

void __kmpc_push_num_threads(void *, int32_t, int32_t count) {
  nextMembers = count > 0 ? static_cast<unsigned>(count) : 0;
}

void __kmpc_fork_call(void *, int32_t count, RegionBody body, ...) {
  if (count < 0 || count > int32_t(MaxCaptures))
    refuse("number of captures", count);
  void *captures[MaxCaptures];
  va_list list;
  va_start(list, body);
  for (int32_t i = 0; i < count; ++i)
    captures[i] = va_arg(list, void *);
  va_end(list);
  Pool::get().run({body, captures, static_cast<unsigned>(count),
                   std::exchange(nextMembers, 0)});
}

void __kmpc_for_static_init_4u(void *, int32_t, int32_t schedule, int32_t *last,
                               uint32_t *lower, uint32_t *upper,
                               int32_t *stride, int32_t step, int32_t chunk) {
  initStaticLoop(schedule, last, lower, upper, stride, step, chunk);
}

void __kmpc_for_static_init_8u(void *, int32_t, int32_t schedule, int32_t *last,
                               uint64_t *lower, uint64_t *upper,
                               int64_t *stride, int64_t step, int64_t chunk) {
  initStaticLoop(schedule, last, lower, upper, stride, step, chunk);
}

void __kmpc_for_static_fini(void *, int32_t) {}

void __kmpc_barrier(void *, int32_t) { meet(); }

int32_t __kmpc_reduce(void *, int32_t, int32_t, size_t, void *,
                      void (*)(void *, void *), void *) {
  beginReduction();
  return 1; // the caller combines its part without atomics
}

void __kmpc_end_reduce(void *, int32_t, void *) {
  endReduction();
  meet();
}

int32_t __kmpc_reduce_nowait(void *, int32_t, int32_t, size_t, void *,
                             void (*)(void *, void *), void *) {
  beginReduction();
  return 1;
}

void __kmpc_end_reduce_nowait(void *, int32_t, void *) { endReduction(); }

} // extern "C"
