// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Adapters.h"
#include "runtime/program/Commands.h"
#include "runtime/program/Streams.h"
#include "runtime/threads/Threads.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

using namespace lori;
using Clock = std::chrono::steady_clock;

// Repeated until the numbers are steady enough, and no longer than this.
static constexpr size_t minRounds = 3, maxRounds = 15;
static constexpr double maxSeconds = 20;

namespace {

/// One measured phase: how many tokens a round takes, and the rounds' seconds.
struct Phase {
  int64_t tokens = 0;
  std::vector<double> seconds;

  nlohmann::ordered_json report() const {
    std::vector<double> sorted = seconds;
    std::ranges::sort(sorted);
    auto rate = [&](double time) {
      return static_cast<double>(tokens) / std::max(time, 1e-9);
    };
    return {{"tokens", tokens},
            {"best", rate(sorted.front())},
            {"median", rate(sorted[sorted.size() / 2])}};
  }
};

class Bench {
public:
  Bench(Model &model, const Options &options)
      : model(model), wanted(*options.bench),
        adapters(resolveAdapters(model, options.adapters)) {
    checkFits();
    prefill.tokens = wanted.prefill * wanted.batch;
    decode.tokens = wanted.decode * wanted.batch;
  }

  void run() {
    auto start = Clock::now();
    auto elapsed = [&] {
      return std::chrono::duration<double>(Clock::now() - start).count();
    };
    round(false); // maps the weights and starts the threads
    while (rounds() < minRounds ||
           (rounds() < maxRounds && elapsed() < maxSeconds))
      round(true);
  }

  std::string report() const {
    nlohmann::ordered_json json;
    json["model"] = model.info().name;
    json["threads"] = lori_threads();
    json["batch"] = wanted.batch;
    json["unit"] = "tokens/s";
    json["rounds"] = rounds();
    json["prefill"] = prefill.report();
    if (wanted.decode > 0)
      json["decode"] = decode.report();
    return json.dump();
  }

private:
  void checkFits() const {
    if (wanted.prefill + wanted.decode > model.info().context)
      throw Error("--bench: prefill and decode make " +
                  std::to_string(wanted.prefill + wanted.decode) +
                  " tokens, the context is " +
                  std::to_string(model.info().context) +
                  ", give smaller numbers or compile with a larger --context");
    if (wanted.batch > model.maxSequences())
      throw Error("--bench: this program runs at most " +
                  std::to_string(model.maxSequences()) + " sequences at once");
  }

  size_t rounds() const { return prefill.seconds.size(); }

  /// Any ids do: speed does not depend on them.
  int32_t token(int64_t index) const {
    return static_cast<int32_t>(index * 7919 % model.info().vocabulary);
  }

  void round(bool counted) {
    std::vector<Sequence> sequences;
    for (int64_t i = 0; i < wanted.batch; ++i)
      sequences.emplace_back(model).setAdapters(adapters);
    std::vector<int32_t> prompt(static_cast<size_t>(wanted.prefill));
    for (size_t i = 0; i < prompt.size(); ++i)
      prompt[i] = token(static_cast<int64_t>(i));
    double seconds = timed([&] { step(sequences, prompt); });
    if (counted)
      prefill.seconds.push_back(seconds);
    seconds = timed([&] {
      for (int64_t i = 0; i < wanted.decode; ++i) {
        prompt.assign(1, token(i));
        step(sequences, prompt);
      }
    });
    if (counted)
      decode.seconds.push_back(seconds);
  }

  void step(const std::vector<Sequence> &sequences,
            const std::vector<int32_t> &tokens) {
    std::vector<lori_part> parts;
    parts.reserve(sequences.size());
    for (const Sequence &sequence : sequences)
      parts.push_back({sequence.get(), tokens.data(), tokens.size(), 1});
    model.run(parts);
  }

  template <typename Action> static double timed(Action &&action) {
    auto start = Clock::now();
    action();
    return std::chrono::duration<double>(Clock::now() - start).count();
  }

  Model &model;
  BenchOptions wanted;
  std::vector<lori_adapter_use> adapters;
  Phase prefill, decode;
};

} // namespace

void lori::runBench(Model &model, const Options &options) {
  Bench bench(model, options);
  bench.run();
  writeOutput(bench.report() + "\n");
}
