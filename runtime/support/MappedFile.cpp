// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/MappedFile.h"
#include "runtime/support/Error.h"

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

using namespace lori;

MappedFile::MappedFile(std::string path) : filePath(std::move(path)) {
  // Without O_NONBLOCK a named pipe would wait for its writer.
  int file = ::open(filePath.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0)
    throw Error(filePath, std::string("cannot be opened: ") + strerror(errno));
  struct stat status = {};
  if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(file);
    throw Error(filePath, "is not a regular file");
  }
  length = static_cast<size_t>(status.st_size);
  if (length != 0) {
    void *address = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, file, 0);
    int error = errno;
    ::close(file);
    if (address == MAP_FAILED)
      throw Error(filePath,
                  std::string("cannot be mapped: ") + strerror(error));
    start = static_cast<const std::byte *>(address);
    return;
  }
  ::close(file);
}

MappedFile::MappedFile(MappedFile &&other) noexcept
    : filePath(std::move(other.filePath)),
      start(std::exchange(other.start, nullptr)),
      length(std::exchange(other.length, 0)) {}

MappedFile &MappedFile::operator=(MappedFile &&other) noexcept {
  std::swap(filePath, other.filePath);
  std::swap(start, other.start);
  std::swap(length, other.length);
  return *this;
}

MappedFile::~MappedFile() {
  if (start)
    ::munmap(const_cast<std::byte *>(start), length);
}

void MappedFile::drop(size_t offset, size_t size) const {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  auto first = reinterpret_cast<uintptr_t>(start) + offset;
  auto begin = (first + page - 1) / page * page;
  auto end = (first + size) / page * page;
  if (end > begin)
    ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_DONTNEED);
}
