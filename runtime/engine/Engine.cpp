// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/Engine.h"
#include "runtime/engine/CpuFeatures.h"
#include "runtime/engine/EngineError.h"

#include <cfloat>
#include <cmath>
#include <cstdlib>
#include <utility>

using namespace lori;

//===----------------------------------------------------------------------===//
// Opening
//===----------------------------------------------------------------------===//

/// Reads the metadata and refuses models that would die of an illegal
/// instruction here.
static ModelInfo readInfo(const ArtefactView &artefact) {
  ModelInfo info = parseModelInfo(artefact.metadata(), artefact.name());
  std::vector<std::string> missing = missingCpuFeatures(info.cpuFeatures);
  if (missing.empty())
    return info;
  std::string names;
  for (const std::string &name : missing)
    names += (names.empty() ? "" : ", ") + name;
  throw EngineError(LORI_ERROR_CPU,
                    "this CPU lacks " + names +
                        ", which the model was "
                        "compiled for (--cpu=" +
                        info.targetCpu +
                        "), compile it with --cpu=native on this machine or "
                        "with a lesser --cpu");
}

/// Reserves addresses for as many sequences as the limits allow.
static std::unique_ptr<PagePool> reservePool(const ModelInfo &model,
                                             int64_t &sequences) {
  for (sequences = model.maxSequences;; sequences /= 2) {
    try {
      return std::make_unique<PagePool>(sequences * model.pagesPerSequence,
                                        model.keyPageBytes,
                                        model.valuePageBytes);
    } catch (const Error &) {
      if (sequences == 1)
        throw;
    }
  }
}

