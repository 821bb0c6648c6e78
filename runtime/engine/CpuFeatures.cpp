// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/CpuFeatures.h"

#include <algorithm>

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace lori;

namespace {

enum Register : uint8_t { EAX, EBX, ECX, EDX };

/// Register states that must be enabled for a feature to be usable.
enum States : uint8_t { None, Avx, Avx512, Tiles };

struct Feature {
  std::string_view name;
  uint32_t leaf, subleaf;
  Register reg;
  uint8_t bit;
  States states;
};

constexpr uint32_t Ext1 = 0x80000001, Ext8 = 0x80000008;

constexpr Feature features[] = {
    {"cx8", 1, 0, EDX, 8, None},
    {"cmov", 1, 0, EDX, 15, None},
    {"mmx", 1, 0, EDX, 23, None},
    {"fxsr", 1, 0, EDX, 24, None},
    {"sse", 1, 0, EDX, 25, None},
    {"sse2", 1, 0, EDX, 26, None},
    {"sse3", 1, 0, ECX, 0, None},
    {"pclmul", 1, 0, ECX, 1, None},
    {"ssse3", 1, 0, ECX, 9, None},
    {"fma", 1, 0, ECX, 12, Avx},
    {"cx16", 1, 0, ECX, 13, None},
    {"sse4.1", 1, 0, ECX, 19, None},
    {"sse4.2", 1, 0, ECX, 20, None},
    {"crc32", 1, 0, ECX, 20, None},
    {"movbe", 1, 0, ECX, 22, None},
    {"popcnt", 1, 0, ECX, 23, None},
    {"aes", 1, 0, ECX, 25, None},
    {"xsave", 1, 0, ECX, 27, None}, // OSXSAVE: the system uses it
    {"avx", 1, 0, ECX, 28, Avx},
    {"f16c", 1, 0, ECX, 29, Avx},
    {"rdrnd", 1, 0, ECX, 30, None},
    {"fsgsbase", 7, 0, EBX, 0, None},
    {"bmi", 7, 0, EBX, 3, None},
    {"avx2", 7, 0, EBX, 5, Avx},
    {"bmi2", 7, 0, EBX, 8, None},
    {"avx512f", 7, 0, EBX, 16, Avx512},
    {"avx512dq", 7, 0, EBX, 17, Avx512},
    {"rdseed", 7, 0, EBX, 18, None},
    {"adx", 7, 0, EBX, 19, None},
    {"avx512ifma", 7, 0, EBX, 21, Avx512},
    {"clflushopt", 7, 0, EBX, 23, None},
    {"clwb", 7, 0, EBX, 24, None},
    {"avx512cd", 7, 0, EBX, 28, Avx512},
    {"sha", 7, 0, EBX, 29, None},
    {"avx512bw", 7, 0, EBX, 30, Avx512},
    {"avx512vl", 7, 0, EBX, 31, Avx512},
    {"avx512vbmi", 7, 0, ECX, 1, Avx512},
    {"avx512vbmi2", 7, 0, ECX, 6, Avx512},
    {"gfni", 7, 0, ECX, 8, None},
    {"vaes", 7, 0, ECX, 9, Avx},
    {"vpclmulqdq", 7, 0, ECX, 10, Avx},
    {"avx512vnni", 7, 0, ECX, 11, Avx512},
    {"avx512bitalg", 7, 0, ECX, 12, Avx512},
    {"avx512vpopcntdq", 7, 0, ECX, 14, Avx512},
    {"rdpid", 7, 0, ECX, 22, None},
    {"movdiri", 7, 0, ECX, 27, None},
    {"movdir64b", 7, 0, ECX, 28, None},
    {"avx512vp2intersect", 7, 0, EDX, 8, Avx512},
    {"serialize", 7, 0, EDX, 14, None},
    {"amx-bf16", 7, 0, EDX, 22, Tiles},
    {"avx512fp16", 7, 0, EDX, 23, Avx512},
    {"amx-tile", 7, 0, EDX, 24, Tiles},
    {"amx-int8", 7, 0, EDX, 25, Tiles},
    {"avxvnni", 7, 1, EAX, 4, Avx},
    {"avx512bf16", 7, 1, EAX, 5, Avx512},
    {"amx-fp16", 7, 1, EAX, 21, Tiles},
    {"avxifma", 7, 1, EAX, 23, Avx},
    {"avxvnniint8", 7, 1, EDX, 4, Avx},
    {"avxneconvert", 7, 1, EDX, 5, Avx},
    {"amx-complex", 7, 1, EDX, 8, Tiles},
    {"avxvnniint16", 7, 1, EDX, 10, Avx},
    {"prefetchi", 7, 1, EDX, 14, None},
    {"xsaveopt", 13, 1, EAX, 0, None},
    {"xsavec", 13, 1, EAX, 1, None},
    {"xsaves", 13, 1, EAX, 3, None},
    {"sahf", Ext1, 0, ECX, 0, None},
    {"lzcnt", Ext1, 0, ECX, 5, None},
    {"sse4a", Ext1, 0, ECX, 6, None},
    {"prfchw", Ext1, 0, ECX, 8, None},
    {"xop", Ext1, 0, ECX, 11, Avx},
    {"fma4", Ext1, 0, ECX, 16, Avx},
    {"tbm", Ext1, 0, ECX, 21, None},
    {"64bit", Ext1, 0, EDX, 29, None},
    {"clzero", Ext8, 0, EBX, 0, None},
    {"wbnoinvd", Ext8, 0, EBX, 9, None},
};

/// Bits of XCR0: 1 SSE, 2 AVX, 5-7 AVX-512, 17-18 AMX.
constexpr uint64_t stateBits[] = {0, 0x6, 0xe6, 0x60000};

class Host final : public CpuDescription {
public:
#ifdef __x86_64__
  CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf) const override {
    CpuidLeaf result;
    __cpuid_count(leaf, subleaf, result.eax, result.ebx, result.ecx,
                  result.edx);
    return result;
  }
  uint64_t enabledStates() const override {
    if (!(cpuid(1, 0).ecx >> 27 & 1)) // OSXSAVE, else XGETBV is illegal
      return 0;
    uint32_t low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return uint64_t(high) << 32 | low;
  }
  bool requestTiles() const override {
    constexpr int requestPermission = 0x1023, tileData = 18;
    return ::syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
  }
#else
  CpuidLeaf cpuid(uint32_t, uint32_t) const override { return {}; }
  uint64_t enabledStates() const override { return 0; }
  bool requestTiles() const override { return false; }
#endif
};

} // namespace

