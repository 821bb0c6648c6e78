// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Thousands of damaged files through every parser: each is read or refused by
// an Error that names it, and nothing else happens. With sanitizers this is a
// small fuzzing run in every build.

#include "SampleAdapters.h"
#include "SampleInputs.h"
#include "runtime/formats/Gguf.h"
#include "runtime/formats/ModelConfig.h"
#include "runtime/formats/PeftAdapter.h"

#include <gtest/gtest.h>
#include <random>

using namespace lori;
using namespace lori::test;

namespace {

class HostileInputTest : public testing::Test {
protected:
  HostileInputTest()
      : base(Checkpoint::open(writeSampleModel(folder, "base"))),
        adapter(writeSampleAdapter(folder, "adapter", {}, {})) {}

  void read(const std::string &parser, const std::string &bytes) {
    auto message = errorOf([&] {
      if (parser == "SafetensorsFuzzer")
        readSafetensorsHeader(asBytes(bytes), "hostile");
      else if (parser == "GgufFuzzer")
        modelConfigFromGguf(Gguf(asBytes(bytes), "hostile"));
      else if (parser == "ModelConfigFuzzer")
        parseModelConfig(bytes, "hostile");
      else if (parser == "PeftConfigFuzzer")
        PeftConfig::parse(bytes, "hostile")
            .targets(adaptableModules(base.config())[3]);
      else
        readAdapter(bytes);
    });
    (message == "no error" ? accepted : refused)++;
    if (message != "no error")
      EXPECT_TRUE(message.starts_with("hostile: ") ||
                  message.starts_with(adapter))
          << message;
    EXPECT_EQ(message.find('\n'), message.npos);
  }

  void readAdapter(const std::string &bytes) {
    folder.write("adapter/adapter_model.safetensors", bytes);
    PeftAdapter::open(adapter, base);
  }

  TemporaryFolder folder;
  Checkpoint base;
  std::string adapter;
  size_t accepted = 0, refused = 0;
};

TEST_F(HostileInputTest, SamplesAreValid) {
  for (const auto &[parser, bytes] : sampleInputs())
    if (!contains(bytes, "adapter")) // a GGUF adapter is no model
      read(parser, bytes);
  EXPECT_EQ(refused, 0u);
  EXPECT_GT(accepted, 10u);
}

TEST_F(HostileInputTest, Truncations) {
  for (const auto &[parser, bytes] : sampleInputs()) {
    size_t step = 1 + bytes.size() / 400;
    for (size_t size = 0; size < bytes.size(); size += step)
      read(parser, bytes.substr(0, size));
  }
  EXPECT_GT(refused, 1000u);
}

TEST_F(HostileInputTest, FlippedBitsAndExtremeNumbers) {
  std::mt19937 random(1);
  for (const auto &[parser, bytes] : sampleInputs())
    for (int round = 0; round < 400; ++round) {
      std::string damaged = bytes;
      // Headers are in front, and the interesting part.
      size_t reach = std::min<size_t>(damaged.size(), 1500);
      for (unsigned i = 0; i <= random() % 3; ++i) {
        size_t at = random() % reach;
        constexpr char extremes[] = {0,      1,   '\x7f', '\x80',
                                     '\xff', '"', '[',    '9'};
        if (random() % 2)
          damaged[at] ^= static_cast<char>(1 << random() % 8);
        else
          damaged[at] = extremes[random() % sizeof(extremes)];
      }
      read(parser, damaged);
    }
  EXPECT_GT(refused, 500u);
}

TEST_F(HostileInputTest, CutAndDoubledPieces) {
  std::mt19937 random(2);
  for (const auto &[parser, bytes] : sampleInputs())
    for (int round = 0; round < 200; ++round) {
      std::string damaged = bytes;
      size_t at = random() % damaged.size();
      size_t size = 1 + random() % 40;
      if (random() % 2)
        damaged.erase(at, size);
      else
        damaged.insert(random() % damaged.size(), damaged.substr(at, size));
      read(parser, damaged);
    }
  EXPECT_GT(refused, 500u);
}

} // namespace
