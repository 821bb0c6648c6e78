// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_ADAPTERPATH_H
#define LORI_RUNTIME_FORMATS_ADAPTERPATH_H

#include <optional>
#include <string>
#include <string_view>

namespace lori {

/// An adapter as command lines name it: `PATH` or `PATH@SCALE`; where weights
/// are meant, `PATH=WEIGHT`.
struct AdapterPath {
  std::string path;
  std::optional<double> scale;
};

/// Splits `text` at its last `separator` if a finite number follows it to the
/// end (`runs@home/a@0.5` is `runs@home/a` times 0.5); else all of it is the
/// path.
AdapterPath parseAdapterPath(std::string_view text, char separator = '@');

/// Returns the folder that holds the adapter meant by `path`: itself, or its
/// one sub-folder that does, as PEFT nests named adapters; then `note` says so.
/// Throws Error if several do, or if `path` is no folder. A folder without any
/// adapter is returned as it is.
std::string findAdapterFolder(const std::string &path, std::string &note);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_ADAPTERPATH_H