const CpuDescription &lori::hostCpu() {
  static const Host host;
  return host;
}

/// A leaf above the largest of its range is answered with another one's bits.
static CpuidLeaf readLeaf(const CpuDescription &cpu, uint32_t leaf,
                          uint32_t subleaf) {
  if (cpu.cpuid(leaf & 0x80000000, 0).eax < leaf)
    return {};
  if (leaf == 7 && subleaf > cpu.cpuid(7, 0).eax)
    return {};
  return cpu.cpuid(leaf, subleaf);
}

static bool has(const CpuDescription &cpu, const Feature &feature) {
  CpuidLeaf leaf = readLeaf(cpu, feature.leaf, feature.subleaf);
  const uint32_t registers[] = {leaf.eax, leaf.ebx, leaf.ecx, leaf.edx};
  if (!(registers[feature.reg] >> feature.bit & 1))
    return false;
  if (feature.states == None)
    return true;
  uint64_t bits = stateBits[feature.states];
  return (cpu.enabledStates() & bits) == bits;
}

static const Feature *find(std::string_view name) {
  const auto *found = std::ranges::find(features, name, &Feature::name);
  return found == std::end(features) ? nullptr : found;
}

bool lori::isKnownCpuFeature(std::string_view feature) {
  return find(feature) != nullptr;
}

std::vector<std::string>
lori::missingCpuFeatures(std::span<const std::string> needed,
                         const CpuDescription &cpu) {
  std::vector<std::string> missing;
  for (const std::string &name : needed) {
    const Feature *feature = find(name);
    bool usable = feature && has(cpu, *feature) &&
                  (feature->states != Tiles || cpu.requestTiles());
    if (!usable)
      missing.push_back(name);
  }
  return missing;
}

std::vector<std::string> lori::cpuFeatures(const CpuDescription &cpu) {
  std::vector<std::string> names;
  for (const Feature &feature : features)
    if (has(cpu, feature))
      names.emplace_back(feature.name);
  return names;
}
