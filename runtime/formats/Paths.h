// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_PATHS_H
#define LORI_RUNTIME_FORMATS_PATHS_H

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace lori {

/// Whether there is such a file or folder; an unreadable one counts as absent,
/// and opening it says why.
inline bool pathExists(const std::filesystem::path &path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

inline bool isDirectory(const std::filesystem::path &path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

/// Returns what lies in a folder, by name; nothing if it cannot be read.
inline std::vector<std::filesystem::path>
listDirectory(const std::filesystem::path &folder) {
  std::error_code error;
  std::vector<std::filesystem::path> entries;
  std::filesystem::directory_iterator each(folder, error), end;
  for (; !error && each != end; each.increment(error))
    entries.push_back(each->path());
  std::sort(entries.begin(), entries.end());
  return entries;
}

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_PATHS_H
