// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Turns of a conversation. Each turn is the whole conversation, rendered anew;
// what its ids have in common with those in the cache is not computed again.

#include "runtime/program/Answer.h"
#include "runtime/program/Commands.h"
#include "runtime/program/Streams.h"

#include <algorithm>
#include <cstdio>
#include <unistd.h>

using namespace lori;

namespace {

class Conversation {
public:
  Conversation(Model &model, const Options &options)
      : model(model), options(options), text(model), sequence(model) {
    // A model that cannot chat says so before the first turn.
    text.conversation(std::vector<ChatMessage>{{"user", ""}}, "--chat");
  }

  void turn(std::string_view line) {
    messages.push_back({"user", std::string(line)});
    std::vector<int32_t> ids = text.conversation(messages, "--chat");
    checkFits(ids.size());
    // The last id runs in any case: its logits are wanted.
    auto common = std::ranges::mismatch(ids, cached).in1 - ids.begin();
    auto kept = std::min<ptrdiff_t>(common, std::ssize(ids) - 1);
    sequence.truncate(kept);
    Answer answer = streamAnswer(model, options, text, sequence,
                                 {ids.begin() + kept, ids.end()});
    messages.push_back({"assistant", answer.text});
    cached = std::move(ids);
    cached.insert(cached.end(), answer.tokens.begin(), answer.tokens.end());
    // The token that ended the answer was not run.
    cached.resize(static_cast<size_t>(sequence.length()));
  }

private:
  void checkFits(size_t tokens) const {
    if (tokens > static_cast<size_t>(model.info().context))
      throw Error("the conversation has " + std::to_string(tokens) +
                  " tokens, the context is " +
                  std::to_string(model.info().context) +
                  ", start a new one or compile with a larger --context");
  }

  Model &model;
  const Options &options;
  Text text;
  Sequence sequence;
  std::vector<ChatMessage> messages;
  std::vector<int32_t> cached; ///< ids in the sequence
};

} // namespace

static void askForLine(bool onTerminal) {
  if (!onTerminal)
    return;
  writeOutput("> ");
  flushOutput();
}

void lori::runChat(Model &model, const Options &options) {
  bool onTerminal = ::isatty(STDIN_FILENO) && ::isatty(STDOUT_FILENO);
  Conversation conversation(model, options);
  askForLine(onTerminal);
  readLines("-", [&](size_t, std::string_view line) {
    conversation.turn(line);
    askForLine(onTerminal);
  });
  if (onTerminal)
    writeOutput("\n");
}
