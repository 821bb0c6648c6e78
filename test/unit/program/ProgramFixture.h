// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TEST_UNIT_PROGRAM_PROGRAMFIXTURE_H
#define LORI_TEST_UNIT_PROGRAM_PROGRAMFIXTURE_H

#include "test/unit/program/FakeProgram.h"

namespace lori::fake {

using Ids = std::vector<int32_t>;

inline std::string join(const Ids &ids) {
  std::string text;
  for (int32_t id : ids)
    text += (text.empty() ? "" : ",") + std::to_string(id);
  return text;
}

/// The ids of a text in which nothing merges.
inline Ids bytesOf(std::string_view text) {
  Ids ids;
  for (char c : text)
    ids.push_back(3 + static_cast<unsigned char>(c));
  return ids;
}

/// Programs with a tokenizer and without, shared by the cases of a suite.
class ProgramFixture : public testing::Test {
protected:
  static void SetUpTestSuite() {
    program = new Program(textInfo());
    plain = new Program(info(), /*withTokenizer=*/false);
  }
  static void TearDownTestSuite() {
    delete program;
    delete plain;
  }
  static void expectOk(const Outcome &outcome) {
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
  }
  /// One line on standard error that begins so, and nothing else.
  static void expectError(const Outcome &outcome, int code,
                          const std::string &message) {
    EXPECT_EQ(outcome.code, code);
    EXPECT_EQ(outcome.err.find("prog: error: " + message), 0u) << outcome.err;
    EXPECT_EQ(outcome.err.find('\n'), outcome.err.size() - 1);
    EXPECT_EQ(outcome.out, "");
  }

  static inline Program *program = nullptr, *plain = nullptr;
};

} // namespace lori::fake

#endif // LORI_TEST_UNIT_PROGRAM_PROGRAMFIXTURE_H
