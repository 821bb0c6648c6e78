// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_SUPPORT_NEWFILE_H
#define LORI_RUNTIME_SUPPORT_NEWFILE_H

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace lori {

/// A file that appears whole or not at all: written beside its final name,
/// synced and renamed by `commit`; removed if that is never called.
class NewFile {
public:
  /// Creates the temporary file. Throws Error if the folder is not writable.
  explicit NewFile(std::string path, bool executable = false);
  NewFile(const NewFile &) = delete;
  NewFile &operator=(const NewFile &) = delete;
  ~NewFile();

  /// Appends; throws Error when the disk is full.
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);
  /// Appends zero bytes up to a multiple of `alignment`.
  void align(size_t alignment);
  size_t size() const { return written; }
  /// Writes bytes within `size()`; several threads may, to different places.
  void writeAt(size_t offset, std::span<const std::byte> bytes);

  /// The open descriptor, for writing by mmap or pwrite past `size()`.
  int descriptor() const { return file; }
  /// Grows the file to `size` bytes and moves the append position there.
  void resize(size_t size);
  const std::string &finalPath() const { return path; }
  const std::string &temporaryPath() const { return temporary; }

  void commit();

private:
  std::string path, temporary;
  int file = -1;
  size_t written = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_SUPPORT_NEWFILE_H
