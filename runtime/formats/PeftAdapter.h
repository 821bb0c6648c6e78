// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_PEFTADAPTER_H
#define LORI_RUNTIME_FORMATS_PEFTADAPTER_H

#include "runtime/formats/AdapterBase.h"
#include "runtime/formats/Checkpoint.h"
#include "runtime/formats/ModelTensors.h"
#include "runtime/formats/PeftConfig.h"
#include "runtime/formats/Safetensors.h"

namespace lori {

/// One module with its low-rank update: W' = W + scaling * B * A. All entries
/// are finite.
struct AdapterModule {
  AdaptableModule module;
  StoredTensor a; ///< [rank, in], F32, F16 or BF16
  StoredTensor b; ///< [out, rank]; for the embedding, W is its transpose
  int64_t rank = 0;
  double scaling = 0;
  int64_t zeros = 0; ///< exact zeros in B

  double zeroFraction() const {
    return static_cast<double>(zeros) / static_cast<double>(b.entries());
  }
};

/// A PEFT directory, checked against the base that it is to be attached to.
class PeftAdapter {
public:
  /// Opens `path` (findAdapterFolder) and resolves rank and scaling of each
  /// module. Throws Error, naming file and tensor, if configuration, tensors
  /// and base do not agree in every module: names that the base lacks, other
  /// shapes or ranks, missing halves, modules that are targeted without
  /// tensors or have tensors without being targeted, NaN or infinities, whole
  /// matrices that differ from the base's, pickles.
  static PeftAdapter open(const std::string &path, const AdapterBase &base);
  static PeftAdapter open(const std::string &path, const Checkpoint &base);

  /// The folder in use.
  const std::string &path() const { return folder; }
  const PeftConfig &config() const { return peftConfig; }
  const SafetensorsFile &file() const { return *tensors; }
  /// In model order.
  const std::vector<AdapterModule> &modules() const { return moduleList; }
  std::span<const std::byte> bytes(const StoredTensor &tensor) const {
    return tensors->bytes(tensor);
  }
  /// The fraction of exact zeros in all B together: 0.9 in a usual LoRI-S.
  double zeroFraction() const;

  /// What a user should be told: doubts, and harmless facts.
  const std::vector<std::string> &warnings() const { return warningList; }
  const std::vector<std::string> &notes() const { return noteList; }

private:
  friend class PeftAdapterReader;
  explicit PeftAdapter(PeftConfig config) : peftConfig(std::move(config)) {}

  std::string folder;
  PeftConfig peftConfig;
  std::optional<SafetensorsFile> tensors;
  std::vector<AdapterModule> moduleList;
  std::vector<std::string> warningList, noteList;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_PEFTADAPTER_H