Engine::Engine(Artefact artefact, const ModelCode &code)
    : file(std::move(artefact)), model(readInfo(*file.operator->())),
      code(code), pageTable(model.maxSequences * model.pagesPerSequence),
      batch(model.maxRows, model.adapters.size()) {
  int64_t sequences = 0;
  pool = reservePool(model, sequences);
  slots.resize(sequences);
  for (Slot &slot : slots)
    slot.scales.resize(model.adapters.size());
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

// A handle is the slot and how often it was opened, so that one kept after
// closing does not reach the slot's next sequence.
static lori_sequence makeHandle(int64_t index, uint32_t opened) {
  return int64_t(opened & 0x7fffffff) << 32 | index;
}

int64_t Engine::slotIndex(lori_sequence sequence) const {
  int64_t index = sequence & 0xffffffff;
  if (sequence < 0 || index >= maxSequences() || !slots[index].open ||
      makeHandle(index, slots[index].opened) != sequence)
    throw EngineError(LORI_ERROR_ARGUMENT, "no such sequence is open");
  return index;
}

int32_t *Engine::pageRow(int64_t index) {
  return pageTable.data() + index * model.pagesPerSequence;
}

lori_sequence Engine::openSequence() {
  auto found = std::ranges::find(slots, false, &Slot::open);
  if (found == slots.end())
    throw EngineError(LORI_ERROR_SEQUENCES,
                      "all " + std::to_string(slots.size()) +
                          " sequences are open, close one first");
  found->open = true;
  ++found->opened;
  std::ranges::fill(found->scales, 0.0f);
  return makeHandle(found - slots.begin(), found->opened);
}

void Engine::closeSequence(lori_sequence sequence) {
  truncate(sequence, 0);
  slot(sequence).open = false;
}

int64_t Engine::length(lori_sequence sequence) const {
  return slots[slotIndex(sequence)].length;
}

void Engine::truncate(lori_sequence sequence, int64_t length) {
  int64_t index = slotIndex(sequence);
  if (length < 0 || length > slots[index].length)
    throw EngineError(LORI_ERROR_ARGUMENT,
                      "cannot truncate a sequence of " +
                          std::to_string(slots[index].length) + " tokens to " +
                          std::to_string(length));
  slots[index].length = length;
  releasePages(index, length);
}

void Engine::setAdapters(lori_sequence sequence,
                         std::span<const lori_adapter_use> uses) {
  Slot &target = slot(sequence);
  std::vector<float> scales(model.adapters.size());
  std::vector<LoadedUse> loaded;
  for (const lori_adapter_use &use : uses) {
    const AdapterInfo *info = adapter(use.adapter);
    if (!info)
      throw EngineError(LORI_ERROR_ARGUMENT,
                        "adapter " + std::to_string(use.adapter) +
                            " is not one of the model's " +
                            std::to_string(adapterCount()));
    if (!std::isfinite(use.scale))
      throw EngineError(LORI_ERROR_ARGUMENT, "the weight of adapter '" +
                                                 info->name +
                                                 "' is not a finite number");
    auto number = static_cast<size_t>(use.adapter);
    if (number < scales.size())
      scales[number] += use.scale;
    else
      loaded.push_back({number - scales.size(), use.scale});
  }
  target.scales = std::move(scales);
  target.loaded = std::move(loaded);
}

//===----------------------------------------------------------------------===//
// Adapters
//===----------------------------------------------------------------------===//

int32_t Engine::adapterCount() const {
  return static_cast<int32_t>(model.adapters.size() +
                              (bank ? bank->size() : 0));
}

const AdapterInfo *Engine::adapter(int32_t number) const {
  if (number < 0)
    return nullptr;
  auto index = static_cast<size_t>(number);
  if (index < model.adapters.size())
    return &model.adapters[index];
  return bank ? bank->info(index - model.adapters.size()) : nullptr;
}

int32_t Engine::findAdapter(std::string_view name) const {
  for (int32_t i = 0; i < adapterCount(); ++i)
    if (const AdapterInfo *info = adapter(i); info && info->name == name)
      return i;
  return -1;
}

int32_t Engine::loadAdapter(const std::string &name, const std::string &path) {
  if (name.empty())
    throw EngineError(LORI_ERROR_ARGUMENT, "an adapter needs a name");
  if (findAdapter(name) >= 0 ||
      std::ranges::find(model.fused, name) != model.fused.end())
    throw EngineError(LORI_ERROR_ARGUMENT,
                      "there is an adapter '" + name +
                          "' already, load it under another name");
  if (model.bank.sites.empty() || !code.writeF32)
    throw EngineError(LORI_ERROR_ARGUMENT,
                      "the model was compiled without a place for adapters");
  if (!bank)
    bank = std::make_unique<AdapterBank>(model, code);
  return static_cast<int32_t>(model.adapters.size() + bank->load(name, path));
}

void Engine::unloadAdapter(int32_t number) {
  const AdapterInfo *info = adapter(number);
  auto compiled = static_cast<int32_t>(model.adapters.size());
  if (!info || number < compiled)
    throw EngineError(LORI_ERROR_ARGUMENT, "adapter " + std::to_string(number) +
                                               " is not one that was loaded");
  auto index = static_cast<size_t>(number - compiled);
  for (const Slot &slot : slots)
    for (const LoadedUse &use : slot.loaded)
      if (slot.open && use.number == index)
        throw EngineError(LORI_ERROR_ARGUMENT,
                          "adapter '" + info->name +
                              "' is in use by a sequence, close that or set "
                              "its adapters first");
  bank->unload(index);
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

/// Returns the number of rows of logits wanted.
size_t Engine::check(std::span<const lori_part> parts) {
  ++runs;
  size_t outputs = 0;
  for (const lori_part &part : parts) {
    Slot &target = slot(part.sequence);
    if (std::exchange(target.lastRun, runs) == runs)
      throw EngineError(LORI_ERROR_ARGUMENT, "a sequence is given twice");
    if (part.outputs > part.count || (part.count != 0 && !part.tokens))
      throw EngineError(LORI_ERROR_ARGUMENT,
                        "a part wants more logits than it has tokens");
    if (part.count > static_cast<size_t>(model.context - target.length))
      throw EngineError(
          LORI_ERROR_CONTEXT,
          "the context is full: " + std::to_string(target.length) + " and " +
              std::to_string(part.count) + " more tokens do not fit the " +
              std::to_string(model.context) +
              " that the model was compiled for (--context)");
    for (int32_t token : std::span(part.tokens, part.count))
      if (token < 0 || token >= model.vocabulary)
        throw EngineError(LORI_ERROR_ARGUMENT,
                          "token " + std::to_string(token) +
                              " is not in the vocabulary, ids are 0 to " +
                              std::to_string(model.vocabulary - 1));
    outputs += part.outputs;
  }
  return outputs;
}

static int64_t pagesFor(int64_t length) {
  return (length + LORI_PAGE_TOKENS - 1) / LORI_PAGE_TOKENS;
}

void Engine::releasePages(int64_t index, int64_t length) {
  Slot &target = slots[index];
  while (target.pages > pagesFor(length)) {
    int32_t &page = pageRow(index)[--target.pages];
    pool->release(std::exchange(page, 0));
  }
}

void Engine::allocatePages(std::span<const lori_part> parts) {
  for (const lori_part &part : parts) {
    int64_t index = slotIndex(part.sequence);
    Slot &target = slots[index];
    int64_t needed = pagesFor(target.length + static_cast<int64_t>(part.count));
    while (target.pages < needed) {
      pageRow(index)[target.pages] = pool->allocate();
      ++target.pages;
    }
  }
}

void Engine::reserveLogits(size_t rows) {
  if (rows <= logitsRows)
    return;
  size_t bytes = 0;
  if (__builtin_mul_overflow(rows, model.logitsStride * sizeof(float), &bytes))
    throw std::bad_alloc();
  bytes = (bytes + 63) / 64 * 64;
  logits.reset();
  logitsRows = 0;
  logits.reset(static_cast<float *>(std::aligned_alloc(64, bytes)));
  if (!logits)
    throw std::bad_alloc();
  logitsRows = rows;
}

void Engine::step(float *&output) {
  code.step(static_cast<int64_t>(batch.rows),
            static_cast<int64_t>(batch.outputs), batch.tokens.data(),
            batch.positions.data(), batch.sequences.data(),
            batch.outputRows.data(), batch.scales.data(), pageTable.data(),
            artefact().parameters().data(),
            static_cast<int64_t>(batch.useScales.size()), batch.uses.data(),
            batch.useScales.data(), bank ? bank->data() : nullptr, pool->keys(),
            pool->values(), output);
  output += batch.outputs * model.logitsStride;
  batch.clear();
}

void Engine::runPart(const lori_part &part, float *&output) {
  int64_t index = slotIndex(part.sequence);
  const Slot &source = slots[index];
  size_t firstRow = batch.rows, firstOutput = batch.outputs;
  auto addUses = [&] {
    for (const LoadedUse &use : source.loaded)
      if (use.scale != 0 && batch.rows != firstRow)
        bank->appendSites(use.number,
                          batch.addUse(firstRow, firstOutput, use.scale));
  };
  for (size_t i = 0; i < part.count; ++i) {
    bool wanted = i >= part.count - part.outputs;
    batch.add(part.tokens[i], source.length + static_cast<int64_t>(i), index,
              source.scales, wanted);
    if (!batch.full())
      continue;
    addUses();
    step(output);
    firstRow = firstOutput = 0;
  }
  addUses();
}

void Engine::runRows(std::span<const lori_part> parts) {
  float *output = logits.get();
  for (const lori_part &part : parts)
    runPart(part, output);
  if (!batch.empty())
    step(output);
}

void Engine::checkLogits(size_t rows) const {
  for (size_t row = 0; row < rows; ++row) {
    const float *values = logits.get() + row * model.logitsStride;
    bool bad = false;
    // -inf may rule a token out; NaN and +inf leave nothing to choose by.
    for (int64_t i = 0; i < model.vocabulary; ++i)
      bad |= !(values[i] <= FLT_MAX);
    if (bad)
      throw EngineError(LORI_ERROR_NUMBER,
                        "the model gives NaN or infinite logits: its weights "
                        "or an adapter's hold such numbers, or overflow");
  }
}

const float *Engine::run(std::span<const lori_part> parts) {
  size_t outputs = check(parts);
  reserveLogits(outputs);
  try {
    allocatePages(parts);
    runRows(parts);
    checkLogits(outputs);
  } catch (...) {
    for (const lori_part &part : parts)
      releasePages(slotIndex(part.sequence), slot(part.sequence).length);
    throw;
  }
  for (const lori_part &part : parts)
    slot(part.sequence).length += static_cast<int64_t>(part.count);
  return logits.get();
}
