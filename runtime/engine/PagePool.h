// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_PAGEPOOL_H
#define LORI_RUNTIME_ENGINE_PAGEPOOL_H

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace lori {

/// A range of addresses that never moves and gets memory as it is needed.
class ReservedRange {
public:
  /// Reserves `bytes` of addresses (no memory). Throws Error, naming `use`.
  ReservedRange(size_t bytes, const std::string &use);
  ReservedRange(const ReservedRange &) = delete;
  ReservedRange &operator=(const ReservedRange &) = delete;
  ~ReservedRange();

  /// Makes the first `bytes` usable; new ones are zero. Throws std::bad_alloc
  /// if the system has no memory left for them.
  void grow(size_t bytes);
  std::byte *data() const { return start; }
  size_t size() const { return usable; }

private:
  std::byte *start = nullptr;
  size_t reserved = 0, usable = 0;
};

/// The pages of the key and value caches. Page q is bytes
/// `[q * pageBytes, (q + 1) * pageBytes)` of each cache.
class PagePool {
public:
  /// Of at most `pages` pages. Throws Error if that many cannot be addressed.
  PagePool(int64_t pages, int64_t keyPageBytes, int64_t valuePageBytes);

  /// Returns a page whose bytes are zero, a used one again if there is one:
  /// what a sequence gives does not depend on what ran before it. Throws
  /// std::bad_alloc.
  int32_t allocate();
  void release(int32_t page) { unused.push_back(page); }

  void *keys() const { return keyRange.data(); }
  void *values() const { return valueRange.data(); }
  /// Pages in use.
  int64_t used() const { return touched - static_cast<int64_t>(unused.size()); }

private:
  int64_t pages, keyBytes, valueBytes;
  ReservedRange keyRange, valueRange;
  int64_t touched = 0; ///< pages handed out at least once
  std::vector<int32_t> unused;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_PAGEPOOL_H
