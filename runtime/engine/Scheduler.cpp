// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/Scheduler.h"

#include <algorithm>

using namespace lori;

Scheduler::Scheduler(Model &model, size_t maxLogitsBytes)
    : model(model), maxRows(static_cast<size_t>(model.info().maxRows)),
      maxOutputs(std::max<size_t>(
          1, maxLogitsBytes / (static_cast<size_t>(model.info().logitsStride) *
                               sizeof(float)))) {}

void Scheduler::add(Job job) {
  if (job.prompt.empty())
    throw Error("the prompt is empty, it needs at least one token");
  waiting.push_back(std::move(job));
}

void Scheduler::admit() {
  while (!waiting.empty() &&
         static_cast<int64_t>(running.size()) < model.maxSequences()) {
    Active active;
    active.job = std::move(waiting.front());
    waiting.pop_front();
    if (!active.job.sequence)
      active.own.emplace(model);
    active.sequence().setAdapters(active.job.adapters);
    running.push_back(std::move(active));
  }
}

void Scheduler::plan(Active &active, const int32_t *tokens, size_t count,
                     size_t wanted) {
  parts.push_back({active.sequence().get(), tokens, count, wanted});
  planned.push_back({&active, count, wanted});
  rows += count;
  outputs += wanted;
}

void Scheduler::planTokens() {
  size_t jobs = running.size();
  for (size_t i = 0; i < jobs; ++i) {
    if (rows == maxRows || outputs == maxOutputs)
      return;
    Active &active = running[nextToken++ % jobs];
    if (active.picked)
      plan(active, &*active.picked, 1, 1);
  }
}

void Scheduler::planPrompts() {
  for (Active &active : running) {
    if (active.picked)
      continue;
    size_t left = active.job.prompt.size() - active.done;
    size_t count = std::min(left, maxRows - rows);
    size_t wanted = active.job.pick && count == left ? 1 : 0;
    if (active.job.promptLogits)
      wanted = count = std::min(count, maxOutputs - outputs);
    else if (outputs + wanted > maxOutputs)
      count = 0;
    if (count != 0)
      plan(active, active.job.prompt.data() + active.done, count, wanted);
  }
}

void Scheduler::finish(Active &active, bool contextFull) {
  active.finished = true;
  if (active.job.done)
    active.job.done(contextFull);
}

void Scheduler::deliverPick(Active &active, std::span<const float> logits) {
  active.picked = active.job.pick(logits);
  if (!active.picked)
    finish(active, false);
  else if (active.sequence().length() == model.info().context)
    finish(active, true);
}

void Scheduler::deliver(const Planned &part, Logits logits, size_t firstRow) {
  Active &active = *part.active;
  size_t lastRow = firstRow + part.outputs - 1;
  if (active.picked)
    return deliverPick(active, logits[lastRow]);
  if (active.job.promptLogits)
    for (size_t i = 0; i < part.outputs; ++i)
      active.job.promptLogits(active.done + i, logits[firstRow + i]);
  active.done += part.count;
  if (active.done < active.job.prompt.size())
    return;
  if (active.job.pick)
    deliverPick(active, logits[lastRow]);
  else
    finish(active, false);
}

bool Scheduler::step() {
  admit();
  if (running.empty())
    return false;
  parts.clear();
  planned.clear();
  rows = outputs = 0;
  planTokens();
  planPrompts();
  Logits logits = model.run(parts);
  size_t row = 0;
  for (const Planned &part : planned) {
    deliver(part, logits, row);
    row += part.outputs;
  }
  std::erase_if(running, [](const Active &active) { return active.finished; });
  return !running.empty() || !waiting.empty();
}
