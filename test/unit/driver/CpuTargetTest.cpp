// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/CpuTarget.h"
#include "runtime/engine/CpuFeatures.h"
#include "test/unit/driver/TestModule.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace lori;
using namespace lori::test;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace {

TEST(CpuTargetTest, Version3Has256BitVectors) {
  CpuTarget target = CpuTarget::parse("x86-64-v3");
  EXPECT_THAT(target.requiredFeatures(),
              ElementsAre("sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "cx16",
                          "sahf", "movbe", "avx", "f16c", "fma", "avx2", "bmi",
                          "bmi2", "lzcnt"));
  EXPECT_EQ(target.vectorBits(), 256u);
  EXPECT_FALSE(target.hasAvx512());
  EXPECT_FALSE(target.hasVnni());
  EXPECT_FALSE(target.hasAmxBf16());
}

TEST(CpuTargetTest, CachesOfANamedProcessorDoNotDependOnThisMachine) {
  CpuTarget target = CpuTarget::parse("x86-64-v3");
  EXPECT_EQ(target.l1Bytes(), 32 << 10);
  EXPECT_EQ(target.l2Bytes(), 1 << 20);
  EXPECT_GE(CpuTarget::native().l1Bytes(), 8 << 10);
  EXPECT_GT(CpuTarget::native().l2Bytes(), CpuTarget::native().l1Bytes());
}

TEST(CpuTargetTest, Version4Adds512BitVectorsAndNoMore) {
  CpuTarget target = CpuTarget::parse("x86-64-v4");
  std::vector<std::string> more = target.requiredFeatures();
  for (const std::string &feature :
       CpuTarget::parse("x86-64-v3").requiredFeatures()) {
    EXPECT_THAT(more, Contains(feature));
    std::erase(more, feature);
  }
  EXPECT_THAT(more, ElementsAre("avx512f", "avx512cd", "avx512bw", "avx512dq",
                                "avx512vl"));
  EXPECT_EQ(target.vectorBits(), 512u);
  EXPECT_TRUE(target.hasAvx512());
  EXPECT_FALSE(target.hasAvx512Vnni());
  EXPECT_FALSE(target.hasAvx512Bf16());
}

TEST(CpuTargetTest, TilesAreApartFromWhatAllCodeNeeds) {
  CpuTarget target = CpuTarget::parse("sapphirerapids");
  EXPECT_TRUE(target.hasAvx512Bf16());
  EXPECT_TRUE(target.hasAvx512Vnni());
  EXPECT_TRUE(target.hasAmxBf16());
  EXPECT_TRUE(target.hasAmxInt8());
  EXPECT_THAT(target.tileFeatures(),
              ElementsAre("amx-tile", "amx-int8", "amx-bf16"));
  for (const std::string &feature : target.requiredFeatures())
    EXPECT_THAT(feature, Not(HasSubstr("amx")));
}

TEST(CpuTargetTest, FeaturesCanBeAddedAndRemovedWithWhatTheyImply) {
  CpuTarget vnni = CpuTarget::parse("x86-64-v3,+avxvnni");
  EXPECT_TRUE(vnni.hasVnni());
  EXPECT_FALSE(vnni.hasAvx512Vnni());
  EXPECT_EQ(vnni.vectorBits(), 256u);

  EXPECT_TRUE(CpuTarget::parse("x86-64-v3,+avx512vnni").has("avx512f"));
  EXPECT_EQ(CpuTarget::parse("x86-64-v4,-avx512vl").vectorBits(), 256u);
  CpuTarget without = CpuTarget::parse("znver4,-avx512f");
  EXPECT_FALSE(without.hasVnni());
  EXPECT_FALSE(without.has("avx512bf16"));
}

TEST(CpuTargetTest, NativeIsWhatTheRuntimeFindsOnThisMachine) {
  std::string message = messageOf([] { CpuTarget::native(); });
  if (!message.empty())
    GTEST_SKIP() << message;
  CpuTarget target = CpuTarget::native();
  EXPECT_THAT(missingCpuFeatures(target.requiredFeatures()), ElementsAre());
  for (const std::string &feature : cpuFeatures()) {
    if (CpuTarget::parse("diamondrapids").has(feature)) {
      EXPECT_TRUE(target.has(feature)) << feature;
    }
  }
}

TEST(CpuTargetTest, ProgramsCanCheckAllFeatures) {
  for (const char *cpu : {"diamondrapids", "znver5", "novalake", "bdver4"}) {
    CpuTarget target = CpuTarget::parse(cpu);
    for (const std::string &feature : target.features())
      EXPECT_TRUE(isKnownCpuFeature(feature)) << feature;
  }
}

TEST(CpuTargetTest, UnknownProcessorIsAnErrorThatSaysWhatIsKnown) {
  for (const char *name : {"", "pentium99", "Haswell", "x86-64-v9", "+avx2"})
    EXPECT_THAT(messageOf([&] { CpuTarget::parse(name); }),
                AllOf(HasSubstr(std::string("--cpu=") + name + ": '" + name +
                                "' is no processor known to LLVM"),
                      HasSubstr("expected native, x86-64-v3")));
}

TEST(CpuTargetTest, UnknownFeatureIsAnError) {
  for (const char *part : {"avx512f", "+avx99", "-", "", "+", "+fast-gather"})
    EXPECT_THAT(
        messageOf([&] { CpuTarget::parse(std::string("x86-64-v3,") + part); }),
        AllOf(HasSubstr(std::string("'") + part + "' is not a feature"),
              HasSubstr("+NAME or -NAME with one of"),
              HasSubstr("avx512bf16")));
}

TEST(CpuTargetTest, ProcessorWithoutTheMinimumIsAnErrorThatNamesWhatItLacks) {
  EXPECT_EQ(messageOf([] { CpuTarget::parse("x86-64-v2"); }),
            "--cpu=x86-64-v2: lacks avx2, fma, f16c, expected a processor with "
            "avx2, fma and f16c: x86-64-v3 or a later one");
  EXPECT_THAT(messageOf([] { CpuTarget::parse("ivybridge"); }),
              HasSubstr("lacks avx2, fma, expected"));
  EXPECT_THAT(messageOf([] { CpuTarget::parse("x86-64-v3,-fma"); }),
              HasSubstr("lacks fma, expected"));
  EXPECT_THAT(messageOf([] { CpuTarget::parse("i686"); }), HasSubstr("lacks"));
}

} // namespace
