// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/MemoryFile.h"
#include "runtime/support/Error.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

using namespace lori;

[[noreturn]] static void fail() {
  throw Error("temporary memory file", strerror(errno));
}

MemoryFile::MemoryFile(std::string_view content)
    : file(::memfd_create("lori", MFD_CLOEXEC)) {
  if (file < 0)
    fail();
  filePath = "/proc/self/fd/" + std::to_string(file);
  while (!content.empty()) {
    ssize_t count = ::write(file, content.data(), content.size());
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0) {
      ::close(file);
      fail();
    }
    content.remove_prefix(static_cast<size_t>(count));
  }
}

MemoryFile::~MemoryFile() { ::close(file); }
