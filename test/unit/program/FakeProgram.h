// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TEST_UNIT_PROGRAM_FAKEPROGRAM_H
#define LORI_TEST_UNIT_PROGRAM_FAKEPROGRAM_H

#include "runtime/text/Tokenizer.h"
#include "test/unit/engine/FakeModel.h"
#include "test/unit/engine/TempFolder.h"

namespace lori::fake {

/// Bytes as ids 3 to 258, "he" as 259, "<s>" 1 and "</s>" 2 (special), "<|u|>"
/// 260 (special).
Tokenizer tokenizer();

/// Metadata that goes with the tokenizer and has a chat template (ChatML with
/// no default system prompt).
ModelInfo textInfo();

/// What a process left behind.
struct Outcome {
  int code = -1; ///< exit code; -1 for a signal
  std::string out, err;
};

/// A compiled program around the fake model, in a folder of its own.
class Program {
public:
  explicit Program(const ModelInfo &info, bool withTokenizer = true);

  /// One that lost its payload.
  Program();

  /// Standard output goes to `output` if that is given.
  Outcome run(const std::vector<std::string> &arguments,
              const std::string &input = "",
              const std::string &output = "") const;
  std::string path(const std::string &name) const { return folder / name; }

private:
  TempFolder folder;
};

} // namespace lori::fake

#endif // LORI_TEST_UNIT_PROGRAM_FAKEPROGRAM_H
