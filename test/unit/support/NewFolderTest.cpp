// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/NewFolder.h"
#include "runtime/support/Error.h"
#include "runtime/support/NewFile.h"

#include <filesystem>
#include <gtest/gtest.h>

using namespace lori;
namespace fs = std::filesystem;

namespace {

class NewFolderTest : public testing::Test {
protected:
  void SetUp() override {
    root = fs::path(testing::TempDir()) / "lori-new-folder";
    fs::remove_all(root);
    fs::create_directories(root);
  }
  void TearDown() override { fs::remove_all(root); }

  static void writeTo(const NewFolder &folder) {
    NewFile file(folder / "file");
    file.write("abc");
    file.commit();
  }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(root), {}));
  }
  fs::path root;
};

TEST_F(NewFolderTest, AppearsWithAllItHolds) {
  NewFolder folder(root / "out/");
  writeTo(folder);
  EXPECT_FALSE(fs::exists(root / "out"));
  folder.commit();
  EXPECT_TRUE(fs::exists(root / "out/file"));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(NewFolderTest, DisappearsUncommitted) {
  {
    NewFolder folder(root / "out");
    writeTo(folder);
  }
  EXPECT_EQ(entries(), 0u);
}

TEST_F(NewFolderTest, TakesAnEmptyFolderAndNothingElse) {
  fs::create_directory(root / "out");
  NewFolder folder(root / "out");
  writeTo(folder);
  folder.commit();
  EXPECT_THROW(NewFolder(root / "out"), Error);
  EXPECT_THROW(NewFolder(root / "out/file"), Error);
  EXPECT_THROW(NewFolder(root / "none/out"), Error);
  fs::create_symlink("nowhere", root / "link");
  EXPECT_THROW(NewFolder(root / "link"), Error);
  EXPECT_EQ(entries(), 2u);
}

TEST_F(NewFolderTest, AFolderThatFillsMeanwhileIsKept) {
  NewFolder folder(root / "out");
  fs::create_directories(root / "out/other");
  EXPECT_THROW(folder.commit(), Error);
  EXPECT_TRUE(fs::exists(root / "out/other"));
}

} // namespace
