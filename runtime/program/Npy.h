// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_NPY_H
#define LORI_RUNTIME_PROGRAM_NPY_H

#include "runtime/support/NewFile.h"

#include <span>
#include <vector>

namespace lori {

/// Writes a matrix of float32 row by row as NumPy's .npy, format version 1.0.
/// Source: NumPy's documentation, numpy.lib.format. The file appears when it is
/// complete.
class NpyWriter {
public:
  NpyWriter(const std::string &path, size_t rows, size_t columns);

  /// Appends a row of `columns` numbers. Throws Error when the disk is full.
  void writeRow(std::span<const float> row);
  /// Called after the last row.
  void commit();

private:
  void flush();

  NewFile file;
  // What was announced; checked in debug builds.
  [[maybe_unused]] size_t columns, rowsLeft;
  std::vector<float> buffer;
};

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_NPY_H
