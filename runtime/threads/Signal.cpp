// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/threads/Signal.h"

#include <chrono>
#include <climits>
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace lori;
using Clock = std::chrono::steady_clock;

// A pause takes 10 to 50 ns by the processor, so the limits are times and no
// counts. Spinning for longer than a few microseconds costs more than it gains
// where the awaited thread has no core; waking a sleeper takes about 30 us, and
// the serial parts between parallel loops are shorter than the time to yield.
static constexpr int PausesPerLook = 32;
static constexpr auto SpinTime = std::chrono::microseconds(5);
static constexpr auto YieldTime = std::chrono::microseconds(500);

static void pauseBriefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

static long futex(std::atomic<uint32_t> &word, int operation, uint32_t number) {
  static_assert(sizeof(word) == sizeof(uint32_t));
  return syscall(SYS_futex, &word, operation | FUTEX_PRIVATE_FLAG, number,
                 nullptr, nullptr, 0);
}

void Signal::set(uint32_t next) {
  // Either this thread sees the sleeper, or the sleeper's futex call sees the
  // new number: both sides are sequentially consistent.
  value.store(next, std::memory_order_seq_cst);
  if (sleepers.load(std::memory_order_seq_cst) != 0)
    futex(value, FUTEX_WAKE, INT_MAX);
}

void Signal::sleepWhile(uint32_t old) {
  sleepers.fetch_add(1, std::memory_order_seq_cst);
  while (value.load(std::memory_order_seq_cst) == old)
    futex(value, FUTEX_WAIT, old); // also returns on signals: hence the loop
  sleepers.fetch_sub(1, std::memory_order_relaxed);
}

bool Signal::changesSoon(uint32_t old) const {
  for (int pauses = 0; pauses < PausesPerLook; ++pauses) {
    if (get() != old)
      return true;
    pauseBriefly();
  }
  return false;
}

uint32_t Signal::waitLonger(uint32_t old) {
  auto start = Clock::now();
  for (auto waited = Clock::duration(0); waited < YieldTime;
       waited = Clock::now() - start) {
    if (waited >= SpinTime)
      sched_yield();
    if (changesSoon(old))
      return get();
  }
  sleepWhile(old);
  return get();
}
