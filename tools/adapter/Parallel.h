// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_PARALLEL_H
#define LORI_TOOLS_ADAPTER_PARALLEL_H

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace lori {

/// Calls `action(i)` for each i below `count`, on `threads` threads. After an
/// exception no further call begins; the first one is thrown here.
template <typename Action>
void forEachInParallel(size_t count, unsigned threads, Action &&action) {
  std::atomic<size_t> next = 0;
  std::exception_ptr failure;
  std::mutex failureGuard;
  auto work = [&] {
    for (size_t i = next++; i < count; i = next++)
      try {
        action(i);
      } catch (...) {
        std::lock_guard lock(failureGuard);
        if (!failure)
          failure = std::current_exception();
        next = count;
      }
  };
  std::vector<std::jthread> helpers;
  for (unsigned t = 1; t < threads && t < count; ++t)
    helpers.emplace_back(work);
  work();
  helpers.clear();
  if (failure)
    std::rethrow_exception(failure);
}

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_PARALLEL_H
