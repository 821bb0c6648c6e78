// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// --perplexity: the text is cut into windows of the whole context, each run by
// itself; every token but a window's first is foretold from those before it in
// the window. A BOS that the model wants begins each window.

#include "runtime/engine/Scheduler.h"
#include "runtime/program/Adapters.h"
#include "runtime/program/Commands.h"
#include "runtime/program/Streams.h"
#include "runtime/program/Text.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <unistd.h>

using namespace lori;

namespace {

/// Mean and spread of the surprise, in nats a token.
class Surprise {
public:
  void add(std::span<const float> logits, int32_t next) {
    double highest = *std::ranges::max_element(logits), sum = 0;
    for (float logit : logits)
      sum += std::exp(logit - highest);
    double value = highest + std::log(sum) - logits[static_cast<size_t>(next)];
    // Welford's method; sums of squares would cancel.
    ++count;
    double distance = value - mean;
    mean += distance / static_cast<double>(count);
    squares += distance * (value - mean);
  }

  size_t tokens() const { return count; }
  double average() const { return mean; }
  /// Of the mean, taking the tokens as independent.
  double standardError() const {
    auto n = static_cast<double>(count);
    return count > 1 ? std::sqrt(squares / (n - 1) / n) : 0;
  }

private:
  size_t count = 0;
  double mean = 0, squares = 0;
};

} // namespace

static std::vector<std::vector<int32_t>>
cutWindows(const ModelInfo &info, const std::vector<int32_t> &ids) {
  size_t extra = info.addBos ? 1 : 0;
  size_t size = static_cast<size_t>(info.context) - extra;
  std::vector<std::vector<int32_t>> windows;
  for (size_t start = 0; start < ids.size() && size > 0; start += size) {
    auto part =
        std::span(ids).subspan(start, std::min(size, ids.size() - start));
    std::vector<int32_t> window;
    if (info.addBos)
      window.push_back(*info.bos);
    window.insert(window.end(), part.begin(), part.end());
    if (window.size() > 1)
      windows.push_back(std::move(window));
  }
  return windows;
}

namespace {

/// A line on a terminal, nothing in a pipe.
class Progress {
public:
  explicit Progress(size_t all) : all(all) {}
  ~Progress() {
    if (shown)
      std::fputs("\r\x1b[K", stderr);
  }

  void show(const Surprise &surprise) {
    auto now = std::chrono::steady_clock::now();
    if (!onTerminal || now < next)
      return;
    next = now + std::chrono::milliseconds(200);
    shown = true;
    std::fprintf(stderr, "\r%zu of %zu tokens, perplexity %.4f",
                 surprise.tokens(), all, std::exp(surprise.average()));
  }

private:
  size_t all;
  bool onTerminal = ::isatty(STDERR_FILENO), shown = false;
  std::chrono::steady_clock::time_point next;
};

} // namespace

static std::string describe(const Surprise &surprise, size_t windows,
                            int64_t context) {
  double perplexity = std::exp(surprise.average());
  char line[256];
  std::snprintf(line, sizeof(line),
                "perplexity %.4f +/- %.4f (%.5f +/- %.5f nats a token; %zu "
                "tokens in %zu window%s of %lld)\n",
                perplexity, perplexity * surprise.standardError(),
                surprise.average(), surprise.standardError(), surprise.tokens(),
                windows, windows == 1 ? "" : "s",
                static_cast<long long>(context));
  return line;
}

void lori::runPerplexity(Model &model, const Options &options) {
  Text text(model);
  const Tokenizer &tokenizer = text.tokenizer("--perplexity");
  auto windows =
      cutWindows(model.info(), tokenizer.encode(readInput(*options.perplexity),
                                                /*parseSpecial=*/true));
  if (windows.empty())
    throw Error(*options.perplexity,
                "the text is too short, it needs at least two tokens");
  Scheduler scheduler(model);
  Surprise surprise;
  size_t tokens = 0;
  for (const std::vector<int32_t> &window : windows)
    tokens += window.size() - 1;
  Progress progress(tokens);
  auto adapters = resolveAdapters(model, options.adapters);
  for (const std::vector<int32_t> &window : windows) {
    Job job;
    job.prompt = window;
    job.adapters = adapters;
    job.promptLogits = [&](size_t index, std::span<const float> logits) {
      if (index + 1 < window.size())
        surprise.add(logits, window[index + 1]);
      progress.show(surprise);
    };
    scheduler.add(std::move(job));
  }
  scheduler.run();
  writeOutput(describe(surprise, windows.size(), model.info().context));
}
