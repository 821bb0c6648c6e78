// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/MaskedRows.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>

using namespace lori;

int64_t lori::maskRowBytes(int64_t columns) {
  if (columns > 64)
    return (columns + 63) / 64 * 8;
  return static_cast<int64_t>(
      std::bit_ceil(static_cast<uint64_t>((columns + 7) / 8)));
}

template <typename Word>
static MaskedRows pack(std::span<const std::byte> matrix, int64_t columns) {
  auto rowBytes = static_cast<size_t>(maskRowBytes(columns));
  size_t rowSize = static_cast<size_t>(columns) * sizeof(Word);
  size_t rows = matrix.size() / rowSize;
  MaskedRows result;
  result.mask.resize(rows * rowBytes);
  for (size_t row = 0; row < rows; ++row)
    for (size_t j = 0; j < static_cast<size_t>(columns); ++j) {
      const std::byte *entry = matrix.data() + row * rowSize + j * sizeof(Word);
      Word word;
      std::memcpy(&word, entry, sizeof(Word));
      if (word == 0)
        continue;
      result.mask[row * rowBytes + j / 8] |= std::byte(1 << j % 8);
      result.values.insert(result.values.end(), entry, entry + sizeof(Word));
    }
  return result;
}

MaskedRows lori::packRows(std::span<const std::byte> matrix, int64_t columns,
                          size_t entryBytes) {
  assert(columns > 0 &&
         matrix.size() % (static_cast<size_t>(columns) * entryBytes) == 0);
  switch (entryBytes) {
  case 1:
    return pack<uint8_t>(matrix, columns);
  case 2:
    return pack<uint16_t>(matrix, columns);
  default:
    assert(entryBytes == 4);
    return pack<uint32_t>(matrix, columns);
  }
}

/// Calls `visit` with the words of a row, lowest columns first, and the columns
/// that each covers.
template <typename Visit>
static void forEachWord(const std::byte *row, int64_t columns, Visit &&visit) {
  auto bytes = static_cast<size_t>(maskRowBytes(columns));
  for (size_t at = 0; at < bytes; at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, row + at, std::min<size_t>(8, bytes - at));
    visit(word, std::min<int64_t>(64, columns - static_cast<int64_t>(at) * 8));
  }
}

/// The bits that columns have, in as many words of 8 bytes as the rows repeat
/// after: one for rows of up to 8 bytes, else a row's.
static std::vector<uint64_t> usedBits(int64_t columns) {
  auto rowBytes = static_cast<size_t>(maskRowBytes(columns));
  std::vector<uint64_t> used(std::max<size_t>(1, rowBytes / 8), ~uint64_t(0));
  if (columns % 64 == 0)
    return used;
  used.back() = ~uint64_t(0) >> (64 - columns % 64);
  for (size_t bytes = rowBytes; bytes < 8; bytes *= 2)
    used.back() |= used.back() << (8 * bytes);
  return used;
}

std::optional<int64_t> lori::countMaskedEntries(std::span<const std::byte> mask,
                                                int64_t columns) {
  assert(mask.size() % static_cast<size_t>(maskRowBytes(columns)) == 0);
  std::vector<uint64_t> used = usedBits(columns);
  int64_t count = 0;
  uint64_t beyond = 0;
  size_t at = 0, phase = 0;
  auto add = [&](size_t bytes) {
    uint64_t word = 0;
    std::memcpy(&word, mask.data() + at, bytes);
    count += std::popcount(word);
    beyond |= word & ~used[phase];
    phase = phase + 1 == used.size() ? 0 : phase + 1;
  };
  for (; at + 8 <= mask.size(); at += 8)
    add(8);
  if (at < mask.size())
    add(mask.size() - at);
  return beyond != 0 ? std::nullopt : std::optional(count);
}

void lori::expandRows(std::span<const std::byte> mask,
                      std::span<const std::byte> values, int64_t columns,
                      size_t entryBytes, std::span<std::byte> matrix) {
  auto rowBytes = static_cast<size_t>(maskRowBytes(columns));
  size_t rowSize = static_cast<size_t>(columns) * entryBytes;
  assert(matrix.size() == mask.size() / rowBytes * rowSize);
  std::memset(matrix.data(), 0, matrix.size());
  size_t next = 0;
  for (size_t row = 0; row * rowBytes < mask.size(); ++row) {
    std::byte *out = matrix.data() + row * rowSize;
    forEachWord(mask.data() + row * rowBytes, columns,
                [&](uint64_t word, int64_t used) {
                  for (; word != 0; word &= word - 1) {
                    auto j = static_cast<size_t>(std::countr_zero(word));
                    assert(next + entryBytes <= values.size());
                    std::memcpy(out + j * entryBytes, values.data() + next,
                                entryBytes);
                    next += entryBytes;
                  }
                  out += static_cast<size_t>(used) * entryBytes;
                });
  }
}
