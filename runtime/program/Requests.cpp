// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --requests: all lines are read and checked, then run as one ragged batch.
// Answers come in the order of the lines, each as soon as those before it are
// out.

#include "runtime/engine/Scheduler.h"
#include "runtime/program/Commands.h"
#include "runtime/program/Generation.h"
#include "runtime/program/Request.h"
#include "runtime/program/Streams.h"

#include <memory>
#include <nlohmann/json.hpp>

using namespace lori;
using Json = nlohmann::ordered_json;

namespace {

/// The answers, and how many of them have been written.
class Answers {
public:
  Answers(const ModelInfo &info, bool hasText) : info(info), hasText(hasText) {}

  Generation &add(std::unique_ptr<Generation> generation) {
    entries.push_back({std::move(generation), false});
    return *entries.back().generation;
  }

  void done(size_t index, bool contextFull) {
    Generation &generation = *entries[index].generation;
    generation.finish();
    if (contextFull)
      writeNote("the context of " + std::to_string(info.context) +
                " tokens is full, answer " + std::to_string(index + 1) +
                " ends after " + std::to_string(generation.tokens().size()) +
                " tokens");
    entries[index].isDone = true;
    for (; written < entries.size() && entries[written].isDone; ++written)
      write(*entries[written].generation);
    flushOutput();
  }

private:
  struct Entry {
    std::unique_ptr<Generation> generation;
    bool isDone;
  };

  void write(const Generation &generation) {
    Json answer;
    answer["text"] = hasText ? Json(generation.text()) : Json();
    answer["tokens"] = generation.tokens();
    writeOutput(jsonLine(answer));
  }

  const ModelInfo &info;
  bool hasText;
  std::vector<Entry> entries;
  size_t written = 0;
};

} // namespace

void lori::runRequests(Model &model, const Options &options) {
  Text text(model);
  if (!options.stops.empty())
    text.tokenizer("--stop");
  std::vector<Request> requests;
  readLines(*options.requests, [&](size_t number, std::string_view line) {
    requests.push_back(parseRequest(line, linePlace(*options.requests, number),
                                    model, text, options));
  });
  Scheduler scheduler(model);
  Answers answers(model.info(), text.available());
  for (size_t index = 0; index < requests.size(); ++index) {
    Request &request = requests[index];
    Generation &generation = answers.add(std::make_unique<Generation>(
        model.info(), text.tokenizerOrNull(), options, request.newTokens));
    Job job;
    job.prompt = std::move(request.prompt);
    job.adapters = std::move(request.adapters);
    if (request.newTokens > 0)
      job.pick = [&generation](std::span<const float> logits) {
        return generation.pick(logits);
      };
    job.done = [&answers, index](bool contextFull) {
      answers.done(index, contextFull);
    };
    scheduler.add(std::move(job));
  }
  scheduler.run();
}
