// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_SUPPORT_MAPPEDFILE_H
#define LORI_RUNTIME_SUPPORT_MAPPEDFILE_H

#include <cstddef>
#include <span>
#include <string>

namespace lori {

/// A file, or a part of one, mapped read-only and shared; nothing is copied.
class MappedFile {
public:
  /// Maps the whole of `path`. Throws Error if it cannot be opened, is a
  /// folder, or shrinks below the size it announces. An empty file maps to no
  /// bytes.
  explicit MappedFile(std::string path);
  MappedFile(MappedFile &&other) noexcept;
  MappedFile &operator=(MappedFile &&other) noexcept;
  MappedFile(const MappedFile &) = delete;
  MappedFile &operator=(const MappedFile &) = delete;
  ~MappedFile();

  const std::string &path() const { return filePath; }
  std::span<const std::byte> bytes() const { return {start, length}; }

  /// Tells the kernel that `[offset, offset + size)` is not needed for now, so
  /// that streaming over a large file does not raise the resident set.
  void drop(size_t offset, size_t size) const;

private:
  std::string filePath;
  const std::byte *start = nullptr;
  size_t length = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_SUPPORT_MAPPEDFILE_H
