// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/PagePool.h"
#include "test/unit/engine/TempFolder.h"

#include <cstring>
#include <random>
#include <set>

using namespace lori;

namespace {

TEST(PagePoolTest, APageIsZeroWhenItIsHandedOutAndAgain) {
  constexpr size_t keyBytes = 256, valueBytes = 128;
  PagePool pool(8, keyBytes, valueBytes);
  auto fill = [&](int32_t page, int byte) {
    std::memset(static_cast<char *>(pool.keys()) + page * keyBytes, byte,
                keyBytes);
    std::memset(static_cast<char *>(pool.values()) + page * valueBytes, byte,
                valueBytes);
  };
  auto isZero = [&](int32_t page) {
    auto *keys = static_cast<char *>(pool.keys()) + page * keyBytes;
    auto *values = static_cast<char *>(pool.values()) + page * valueBytes;
    return std::string(keys, keyBytes) == std::string(keyBytes, '\0') &&
           std::string(values, valueBytes) == std::string(valueBytes, '\0');
  };
  int32_t first = pool.allocate(), second = pool.allocate();
  EXPECT_TRUE(isZero(first) && isZero(second));
  fill(first, 1);
  fill(second, 2);
  pool.release(first);
  int32_t again = pool.allocate();
  EXPECT_EQ(again, first);
  EXPECT_TRUE(isZero(again));
  EXPECT_FALSE(isZero(second));
}

TEST(PagePoolTest, PagesInUseAreDistinctAndInRange) {
  PagePool pool(100, 64, 64);
  std::mt19937 random(5);
  std::set<int32_t> used;
  for (int i = 0; i < 10000; ++i) {
    if (used.size() < 100 && (used.empty() || random() % 2)) {
      int32_t page = pool.allocate();
      EXPECT_TRUE(page >= 0 && page < 100);
      EXPECT_TRUE(used.insert(page).second);
    } else {
      auto place = std::next(used.begin(), random() % used.size());
      pool.release(*place);
      used.erase(place);
    }
    EXPECT_EQ(pool.used(), static_cast<int64_t>(used.size()));
  }
}

TEST(PagePoolTest, MemoryIsTakenAsPagesAreUsedAndTheAddressStays) {
  // 2 x 64 GiB of addresses; a fraction of it as memory would fail here.
  PagePool pool(1 << 16, 1 << 20, 1 << 20);
  void *keys = pool.keys();
  for (int i = 0; i < 40; ++i) {
    int32_t page = pool.allocate();
    static_cast<char *>(pool.keys())[page * int64_t(1 << 20) + 12345] = 1;
  }
  EXPECT_EQ(pool.keys(), keys);
}

TEST(PagePoolTest, TooManyAddressesAreAnErrorWithTheRemedy) {
  auto error = messageOf([] { PagePool(1 << 30, 1 << 30, 1); });
  EXPECT_NE(error.find("--context"), std::string::npos) << error;
  error = messageOf([] { PagePool(INT64_MAX, INT64_MAX, 1); });
  EXPECT_NE(error.find("--context"), std::string::npos) << error;
}

TEST(ReservedRangeTest, GrowsByStepsAndNeverBeyondWhatIsReserved) {
  ReservedRange range(5 << 20, "a test");
  range.grow(1);
  EXPECT_EQ(range.size(), size_t(2) << 20);
  range.grow(size_t(5) << 20);
  EXPECT_EQ(range.size(), size_t(5) << 20);
  range.data()[(5 << 20) - 1] = std::byte(1);
}

} // namespace
