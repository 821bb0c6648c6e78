// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/PagePool.h"
#include "runtime/support/Error.h"

#include <cstring>
#include <new>

using namespace lori;

static size_t rangeBytes(int64_t pages, int64_t pageBytes) {
  size_t bytes = 0;
  if (__builtin_mul_overflow(static_cast<size_t>(pages),
                             static_cast<size_t>(pageBytes), &bytes) ||
      bytes > (size_t(1) << 62))
    throw Error("the KV cache of " + std::to_string(pages) +
                " pages cannot be addressed, compile with a smaller --context");
  return bytes;
}

PagePool::PagePool(int64_t pages, int64_t keyPageBytes, int64_t valuePageBytes)
    : pages(pages), keyBytes(keyPageBytes), valueBytes(valuePageBytes),
      keyRange(rangeBytes(pages, keyPageBytes), "the key cache"),
      valueRange(rangeBytes(pages, valuePageBytes), "the value cache") {}

int32_t PagePool::allocate() {
  if (unused.empty()) {
    if (touched == pages)
      throw std::bad_alloc();
    keyRange.grow(static_cast<size_t>((touched + 1) * keyBytes));
    valueRange.grow(static_cast<size_t>((touched + 1) * valueBytes));
    // Room for every page to come back: release() cannot fail.
    if (unused.capacity() <= static_cast<size_t>(touched))
      unused.reserve(2 * static_cast<size_t>(touched) + 16);
    return static_cast<int32_t>(touched++);
  }
  int32_t page = unused.back();
  unused.pop_back();
  std::memset(keyRange.data() + page * keyBytes, 0,
              static_cast<size_t>(keyBytes));
  std::memset(valueRange.data() + page * valueBytes, 0,
              static_cast<size_t>(valueBytes));
  return page;
}
