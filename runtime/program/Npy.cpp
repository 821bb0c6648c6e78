// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Npy.h"

#include <bit>
#include <cassert>

using namespace lori;

static_assert(std::endian::native == std::endian::little,
              "numbers are written as they lie, and announced as '<f4'");

// Rows are small for small vocabularies; a system call each would be slow.
static constexpr size_t bufferFloats = size_t(1) << 18;

NpyWriter::NpyWriter(const std::string &path, size_t rows, size_t columns)
    : file(path), columns(columns), rowsLeft(rows) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" +
                       std::to_string(rows) + ", " + std::to_string(columns) +
                       "), }";
  // Magic, version and length take 10 bytes; the data starts at a multiple of
  // 64 and the header ends in a newline.
  size_t size = (10 + header.size() + 1 + 63) / 64 * 64 - 10;
  header.resize(size - 1, ' ');
  header += '\n';
  std::string start = "\x93NUMPY";
  start += {'\x01', '\x00', static_cast<char>(size & 0xff),
            static_cast<char>(size >> 8)};
  file.write(start + header);
}

void NpyWriter::writeRow(std::span<const float> row) {
  assert(row.size() == columns && rowsLeft > 0 && "not the announced shape");
  --rowsLeft;
  buffer.insert(buffer.end(), row.begin(), row.end());
  if (buffer.size() >= bufferFloats)
    flush();
}

void NpyWriter::flush() {
  file.write(std::as_bytes(std::span(buffer)));
  buffer.clear();
}

void NpyWriter::commit() {
  assert(rowsLeft == 0 && "rows are missing");
  flush();
  file.commit();
}
