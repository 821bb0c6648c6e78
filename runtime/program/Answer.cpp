// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Answer.h"
#include "runtime/engine/Scheduler.h"
#include "runtime/program/Adapters.h"
#include "runtime/program/Npy.h"
#include "runtime/program/Streams.h"

#include <chrono>
#include <cstdio>
#include <unistd.h>

using namespace lori;
using Clock = std::chrono::steady_clock;

namespace {

/// Times the two phases and says so on a terminal.
class Timing {
public:
  void tokenPicked() {
    if (picked++ == 0)
      first = Clock::now();
  }

  void report(size_t promptTokens) const {
    if (!::isatty(STDERR_FILENO) || picked == 0)
      return;
    double reading = seconds(start, first),
           writing = seconds(first, Clock::now());
    std::fprintf(stderr, "%zu tokens read in %.2f s (%.1f/s)", promptTokens,
                 reading, rate(promptTokens, reading));
    if (picked > 1)
      std::fprintf(stderr, ", %zu written in %.2f s (%.1f/s)", picked, writing,
                   rate(picked - 1, writing));
    std::fputs("\n", stderr);
  }

private:
  static double seconds(Clock::time_point from, Clock::time_point to) {
    return std::chrono::duration<double>(to - from).count();
  }
  static double rate(size_t tokens, double time) {
    return static_cast<double>(tokens) / std::max(time, 1e-9);
  }

  Clock::time_point start = Clock::now(), first = start;
  size_t picked = 0;
};

} // namespace

static void streamText(Generation &generation) {
  generation.onText = [](std::string_view text) {
    writeOutput(text);
    flushOutput();
  };
}

static void streamTokens(Generation &generation) {
  generation.onToken = [&generation](int32_t token) {
    bool isFirst = generation.tokens().size() == 1;
    writeOutput((isFirst ? "" : ",") + std::to_string(token));
    flushOutput();
  };
}

static void noteFullContext(const ModelInfo &info, size_t tokens) {
  flushOutput();
  writeNote("the context of " + std::to_string(info.context) +
            " tokens is full, the answer ends after " + std::to_string(tokens) +
            " tokens");
}

Answer lori::streamAnswer(Model &model, const Options &options,
                          const Text &text, Sequence &sequence,
                          std::vector<int32_t> prompt) {
  Generation generation(model.info(), text.tokenizerOrNull(), options,
                        options.newTokens);
  if (options.printTokens || !text.available())
    streamTokens(generation);
  else
    streamText(generation);
  Timing timing;
  std::optional<NpyWriter> logits;
  size_t promptTokens = prompt.size();
  bool full = false;

  Job job;
  job.prompt = std::move(prompt);
  job.adapters = resolveAdapters(model, options.adapters);
  job.sequence = &sequence;
  if (options.newTokens > 0)
    job.pick = [&](std::span<const float> values) {
      timing.tokenPicked();
      return generation.pick(values);
    };
  if (options.logits) {
    logits.emplace(*options.logits, promptTokens, model.info().vocabulary);
    job.promptLogits = [&](size_t, std::span<const float> values) {
      logits->writeRow(values);
    };
  }
  job.done = [&](bool contextFull) { full = contextFull; };
  Scheduler scheduler(model);
  scheduler.add(std::move(job));
  scheduler.run();

  generation.finish();
  if (options.newTokens > 0)
    writeOutput("\n");
  flushOutput();
  if (logits)
    logits->commit();
  if (full)
    noteFullContext(model.info(), generation.tokens().size());
  timing.report(promptTokens);
  return {generation.tokens(), generation.text()};
}
