// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One prompt, and its answer as it comes.

#include "runtime/program/Answer.h"
#include "runtime/program/Commands.h"
#include "runtime/program/Streams.h"

using namespace lori;

static std::vector<int32_t> readPrompt(const Text &text,
                                       const Options &options) {
  if (options.tokens)
    return *options.tokens;
  std::string given =
      options.prompt ? *options.prompt : readInput(*options.promptFile);
  if (options.chat)
    return text.conversation(std::vector<ChatMessage>{{"user", given}},
                             "--chat");
  return text.prompt(given, options.prompt ? "-p" : "-f");
}

void lori::runPrompt(Model &model, const Options &options) {
  Text text(model);
  if (!options.stops.empty())
    text.tokenizer("--stop");
  std::vector<int32_t> prompt = readPrompt(text, options);
  checkPrompt(model.info(), prompt);
  Sequence sequence(model);
  streamAnswer(model, options, text, sequence, std::move(prompt));
}
