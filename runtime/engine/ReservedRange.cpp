// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/ReservedRange.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <cassert>
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

void ReservedRange::discard(size_t offset, size_t bytes) {
  ::madvise(start + offset, bytes, MADV_DONTNEED);
}
