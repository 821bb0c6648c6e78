// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TEST_UNIT_ENGINE_TEMPFOLDER_H
#define LORI_TEST_UNIT_ENGINE_TEMPFOLDER_H

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

namespace lori {

/// A folder of its own for each object, removed with it.
class TempFolder {
public:
  TempFolder() : path(testing::TempDir() + "lori-test-XXXXXX") {
    if (!::mkdtemp(path.data()))
      std::abort();
  }
  TempFolder(const TempFolder &) = delete;
  TempFolder &operator=(const TempFolder &) = delete;
  ~TempFolder() { std::filesystem::remove_all(path); }

  std::string operator/(const std::string &name) const {
    return path + "/" + name;
  }

private:
  std::string path;
};

inline std::string readFile(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void writeFile(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// The message of the Error that `action` throws, "" if it throws none.
template <typename Action> std::string messageOf(Action &&action) {
  try {
    action();
  } catch (const std::exception &error) {
    return error.what();
  }
  return "";
}

} // namespace lori

#endif // LORI_TEST_UNIT_ENGINE_TEMPFOLDER_H
