// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_PROGRESS_H
#define LORI_TOOLS_DRIVER_PROGRESS_H

#include <cstdint>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace lori {

/// A bar on stderr while long work runs; nothing where stderr is no terminal.
class Progress {
public:
  Progress(std::string label, uint64_t total, bool enabled)
      : label(std::move(label)), total(total),
        visible(enabled && total > 0 && ::isatty(STDERR_FILENO)) {}
  ~Progress() {
    if (visible)
      std::fprintf(stderr, "\r\033[K");
  }
  Progress(const Progress &) = delete;
  Progress &operator=(const Progress &) = delete;

  void update(uint64_t done) {
    auto percent = static_cast<int>(done * 100 / (total == 0 ? 1 : total));
    if (!visible || percent == shown)
      return;
    shown = percent;
    std::string bar(static_cast<size_t>(percent) * 30 / 100, '#');
    std::fprintf(stderr, "\r%s [%-30s] %3d %%", label.c_str(), bar.c_str(),
                 percent);
  }

private:
  std::string label;
  uint64_t total;
  bool visible;
  int shown = -1;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_PROGRESS_H
