// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/NewFile.h"
#include "runtime/support/Error.h"
#include "runtime/support/MappedFile.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <sys/stat.h>

using namespace lori;
namespace fs = std::filesystem;

namespace {

class NewFileTest : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) / "lori-new-file";
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  size_t filesInFolder() const {
    return static_cast<size_t>(
        std::distance(fs::directory_iterator(folder), {}));
  }
  fs::path folder;
};

TEST_F(NewFileTest, CommittedFileHoldsWhatWasWritten) {
  NewFile file(folder / "out");
  file.write("abc");
  file.align(8);
  file.commit();
  MappedFile mapped(folder / "out");
  EXPECT_EQ(mapped.bytes().size(), 8u);
  EXPECT_EQ(static_cast<char>(mapped.bytes()[2]), 'c');
  EXPECT_EQ(filesInFolder(), 1u);
}

TEST_F(NewFileTest, AbandonedFileLeavesNothing) {
  {
    NewFile file(folder / "out");
    file.write("abc");
  }
  EXPECT_EQ(filesInFolder(), 0u);
}

TEST_F(NewFileTest, UnwritableFolderIsAnErrorThatNamesTheFile) {
  try {
    NewFile file(folder / "none" / "out");
    FAIL() << "expected an error";
  } catch (const Error &error) {
    EXPECT_NE(std::string(error.what()).find("none/out: cannot be written"),
              std::string::npos);
  }
}

TEST_F(NewFileTest, MappingAFolderIsAnError) {
  EXPECT_THROW(MappedFile{folder.string()}, Error);
}

TEST_F(NewFileTest, MappingANamedPipeIsAnErrorAndDoesNotWait) {
  std::string pipe = folder / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THROW(MappedFile{pipe}, Error);
}

TEST_F(NewFileTest, ControlCharactersOfAMessageStayOnOneLine) {
  EXPECT_STREQ(Error("a\nb", "c\td").what(), "a b: c d");
}

} // namespace
