// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_SUPPORT_NEWFOLDER_H
#define LORI_RUNTIME_SUPPORT_NEWFOLDER_H

#include <string>
#include <string_view>

namespace lori {

/// A folder that appears whole or not at all: filled beside its final name and
/// renamed by `commit`; removed with all it holds if that is never called.
class NewFolder {
public:
  /// Creates the temporary folder. Throws Error if `path` is there already (an
  /// empty folder may be) or cannot be written.
  explicit NewFolder(std::string path);
  NewFolder(const NewFolder &) = delete;
  NewFolder &operator=(const NewFolder &) = delete;
  ~NewFolder();

  const std::string &finalPath() const { return path; }
  /// The path of a file inside the temporary folder.
  std::string operator/(std::string_view name) const;

  void commit();

private:
  std::string path, temporary;
};

} // namespace lori

#endif // LORI_RUNTIME_SUPPORT_NEWFOLDER_H
