// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What this machine's CPU and operating system allow, so that a program built
// for another CPU says so instead of dying of an illegal instruction.
// Source: Intel SDM volume 2A (CPUID, XGETBV), AMD APM volume 3 appendix E.

#ifndef LORI_RUNTIME_ENGINE_CPUFEATURES_H
#define LORI_RUNTIME_ENGINE_CPUFEATURES_H

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lori {

/// The registers of one CPUID leaf.
struct CpuidLeaf {
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
};

/// What a CPU says of itself; a seam for tests.
class CpuDescription {
public:
  virtual ~CpuDescription() = default;
  virtual CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf) const = 0;
  /// XCR0, the register states that the operating system saves.
  virtual uint64_t enabledStates() const = 0;
  /// Asks the operating system for AMX's tile data, which it grants to each
  /// process separately.
  virtual bool requestTiles() const = 0;
};

/// The CPU that runs this. On other machines than x86-64 it has no features.
const CpuDescription &hostCpu();

/// Whether `feature` is one that can be checked; a compiler lists no others in
/// a model's metadata. Names are LLVM's ("avx2", "avx512vnni", "amx-int8").
bool isKnownCpuFeature(std::string_view feature);

/// Returns the names in `needed` that `cpu` or its operating system lacks;
/// unknown names count as lacking.
std::vector<std::string>
missingCpuFeatures(std::span<const std::string> needed,
                   const CpuDescription &cpu = hostCpu());

/// Returns all known features that `cpu` has.
std::vector<std::string> cpuFeatures(const CpuDescription &cpu = hostCpu());

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_CPUFEATURES_H
