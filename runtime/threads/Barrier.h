// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_THREADS_BARRIER_H
#define LORI_RUNTIME_THREADS_BARRIER_H

#include "runtime/threads/Signal.h"

namespace lori {

/// A meeting point of a fixed number of threads, used again and again.
class Barrier {
public:
  /// Waits until all `members` have arrived.
  void arriveAndWait(uint32_t members) {
    uint32_t before = meetings.get();
    if (arrived.fetch_add(1, std::memory_order_acq_rel) + 1 != members) {
      meetings.waitWhile(before);
      return;
    }
    arrived.store(0, std::memory_order_relaxed); // published by `meetings`
    meetings.set(before + 1);
  }

private:
  std::atomic<uint32_t> arrived{0};
  Signal meetings;
};

} // namespace lori

#endif // LORI_RUNTIME_THREADS_BARRIER_H
