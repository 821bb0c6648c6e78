// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/threads/AvailableCpus.h"
#include "runtime/threads/Threads.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <sched.h>
#include <thread>
#include <unistd.h>

using namespace lori;
namespace fs = std::filesystem;

namespace {

class CgroupTest : public testing::Test {
protected:
  void SetUp() override {
    folder = fs::path(testing::TempDir()) /
             ("lori-cgroup-" + std::to_string(getpid()));
    fs::create_directories(folder);
  }
  void TearDown() override { fs::remove_all(folder); }

  void write(const std::string &name, const std::string &text) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name) << text;
  }
  int cpus() { return cgroupCpus(folder / "list", folder); }

  fs::path folder;
};

TEST(AvailableCpusTest, QuotaRoundsUpToWholeCpus) {
  EXPECT_EQ(cpusOfQuota(200000, 100000), 2);
  EXPECT_EQ(cpusOfQuota(150000, 100000), 2);
  EXPECT_EQ(cpusOfQuota(1, 100000), 1);
  EXPECT_EQ(cpusOfQuota(-1, 100000), 0);
  EXPECT_EQ(cpusOfQuota(100000, 0), 0);
}

TEST_F(CgroupTest, Version2LimitsByTheTightestGroupAround) {
  write("list", "0::/outer/inner\n");
  write("cpu.max", "max 100000\n");
  write("outer/cpu.max", "250000 100000\n");
  write("outer/inner/cpu.max", "800000 100000\n");
  EXPECT_EQ(cpus(), 3);
}

TEST_F(CgroupTest, Version1LimitsByTheCpuController) {
  write("list", "4:memory:/m\n3:cpu,cpuacct:/c\n2:cpuset:/s\n0::/\n");
  write("cpu/c/cpu.cfs_quota_us", "50000\n");
  write("cpu/c/cpu.cfs_period_us", "100000\n");
  write("cpu/m/cpu.cfs_quota_us", "100\n");
  EXPECT_EQ(cpus(), 1);
}

TEST_F(CgroupTest, NoQuotaIsNoLimit) {
  write("list", "1:cpu:/\n0::/\nnonsense\n:\n");
  write("cpu.max", "max 100000\n");
  write("cpu/cpu.cfs_quota_us", "-1\n");
  write("cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(cpus(), 0);
  fs::remove(folder / "list");
  EXPECT_EQ(cpus(), 0);
}

TEST(AvailableCpusTest, AffinityOfTheProcessIsTheLimit) {
  int all = lori_available_cpus();
  EXPECT_GE(all, 1);
  EXPECT_LE(all, int(std::thread::hardware_concurrency()));
  std::thread([] {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    ASSERT_EQ(sched_setaffinity(0, sizeof(one), &one), 0);
    EXPECT_EQ(lori_available_cpus(), 1);
  }).join();
}

} // namespace
