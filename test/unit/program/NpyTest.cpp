// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Npy.h"
#include "test/unit/engine/TempFolder.h"

#include <cstring>

using namespace lori;

namespace {

TEST(NpyTest, WritesTheBytesThatNumpyWrites) {
  TempFolder folder;
  NpyWriter writer(folder / "a.npy", 2, 3);
  writer.writeRow(std::vector<float>{1, 2, 3});
  writer.writeRow(std::vector<float>{-0.5f, 0, 4});
  writer.commit();
  // numpy.save of float32 [[1, 2, 3], [-0.5, 0, 4]], NumPy 2: 128 bytes of
  // header, the text padded with spaces.
  std::string want = std::string("\x93NUMPY\x01\x00\x76\x00", 10) +
                     "{'descr': '<f4', 'fortran_order': False, 'shape': (2, "
                     "3), }";
  want.resize(127, ' ');
  want += '\n';
  const float numbers[] = {1, 2, 3, -0.5f, 0, 4};
  want.append(reinterpret_cast<const char *>(numbers), sizeof(numbers));
  EXPECT_EQ(readFile(folder / "a.npy"), want);
}

TEST(NpyTest, DataStartsAt64BytesForEveryShape) {
  TempFolder folder;
  for (size_t columns : {1u, 9u, 10u, 999u, 123456u}) {
    NpyWriter writer(folder / "b.npy", 1, columns);
    writer.writeRow(std::vector<float>(columns, 2));
    writer.commit();
    std::string bytes = readFile(folder / "b.npy");
    size_t start = bytes.size() - 4 * columns;
    EXPECT_EQ(start % 64, 0u);
    EXPECT_EQ(bytes[start - 1], '\n');
    EXPECT_EQ(static_cast<unsigned char>(bytes[8]) +
                  256u * static_cast<unsigned char>(bytes[9]),
              start - 10);
  }
}

TEST(NpyTest, NothingAppearsBeforeItIsComplete) {
  TempFolder folder;
  {
    NpyWriter writer(folder / "c.npy", 2, 1);
    writer.writeRow(std::vector<float>{1});
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "c.npy"));
}

} // namespace
