// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_MEMORYFILE_H
#define LORI_TOOLS_DRIVER_MEMORYFILE_H

#include <string>
#include <string_view>

namespace lori {

/// A file without a folder, for code that takes nothing but paths.
class MemoryFile {
public:
  /// Throws Error if the system has no memory or descriptor left.
  explicit MemoryFile(std::string_view content);
  MemoryFile(const MemoryFile &) = delete;
  MemoryFile &operator=(const MemoryFile &) = delete;
  ~MemoryFile();

  /// Opens this file from within this process, as long as the object lives.
  const std::string &path() const { return filePath; }
  std::string read() const;

private:
  int file;
  std::string filePath;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_MEMORYFILE_H
