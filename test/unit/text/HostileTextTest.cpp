// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Damaged tokenizers and templates: each is read or refused by an Error of one
// line that names it, and nothing else happens. With sanitizers this is a small
// fuzzing run in every build.

#include "TextInputs.h"
#include "runtime/text/TokenizerBlob.h"
#include "test/unit/formats/SampleFiles.h"

#include <cstring>
#include <gtest/gtest.h>
#include <random>

using namespace lori;
using namespace lori::test;

namespace {

class HostileTextTest : public testing::Test {
protected:
  void use(const std::string &fuzzer, const std::string &bytes) {
    std::string message = errorOf([&] { useTextInput(fuzzer, bytes); });
    bool wasRefused = message != "no error";
    (wasRefused ? refused : accepted)++;
    if (!wasRefused)
      return;
    EXPECT_EQ(message.find('\n'), message.npos) << message;
    EXPECT_LT(message.size(), 600u) << message;
    if (fuzzer == "ChatTemplateFuzzer")
      EXPECT_TRUE(message.starts_with("chat template: ")) << message;
    lastMessage = message;
  }

  size_t accepted = 0, refused = 0;
  std::string lastMessage;
};

/// Sizes around which a cut changes something: all of a small input, and some
/// of a large one.
size_t stepOf(const std::string &bytes, size_t cuts) {
  return 1 + bytes.size() / cuts;
}

TEST_F(HostileTextTest, SamplesAreValid) {
  for (const auto &[fuzzer, bytes] : textInputs())
    // Some templates refuse a conversation with a system message.
    if (fuzzer != "ChatTemplateFuzzer") {
      use(fuzzer, bytes);
      EXPECT_EQ(refused, 0u) << lastMessage;
    }
  EXPECT_GT(accepted, 10u);
}

TEST_F(HostileTextTest, Truncations) {
  for (const auto &[fuzzer, bytes] : textInputs())
    for (size_t size = 0; size < bytes.size(); size += stepOf(bytes, 60))
      use(fuzzer, bytes.substr(0, size));
  EXPECT_GT(refused, 700u);
}

TEST_F(HostileTextTest, EveryTruncationOfAPackedTokenizerIsRefused) {
  std::string blob;
  for (const auto &[fuzzer, bytes] : textInputs())
    if (fuzzer == "TokenizerBlobFuzzer" && blob.empty())
      blob = bytes;
  ASSERT_LT(blob.size(), 5000u);
  for (size_t size = 0; size < blob.size(); ++size) {
    std::string cut = blob.substr(0, size);
    use("TokenizerBlobFuzzer", cut);
    // The header says another size than the file has; make it right.
    if (size >= sizeof(BlobHeader)) {
      uint64_t whole = size;
      std::memcpy(cut.data() + offsetof(BlobHeader, size), &whole,
                  sizeof(whole));
      use("TokenizerBlobFuzzer", cut);
    }
    EXPECT_TRUE(lastMessage.starts_with("hostile: the packed tokenizer"))
        << lastMessage;
  }
  EXPECT_EQ(accepted, 0u);
  use("TokenizerBlobFuzzer", blob + std::string(8, '\0'));
  EXPECT_EQ(accepted, 0u);
}

TEST_F(HostileTextTest, EveryFlippedBitOfAPackedTokenizer) {
  for (const auto &[fuzzer, bytes] : textInputs()) {
    if (fuzzer != "TokenizerBlobFuzzer")
      continue;
    for (size_t at = 0; at < bytes.size(); ++at)
      for (int bit = 0; bit < 8; ++bit) {
        std::string damaged = bytes;
        damaged[at] ^= static_cast<char>(1 << bit);
        use(fuzzer, damaged);
      }
    break; // the smallest comes first
  }
  EXPECT_GT(refused, 4000u);
}

TEST_F(HostileTextTest, ExtremeNumbersInPackedTokenizers) {
  std::mt19937 random(5);
  for (const auto &[fuzzer, bytes] : textInputs()) {
    if (fuzzer != "TokenizerBlobFuzzer")
      continue;
    for (int round = 0; round < 1500; ++round) {
      std::string damaged = bytes;
      for (unsigned i = 0; i <= random() % 3; ++i) {
        constexpr uint32_t extremes[] = {
            0,          1,          2,          0xFF,       0xFFFF,
            0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x00FFFFFF,
            0x10FFFF,   0xD800,     300,        40,         12};
        uint32_t value = extremes[random() % std::size(extremes)];
        size_t at = random() % (damaged.size() / 4) * 4;
        std::memcpy(damaged.data() + at, &value, sizeof(value));
      }
      use(fuzzer, damaged);
    }
  }
  EXPECT_GT(accepted, 100u);
  EXPECT_GT(refused, 100u);
}

TEST_F(HostileTextTest, FlippedBitsAndCutPieces) {
  std::mt19937 random(1);
  for (const auto &[fuzzer, bytes] : textInputs())
    for (int round = 0; round < 120; ++round) {
      std::string damaged = bytes;
      for (unsigned i = 0; i <= random() % 3; ++i) {
        size_t at = random() % damaged.size(), size = 1 + random() % 40;
        constexpr char extremes[] = {0,   1,   '\x7f', '\x80', '\xff', '"', '[',
                                     '9', '{', '}',    '\x12', '%',    '\\'};
        switch (random() % 4) {
        case 0:
          damaged[at] ^= static_cast<char>(1 << random() % 8);
          break;
        case 1:
          damaged[at] = extremes[random() % sizeof(extremes)];
          break;
        case 2:
          damaged.erase(at, size);
          break;
        default:
          damaged.insert(random() % damaged.size(), damaged.substr(at, size));
        }
        if (damaged.empty())
          break;
      }
      use(fuzzer, damaged);
    }
  EXPECT_GT(refused, 700u);
  EXPECT_GT(accepted, 100u);
}

} // namespace
