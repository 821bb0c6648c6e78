// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/threads/AvailableCpus.h"
#include "runtime/threads/Threads.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <sched.h>
#include <vector>

using namespace lori;

namespace {
struct CloseFile {
  void operator()(FILE *file) const { std::fclose(file); }
};
using File = std::unique_ptr<FILE, CloseFile>;
} // namespace

static int cpusOfAffinity() {
  // 64 Ki CPUs are more than any kernel is built for.
  std::vector<cpu_set_t> mask(64);
  size_t bytes = mask.size() * sizeof(cpu_set_t);
  if (sched_getaffinity(0, bytes, mask.data()) != 0)
    return 1;
  return std::max(1, CPU_COUNT_S(bytes, mask.data()));
}

// cgroup v2: cpu.max holds "QUOTA PERIOD" in microseconds, or "max PERIOD".
static int quotaOfVersion2(const std::string &folder) {
  File file(std::fopen((folder + "/cpu.max").c_str(), "re"));
  long long quota, period;
  if (!file || std::fscanf(file.get(), "%lld %lld", &quota, &period) != 2)
    return 0;
  return cpusOfQuota(quota, period);
}

static long long readNumber(const std::string &path) {
  File file(std::fopen(path.c_str(), "re"));
  long long number;
  return file && std::fscanf(file.get(), "%lld", &number) == 1 ? number : -1;
}

static int quotaOfVersion1(const std::string &folder) {
  return cpusOfQuota(readNumber(folder + "/cpu.cfs_quota_us"),
                     readNumber(folder + "/cpu.cfs_period_us"));
}

int lori::cpusOfQuota(long long quota, long long period) {
  if (quota <= 0 || period <= 0)
    return 0;
  // A part of a CPU still needs a thread.
  long long cpus = quota / period + (quota % period != 0);
  return static_cast<int>(std::min<long long>(cpus, 1 << 20));
}

// The quotas of a group and of all groups around it hold.
static int smallestQuota(const std::string &root, std::string group,
                         int (*quotaOf)(const std::string &)) {
  int smallest = 0;
  for (;;) {
    int quota = quotaOf(root + group);
    if (quota != 0 && (smallest == 0 || quota < smallest))
      smallest = quota;
    size_t slash = group.rfind('/');
    if (slash == std::string::npos)
      return smallest;
    group.resize(slash);
  }
}

// A line is "ID:CONTROLLERS:/PATH"; version 2 has no controllers.
int lori::cgroupCpus(const std::string &list, const std::string &root) {
  File file(std::fopen(list.c_str(), "re"));
  int smallest = 0;
  char line[4096];
  while (file && std::fgets(line, sizeof(line), file.get())) {
    line[std::strcspn(line, "\n")] = 0;
    char *controllers = std::strchr(line, ':');
    char *path = controllers ? std::strchr(controllers + 1, ':') : nullptr;
    if (!path)
      continue;
    *path++ = 0;
    std::string names = std::string(",") + (controllers + 1) + ",";
    int quota = 0;
    if (names == ",,")
      quota = smallestQuota(root, path, quotaOfVersion2);
    else if (names.find(",cpu,") != std::string::npos)
      quota = smallestQuota(root + "/cpu", path, quotaOfVersion1);
    if (quota != 0 && (smallest == 0 || quota < smallest))
      smallest = quota;
  }
  return smallest;
}

extern "C" int lori_available_cpus(void) {
  int cpus = cpusOfAffinity();
  int quota = cgroupCpus("/proc/self/cgroup", "/sys/fs/cgroup");
  return quota ? std::min(cpus, quota) : cpus;
}
