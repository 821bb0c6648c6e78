// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_PAGEPOOL_H
#define LORI_RUNTIME_ENGINE_PAGEPOOL_H

#include "runtime/engine/ReservedRange.h"

#include <cstdint>
#include <vector>

namespace lori {

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
