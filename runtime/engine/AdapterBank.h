// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_ENGINE_ADAPTERBANK_H
#define LORI_RUNTIME_ENGINE_ADAPTERBANK_H

#include "runtime/engine/ModelInfo.h"
#include "runtime/engine/ReservedRange.h"
#include "runtime/engine/StepAbi.h"
#include "runtime/formats/Adapter.h"

#include <optional>

namespace lori {

/// Functions of a compiled model.
struct ModelCode {
  decltype(&lori_step) step = nullptr;
  /// By the type that a file stores a factor in.
  decltype(&lori_write_f32) writeF32 = nullptr, writeF16 = nullptr,
                            writeBf16 = nullptr;
};

/// The adapters that were loaded while the program runs. Compiled code lays
/// their factors out; this class says where.
class AdapterBank {
public:
  /// Throws Error if there are no addresses left.
  AdapterBank(const ModelInfo &model, const ModelCode &code);

  /// Loads the PEFT directory `path` under `name`; returns its number. Throws
  /// Error for what Adapter refuses, std::bad_alloc.
  size_t load(const std::string &name, const std::string &path);
  /// Frees the memory of adapter `number`, which exists.
  void unload(size_t number);

  /// Numbers given out so far; those of unloaded adapters are used again.
  size_t size() const { return adapters.size(); }
  /// The adapter of a number, or null.
  const AdapterInfo *info(size_t number) const;
  /// Appends what `uses` of StepAbi.h says of the adapter after its rows.
  void appendSites(size_t number, std::vector<int64_t> &uses) const;
  const void *data() const { return memory->data(); }

private:
  /// A part of the memory.
  struct Block {
    size_t offset = 0, bytes = 0;
  };
  /// Where the factors of one site lie: for each layer the scaling, A and B.
  struct Place {
    int64_t rank = 0;
    size_t offset = 0;
  };
  struct Loaded {
    AdapterInfo info;
    Block block;
    std::vector<Place> places;
  };

  Block allocate(size_t bytes);
  std::vector<Place> placeSites(const Adapter &adapter) const;
  size_t shrinkFloats(const BankSite &site, int64_t rank) const;
  size_t layerBytes(const BankSite &site, int64_t rank) const;
  void writeModule(const Adapter &adapter, const AdapterModule &module,
                   const Loaded &loaded);
  void write(const Adapter &adapter, const StoredTensor &tensor,
             int64_t paddedRows, int64_t paddedColumns, float *to) const;
  int64_t padded(int64_t rows) const;
  size_t siteOf(const AdaptableModule &module) const;

  const ModelInfo &model;
  ModelCode code;
  std::optional<ReservedRange> memory;
  size_t used = 0;
  std::vector<Block> unused;
  std::vector<std::optional<Loaded>> adapters;
};

} // namespace lori

#endif // LORI_RUNTIME_ENGINE_ADAPTERBANK_H
