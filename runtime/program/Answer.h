// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_ANSWER_H
#define LORI_RUNTIME_PROGRAM_ANSWER_H

#include "runtime/program/Generation.h"

namespace lori {

/// What became of a prompt.
struct Answer {
  std::vector<int32_t> tokens;
  std::string text;
};

/// Appends `prompt` to `sequence` with the adapters of the command line, and
/// streams the answer to standard output: text, or ids with --print-tokens and
/// where there is no tokenizer. Writes --logits. A full context is a note.
Answer streamAnswer(Model &model, const Options &options, const Text &text,
                    Sequence &sequence, std::vector<int32_t> prompt);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_ANSWER_H
