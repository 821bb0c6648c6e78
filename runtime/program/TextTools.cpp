// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --tokenize, --detokenize and --render-chat: a line of JSON in, one out. Each
// answer is written as soon as its line was read, so that another program can
// keep one of these running and ask it.

#include "runtime/program/Commands.h"
#include "runtime/program/Request.h"
#include "runtime/program/Streams.h"

#include <nlohmann/json.hpp>

using namespace lori;
using Json = nlohmann::json;

/// Answers each line of `path` by `answer`; errors name the line.
template <typename Answer>
static void answerLines(const std::string &path, Answer &&answer) {
  readLines(path, [&](size_t number, std::string_view line) {
    try {
      Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
      if (json.is_discarded())
        throw Error("not JSON");
      writeOutput(jsonLine(answer(json)));
      flushOutput();
    } catch (const Error &error) {
      throw Error(linePlace(path, number), error.what());
    }
  });
}

void lori::runTokenize(const Model &model, const std::string &path) {
  Text text(model);
  const Tokenizer &tokenizer = text.tokenizer("--tokenize");
  answerLines(path, [&](const Json &line) -> Json {
    if (!line.is_string())
      throw Error("expected a JSON string");
    return tokenizer.encode(line.get_ref<const std::string &>(),
                            /*parseSpecial=*/true);
  });
}

void lori::runDetokenize(const Model &model, const std::string &path) {
  Text text(model);
  const Tokenizer &tokenizer = text.tokenizer("--detokenize");
  answerLines(path, [&](const Json &line) -> Json {
    return tokenizer.decode(parseIds(line), /*skipSpecial=*/false);
  });
}

void lori::runRenderChat(const Model &model, const std::string &path) {
  Text text(model);
  answerLines(path,
              [&](const Json &line) -> Json { return renderLine(line, text); });
}
