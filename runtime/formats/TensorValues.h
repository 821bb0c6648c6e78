// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_TENSORVALUES_H
#define LORI_RUNTIME_FORMATS_TENSORVALUES_H

#include "runtime/formats/StorageType.h"

#include <cstddef>

namespace lori {

/// Reads F32, F16 or BF16 entries, which may be unaligned, into `values`.
/// `bytes` must hold exactly that many.
void loadFloats(StorageType type, std::span<const std::byte> bytes,
                std::span<float> values);

/// Returns all entries of F32, F16 or BF16 data.
std::vector<float> loadFloats(StorageType type,
                              std::span<const std::byte> bytes);

/// Writes `values` as F32, F16 or BF16, rounded to nearest even.
void storeFloats(StorageType type, std::span<const float> values,
                 std::span<std::byte> bytes);

/// Returns `value` rounded to the type.
float roundFloat(StorageType type, float value);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_TENSORVALUES_H
