// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/PagePool.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <new>
#include <sys/mman.h>

using namespace lori;

// Memory is asked for in steps of this size at least, to save system calls.
static constexpr size_t growthStep = size_t(2) << 20;

ReservedRange::ReservedRange(size_t bytes, const std::string &use)
    : reserved(bytes) {
  // PROT_NONE: addresses only, not counted as memory by any overcommit policy.
  void *address = ::mmap(nullptr, bytes, PROT_NONE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (address == MAP_FAILED)
    throw Error("cannot reserve " + std::to_string(bytes >> 20) +
                " MiB of addresses for " + use +
                ", raise the limit (ulimit -v) or compile with a smaller "
                "--context");
  start = static_cast<std::byte *>(address);
}

ReservedRange::~ReservedRange() { ::munmap(start, reserved); }

void ReservedRange::grow(size_t bytes) {
  assert(bytes <= reserved && "more than was reserved");
  if (bytes <= usable)
    return;
  size_t target = std::max(bytes, std::min(usable + usable / 2, reserved));
  target =
      std::min((target + growthStep - 1) / growthStep * growthStep, reserved);
  if (::mprotect(start, target, PROT_READ | PROT_WRITE) != 0)
    throw std::bad_alloc();
  usable = target;
}

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
