// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/CpuFeatures.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <map>
#include <set>
#include <sstream>

using namespace lori;

namespace {

/// A CPU with all bits set that the test can take away.
class Cpu : public CpuDescription {
public:
  CpuidLeaf cpuid(uint32_t leaf, uint32_t subleaf) const override {
    if ((leaf & 0x7fffffff) == 0)
      return {(leaf & 0x80000000) + highestLeaf, 0, 0, 0};
    if (leaf == 7 && subleaf == 0)
      return {highestSubleaf7, ~0u, ~0u, ~0u};
    return {~0u, ~0u, ~0u, ~0u};
  }
  uint64_t enabledStates() const override { return states; }
  bool requestTiles() const override { return tiles; }

  uint32_t highestLeaf = 32, highestSubleaf7 = 1;
  uint64_t states = 0x600e7;
  bool tiles = true;
};

std::vector<std::string> missing(const Cpu &cpu,
                                 std::vector<std::string> needed) {
  return missingCpuFeatures(needed, cpu);
}

using Names = std::vector<std::string>;

TEST(CpuFeaturesTest, NothingIsMissingOnACpuThatHasAll) {
  EXPECT_EQ(missing({}, {"sse2", "avx2", "avx512f", "amx-int8", "lzcnt"}),
            Names{});
}

TEST(CpuFeaturesTest, AvxNeedsTheOperatingSystem) {
  Cpu cpu;
  cpu.states = 3;
  EXPECT_EQ(missing(cpu, {"sse2", "avx2", "fma", "f16c", "bmi2"}),
            (Names{"avx2", "fma", "f16c"}));
  cpu.states = 7;
  EXPECT_EQ(missing(cpu, {"avx2", "avx512vl", "amx-tile"}),
            (Names{"avx512vl", "amx-tile"}));
}

TEST(CpuFeaturesTest, TilesNeedPermission) {
  Cpu cpu;
  cpu.tiles = false;
  EXPECT_EQ(missing(cpu, {"amx-tile", "avx512f"}), Names{"amx-tile"});
}

TEST(CpuFeaturesTest, LeavesThatACpuDoesNotHaveAreNotRead) {
  Cpu cpu;
  cpu.highestLeaf = 6;
  EXPECT_EQ(missing(cpu, {"avx", "avx2"}), Names{"avx2"});
  cpu.highestLeaf = 32;
  cpu.highestSubleaf7 = 0;
  EXPECT_EQ(missing(cpu, {"avx2", "avxvnni"}), Names{"avxvnni"});
}

TEST(CpuFeaturesTest, UnknownFeaturesCountAsMissing) {
  EXPECT_EQ(missing({}, {"avx9000"}), Names{"avx9000"});
  EXPECT_FALSE(isKnownCpuFeature("avx9000"));
  EXPECT_TRUE(isKnownCpuFeature("avx512bf16"));
}

// Linux lists what CPU and system allow, under names of its own.
TEST(CpuFeaturesTest, AgreesWithLinuxOnThisMachine) {
  std::ifstream file("/proc/cpuinfo");
  std::set<std::string> flags;
  for (std::string line; flags.empty() && std::getline(file, line);)
    if (line.starts_with("flags")) {
      std::istringstream words(line.substr(line.find(':') + 1));
      for (std::string word; words >> word;)
        flags.insert(word);
    }
  if (flags.empty())
    GTEST_SKIP() << "no flags in /proc/cpuinfo";
  const std::map<std::string, std::string> linuxNames = {
      {"sse2", "sse2"},         {"sse3", "pni"},
      {"ssse3", "ssse3"},       {"sse4.1", "sse4_1"},
      {"sse4.2", "sse4_2"},     {"popcnt", "popcnt"},
      {"avx", "avx"},           {"avx2", "avx2"},
      {"fma", "fma"},           {"f16c", "f16c"},
      {"bmi", "bmi1"},          {"bmi2", "bmi2"},
      {"lzcnt", "abm"},         {"movbe", "movbe"},
      {"avx512f", "avx512f"},   {"avx512bw", "avx512bw"},
      {"avx512vl", "avx512vl"}, {"avx512dq", "avx512dq"},
      {"avx512cd", "avx512cd"}, {"avx512vnni", "avx512_vnni"},
      {"avxvnni", "avx_vnni"},  {"avx512bf16", "avx512_bf16"},
      {"sha", "sha_ni"},        {"gfni", "gfni"},
      {"vaes", "vaes"},         {"rdpid", "rdpid"},
      {"sse4a", "sse4a"},       {"clzero", "clzero"},
      {"64bit", "lm"},          {"cmov", "cmov"},
      {"xsave", "xsave"},       {"prfchw", "3dnowprefetch"}};
  for (const auto &[ours, theirs] : linuxNames)
    EXPECT_EQ(missingCpuFeatures(Names{ours}).empty(), flags.contains(theirs))
        << ours;
  Names all = cpuFeatures();
  EXPECT_NE(std::ranges::find(all, "sse2"), all.end());
}

} // namespace
