// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/StorageType.h"

#include <gtest/gtest.h>

using namespace lori;

namespace {

TEST(StorageTypeTest, NamesGoBothWays) {
  for (int i = 0; i <= static_cast<int>(StorageType::Q6_K); ++i) {
    auto type = static_cast<StorageType>(i);
    EXPECT_EQ(storageTypeByName(storageTypeName(type)), type);
  }
  EXPECT_FALSE(storageTypeByName("F8_E4M3"));
}

TEST(StorageTypeTest, BytesOfWholeBlocks) {
  EXPECT_EQ(storageBytes(StorageType::F32, 3), 12u);
  EXPECT_EQ(storageBytes(StorageType::Q8_0, 64), 68u);
  EXPECT_EQ(storageBytes(StorageType::Q4_1, 32), 20u);
  EXPECT_EQ(storageBytes(StorageType::Q6_K, 512), 420u);
  EXPECT_EQ(storageBytes(StorageType::Bool, 0), 0u);
}

TEST(StorageTypeTest, NoBytesForPartsOfABlockNegativeOrHugeCounts) {
  EXPECT_FALSE(storageBytes(StorageType::Q8_0, 33));
  EXPECT_FALSE(storageBytes(StorageType::Q4_K, 32));
  EXPECT_FALSE(storageBytes(StorageType::F32, -1));
  EXPECT_FALSE(storageBytes(StorageType::F32, INT64_MAX / 2));
  EXPECT_TRUE(storageBytes(StorageType::U8, INT64_MAX));
}

TEST(StorageTypeTest, EntryCountRefusesOverflowEvenBesideAZero) {
  auto count = [](std::vector<int64_t> shape) { return entryCount(shape); };
  EXPECT_EQ(count({}), 1);
  EXPECT_EQ(count({3, 0, 2}), 0);
  EXPECT_EQ(count({3, 5}), 15);
  EXPECT_FALSE(count({-1, 5}));
  EXPECT_FALSE(count({int64_t(1) << 32, int64_t(1) << 32}));
  EXPECT_FALSE(count({int64_t(1) << 32, int64_t(1) << 32, 0}));
}

} // namespace
