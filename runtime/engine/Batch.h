// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_BATCH_H
#define LORI_RUNTIME_ENGINE_BATCH_H

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace lori {

/// The row arrays of one call of lori_step. Kernels may read whole blocks of
/// rows: behind the last row all arrays are zero up to `capacity`.
class Batch {
public:
  Batch(size_t maxRows, size_t adapters)
      : maxRows(maxRows), adapters(adapters),
        capacity((maxRows + blockRows - 1) / blockRows * blockRows),
        tokens(capacity), positions(capacity), sequences(capacity),
        outputRows(capacity), scales(capacity * adapters) {}

  bool full() const { return rows == maxRows; }
  bool empty() const { return rows == 0; }

  void add(int32_t token, int64_t position, int64_t sequence,
           std::span<const float> adapterScales, bool output) {
    tokens[rows] = token;
    positions[rows] = static_cast<int32_t>(position);
    sequences[rows] = static_cast<int32_t>(sequence);
    std::ranges::copy(adapterScales, scales.begin() + rows * adapters);
    if (output)
      outputRows[outputs++] = static_cast<int32_t>(rows);
    ++rows;
  }

  /// Adds a use of a loaded adapter by the rows from `firstRow` and the outputs
  /// from `firstOutput` on; returns where its sites are to be appended.
  std::vector<int64_t> &addUse(size_t firstRow, size_t firstOutput,
                               float scale) {
    useScales.push_back(scale);
    for (size_t field :
         {firstRow, rows - firstRow, firstOutput, outputs - firstOutput})
      uses.push_back(static_cast<int64_t>(field));
    return uses;
  }

  /// Zeroes the rows that were used, for the next batch.
  void clear() {
    for (auto *array : {&tokens, &positions, &sequences, &outputRows})
      std::fill_n(array->begin(), rows, 0);
    std::fill_n(scales.begin(), rows * adapters, 0.0f);
    uses.clear();
    useScales.clear();
    rows = outputs = 0;
  }

private:
  // A multiple of every row block that generated code uses.
  static constexpr size_t blockRows = 64;

  size_t maxRows, adapters, capacity;

public:
  size_t rows = 0, outputs = 0;
  std::vector<int32_t> tokens, positions, sequences, outputRows;
  std::vector<float> scales; ///< [rows, adapters]
  std::vector<int64_t> uses; ///< of loaded adapters, see StepAbi.h
  std::vector<float> useScales;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_BATCH_H
