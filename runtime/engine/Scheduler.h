// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_SCHEDULER_H
#define LORI_RUNTIME_ENGINE_SCHEDULER_H

#include "runtime/engine/Model.h"

#include <deque>
#include <functional>
#include <optional>

namespace lori {

/// One prompt and what becomes of it. The functions are called from within
/// Scheduler::step, in the order of the tokens; what they throw ends the run.
struct Job {
  /// Not empty, ids of the vocabulary, no longer than the context.
  std::vector<int32_t> prompt;
  std::vector<lori_adapter_use> adapters;
  /// A sequence to append to, in place of one of the job's own.
  Sequence *sequence = nullptr;
  /// Given the logits after the prompt and then after each token it returned:
  /// the next token, or none to end the job. May be empty: nothing follows.
  std::function<std::optional<int32_t>(std::span<const float>)> pick;
  /// If given, called with the logits after each token of the prompt.
  std::function<void(size_t index, std::span<const float>)> promptLogits;
  /// Called last; `contextFull` if a token was picked that has no place.
  std::function<void(bool contextFull)> done;
};

/// Runs jobs together, as many as the model has sequences; the others wait in
/// order. Each step first advances every sequence that generates by its token,
/// then gives the rows that are left to prompts, oldest first.
class Scheduler {
public:
  /// Logits of whole prompts are taken in slices of `maxLogitsBytes`.
  explicit Scheduler(Model &model, size_t maxLogitsBytes = size_t(64) << 20);

  /// Throws Error if the prompt is empty.
  void add(Job job);
  /// Runs one batch; false if no job is left.
  bool step();
  void run() {
    while (step()) {
    }
  }

private:
  struct Active {
    Job job;
    std::optional<Sequence> own;
    size_t done = 0;               ///< prompt tokens that were run
    std::optional<int32_t> picked; ///< token to run next
    bool finished = false;

    Sequence &sequence() { return job.sequence ? *job.sequence : *own; }
  };
  struct Planned {
    Active *active;
    size_t count, outputs;
  };

  void admit();
  void planTokens();
  void planPrompts();
  void plan(Active &active, const int32_t *tokens, size_t count,
            size_t outputs);
  void deliver(const Planned &planned, Logits logits, size_t firstRow);
  void deliverPick(Active &active, std::span<const float> logits);
  void finish(Active &active, bool contextFull);

  Model &model;
  size_t maxRows, maxOutputs;
  std::deque<Job> waiting;
  std::deque<Active> running; ///< addresses stay when others are appended
  size_t nextToken = 0;       ///< whose turn it is if not all fit a step
  std::vector<lori_part> parts;
  std::vector<Planned> planned;
  size_t rows = 0, outputs = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_SCHEDULER_H
