// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_ENGINE_H
#define LORI_RUNTIME_ENGINE_ENGINE_H

#include "runtime/engine/AdapterBank.h"
#include "runtime/engine/Artefact.h"
#include "runtime/engine/Batch.h"
#include "runtime/engine/ModelInfo.h"
#include "runtime/engine/PagePool.h"
#include "runtime/engine/StepAbi.h"
#include "runtime/lori.h"

#include <memory>

namespace lori {

/// A compiled model that runs: its mapped parameters, the sequences' pages,
/// and the way from parts of sequences to calls of lori_step. The meaning of
/// the functions is that of the C interface (runtime/lori.h); they throw
/// EngineError, Error or std::bad_alloc and change nothing then.
class Engine {
public:
  /// Throws EngineError if this CPU lacks a feature that the code needs.
  Engine(Artefact artefact, const ModelCode &code);

  const ModelInfo &info() const { return model; }
  const ArtefactView &artefact() const { return *file.operator->(); }
  /// Sequences that can be open at once: the model's own number, or less where
  /// the address space is limited (ulimit -v).
  int64_t maxSequences() const { return static_cast<int64_t>(slots.size()); }

  /// Loads the PEFT directory `path` as `name`; returns its number.
  int32_t loadAdapter(const std::string &name, const std::string &path);
  void unloadAdapter(int32_t adapter);
  /// Numbers of adapters, compiled in and loaded, those of unloaded ones too.
  int32_t adapterCount() const;
  /// Returns null if there is none of that number.
  const AdapterInfo *adapter(int32_t number) const;
  /// Returns -1 if there is none.
  int32_t findAdapter(std::string_view name) const;

  lori_sequence openSequence();
  void closeSequence(lori_sequence sequence);
  int64_t length(lori_sequence sequence) const;
  void truncate(lori_sequence sequence, int64_t length);
  void setAdapters(lori_sequence sequence,
                   std::span<const lori_adapter_use> uses);

  const float *run(std::span<const lori_part> parts);

private:
  /// A loaded adapter, by its number in the bank, and its weight.
  struct LoadedUse {
    size_t number = 0;
    float scale = 0;
  };

  /// One row of the page table and what belongs to it.
  struct Slot {
    bool open = false;
    uint32_t opened = 0;       ///< how often; part of the handle
    int64_t length = 0;        ///< tokens in the cache
    int64_t pages = 0;         ///< allocated
    std::vector<float> scales; ///< of compiled-in adapters
    std::vector<LoadedUse> loaded;
    uint64_t lastRun = 0; ///< number of the last run that it took part in
  };

  int64_t slotIndex(lori_sequence sequence) const;
  Slot &slot(lori_sequence sequence) { return slots[slotIndex(sequence)]; }
  int32_t *pageRow(int64_t index);

  size_t check(std::span<const lori_part> parts);
  void allocatePages(std::span<const lori_part> parts);
  void releasePages(int64_t index, int64_t length);
  void reserveLogits(size_t rows);
  void runRows(std::span<const lori_part> parts);
  void runPart(const lori_part &part, float *&output);
  void step(float *&output);
  void checkLogits(size_t rows) const;

  Artefact file;
  ModelInfo model;
  ModelCode code;
  std::unique_ptr<AdapterBank> bank; ///< null until an adapter is loaded
  std::vector<Slot> slots;
  std::unique_ptr<PagePool> pool;
  std::vector<int32_t> pageTable; ///< [model.maxSequences, pagesPerSequence]
  Batch batch;
  struct Free {
    void operator()(float *pointer) const { ::free(pointer); }
  };
  std::unique_ptr<float, Free> logits;
  size_t logitsRows = 0;
  uint64_t runs = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_ENGINE_H
