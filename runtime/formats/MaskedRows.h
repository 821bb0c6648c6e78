// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_MASKEDROWS_H
#define LORI_RUNTIME_FORMATS_MASKEDROWS_H

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace lori {

/// A matrix with many zeros: a bit an entry, and the entries whose bit is set,
/// row by row. A row's bits fill one little-endian word of 1, 2, 4 or 8 bytes,
/// or several of 8 where it has more than 64 columns; bit j is column j, bits
/// past the last column are 0. For 3 x 4 entries of one byte
///
///     5 0 0 7        mask 0b1001      values 5 7 9
///     0 0 0 0             0b0000
///     0 9 0 0             0b0010
struct MaskedRows {
  std::vector<std::byte> mask, values;
};

/// Bytes of a row's bits.
int64_t maskRowBytes(int64_t columns);

/// Takes a matrix apart. Entries have `entryBytes` (1, 2 or 4) and are zero if
/// all their bits are: minus zero is kept.
MaskedRows packRows(std::span<const std::byte> matrix, int64_t columns,
                    size_t entryBytes);

/// Returns how many bits are set, or nothing if one past the last column is.
/// `mask` must be a whole number of rows.
std::optional<int64_t> countMaskedEntries(std::span<const std::byte> mask,
                                          int64_t columns);

/// Writes the full matrix [mask.size() / maskRowBytes(columns), columns].
/// `values` must hold as many entries as countMaskedEntries() returns.
void expandRows(std::span<const std::byte> mask,
                std::span<const std::byte> values, int64_t columns,
                size_t entryBytes, std::span<std::byte> matrix);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_MASKEDROWS_H
