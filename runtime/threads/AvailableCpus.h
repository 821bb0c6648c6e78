// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_THREADS_AVAILABLECPUS_H
#define LORI_RUNTIME_THREADS_AVAILABLECPUS_H

#include <string>

namespace lori {

/// Returns how many CPUs `quota` microseconds in each `period` keep busy,
/// rounded up; 0, for no limit, where either is not positive.
int cpusOfQuota(long long quota, long long period);

/// Returns the CPU limit of the process's control groups, versions 1 and 2, or
/// 0 where there is none. `list` is /proc/self/cgroup, `root` the mount point.
/// Source: cgroups(7); Linux Documentation/admin-guide/cgroup-v2.rst.
int cgroupCpus(const std::string &list, const std::string &root);

} // namespace lori

#endif // LORI_RUNTIME_THREADS_AVAILABLECPUS_H
