// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_TENSORSCAN_H
#define LORI_RUNTIME_FORMATS_TENSORSCAN_H

#include "runtime/formats/StorageType.h"

#include <cstddef>

namespace lori {

/// What a look at each entry of a tensor shows.
struct TensorScan {
  int64_t zeros = 0;     ///< of either sign
  int64_t nonFinite = 0; ///< NaN and infinities
};

/// Scans F32, F16 or BF16 data, which may be unaligned.
TensorScan scanTensor(StorageType type, std::span<const std::byte> bytes);

/// Returns the index of the first of `count` entries in which two float
/// tensors (F32, F16, BF16; unaligned) differ, or nothing. An entry of `a` is
/// equal to that of `b` if it is `b` exactly, or `b` rounded to `a`'s type.
std::optional<int64_t> firstDifference(StorageType typeA, const std::byte *a,
                                       StorageType typeB, const std::byte *b,
                                       int64_t count);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_TENSORSCAN_H
