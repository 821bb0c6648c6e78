// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_RESERVEDRANGE_H
#define LORI_RUNTIME_ENGINE_RESERVEDRANGE_H

#include <cstddef>
#include <string>

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
  /// Gives the memory of `[offset, offset + bytes)` back, whole pages of the
  /// system: it is zero when it is used again.
  void discard(size_t offset, size_t bytes);
  std::byte *data() const { return start; }
  size_t size() const { return usable; }
  size_t capacity() const { return reserved; }

private:
  std::byte *start = nullptr;
  size_t reserved = 0, usable = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_RESERVEDRANGE_H
