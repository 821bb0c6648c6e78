// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/NewFolder.h"
#include "runtime/support/Error.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace lori;
namespace fs = std::filesystem;

[[noreturn]] static void failWith(const std::string &path) {
  throw Error(path, std::string("cannot be written: ") + strerror(errno));
}

NewFolder::NewFolder(std::string finalPath) : path(std::move(finalPath)) {
  while (path.size() > 1 && path.ends_with('/'))
    path.pop_back();
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error)) &&
      !(fs::is_directory(path, error) && fs::is_empty(path, error)))
    throw Error(path, "is there already, expected a new name for the output, "
                      "remove it or give another");
  temporary = path + ".XXXXXX";
  if (!::mkdtemp(temporary.data())) {
    temporary.clear();
    failWith(path);
  }
  // mkdtemp ignores the umask; apply it as mkdir() would.
  mode_t mask = ::umask(0);
  ::umask(mask);
  ::chmod(temporary.c_str(), 0777 & ~mask);
}

NewFolder::~NewFolder() {
  std::error_code error;
  if (!temporary.empty())
    fs::remove_all(temporary, error);
}

std::string NewFolder::operator/(std::string_view name) const {
  return temporary + "/" + std::string(name);
}

void NewFolder::commit() {
  // The names of the files must be on disk before that of the folder is.
  int folder = ::open(temporary.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0)
    failWith(path);
  int synced = ::fsync(folder);
  ::close(folder);
  if (synced != 0 || ::rename(temporary.c_str(), path.c_str()) != 0)
    failWith(path);
  temporary.clear();
}
