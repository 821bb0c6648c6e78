// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/NewFile.h"
#include "runtime/support/Error.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>
#include <vector>

using namespace lori;

[[noreturn]] static void failWith(const std::string &path, const char *action) {
  throw Error(path, std::string(action) + ": " + strerror(errno));
}

NewFile::NewFile(std::string finalPath, bool executable)
    : path(std::move(finalPath)) {
  temporary = path + ".XXXXXX";
  file = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (file < 0)
    failWith(path, "cannot be written");
  // mkostemp ignores the umask; apply it as open() would.
  mode_t mask = ::umask(0);
  ::umask(mask);
  ::fchmod(file, (executable ? 0777 : 0666) & ~mask);
}

NewFile::~NewFile() {
  if (file < 0)
    return;
  ::close(file);
  ::unlink(temporary.c_str());
}

void NewFile::writeAt(size_t offset, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    ssize_t count =
        ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR)
      continue;
    if (count < 0)
      failWith(path, "cannot be written");
    offset += static_cast<size_t>(count);
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
}

void NewFile::write(std::span<const std::byte> bytes) {
  writeAt(written, bytes);
  written += bytes.size();
}

void NewFile::write(std::string_view text) {
  write(std::as_bytes(std::span(text)));
}

void NewFile::align(size_t alignment) {
  size_t padding = (alignment - written % alignment) % alignment;
  write(std::vector<std::byte>(padding));
}

void NewFile::resize(size_t size) {
  // posix_fallocate and not ftruncate: a full disk must be an error here, and
  // not a SIGBUS when the mapping is written.
  if (size > written)
    if (int error = ::posix_fallocate(file, 0, static_cast<off_t>(size))) {
      errno = error;
      failWith(path, "cannot be written");
    }
  written = size;
}

void NewFile::commit() {
  if (::fsync(file) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0)
    failWith(path, "cannot be written");
  ::close(std::exchange(file, -1));
}
