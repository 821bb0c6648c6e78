// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_THREADS_SIGNAL_H
#define LORI_RUNTIME_THREADS_SIGNAL_H

#include <atomic>
#include <cstdint>

namespace lori {

/// A number that threads wait for. A waiter spins for a few microseconds, since
/// the next parallel loop usually comes at once; then it yields, since the
/// thread it waits for may need this very core; then it sleeps and costs
/// nothing. What was written before `set` is visible after the wait.
class Signal {
public:
  uint32_t get() const { return value.load(std::memory_order_acquire); }

  /// Changes the number and wakes all who wait.
  void set(uint32_t next);

  /// Changes the number from `old` to `next` without waking anyone; false, and
  /// no change, if it is another by now.
  bool replace(uint32_t old, uint32_t next) {
    return value.compare_exchange_strong(old, next, std::memory_order_acq_rel);
  }

  /// Returns the number once it differs from `old`.
  uint32_t waitWhile(uint32_t old) {
    uint32_t now = get();
    return now != old ? now : waitLonger(old);
  }

  /// Returns once the number is `wanted`.
  void waitUntil(uint32_t wanted) {
    for (uint32_t now = get(); now != wanted;)
      now = waitLonger(now);
  }

private:
  uint32_t waitLonger(uint32_t old);
  bool changesSoon(uint32_t old) const;
  void sleepWhile(uint32_t old);

  std::atomic<uint32_t> value{0};
  std::atomic<uint32_t> sleepers{0};
};

} // namespace lori

#endif // LORI_RUNTIME_THREADS_SIGNAL_H
