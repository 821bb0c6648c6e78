// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The adapter pack: a safetensors file that holds an adapter without B's zeros.
// Version 1, `P` a module's name with PEFT's prefix:
//
//   metadata  lori.pack      "1"
//             lori.config    adapter_config.json, byte for byte
//             lori.metadata  the metadata of adapter_model.safetensors, JSON
//             lori.modules   a row for each module in model order, JSON:
//                            [path, rank, scaling, checksum of A], and with
//                            lori.seed also A's columns and type
//             lori.seed      if all A's are drawn and not stored, JSON:
//                            {"seed": "42", "init": "kaiming_uniform"}
//             lori.data      checksum of all bytes after the header
//             lori.base      Checkpoint::fingerprint() of the base, if known
//   tensors   P.lora_A.weight   as it was; none with lori.seed: see
//                               SeededProjection.h
//             P.lora_B.mask    U8 [out, bytes a row]   MaskedRows
//             P.lora_B.values  [count]                 of B's type
//             or P.lora_B.weight as it was, where that is not larger
//             (for an embedding lora_embedding_A, lora_embedding_B.mask, ...)
//             tensors that replace the base's own, as they were
//
// Checksums are XXH3 of 128 bits, 32 hexadecimal digits.

#ifndef LORI_RUNTIME_FORMATS_ADAPTERPACK_H
#define LORI_RUNTIME_FORMATS_ADAPTERPACK_H

#include "runtime/formats/AdapterBase.h"
#include "runtime/formats/PeftAdapter.h"
#include "runtime/formats/SafetensorsWriter.h"
#include "runtime/formats/SeededProjection.h"

namespace lori {

/// A module of a pack; B is stored in full, or as mask and values.
struct PackedModule {
  AdaptableModule module;
  int64_t rank = 0;
  double scaling = 0;
  std::string checksum; ///< of A's bytes
  StoredTensor a;       ///< [rank, in], F32, F16 or BF16
  /// What A is drawn from; `a` then has no place in the file.
  std::optional<SeededProjection> drawn;
  StorageType bType = StorageType::F32;
  const StoredTensor *dense = nullptr; ///< [out, rank], or null
  const StoredTensor *mask = nullptr;  ///< or null, as `values`
  const StoredTensor *values = nullptr;
  int64_t zeros = 0; ///< exact zeros in B
};

/// A pack, mapped and checked: sizes, masks against values, the table against
/// the configuration, that all entries are finite. Not the checksums.
class AdapterPack {
public:
  /// Whether `path` is a file that says that it is a pack.
  static bool isPack(const std::string &path);

  /// Throws Error.
  explicit AdapterPack(const std::string &path);
  AdapterPack(AdapterPack &&) = default;
  AdapterPack &operator=(AdapterPack &&) = default;

  /// Throws Error if the adapter does not fit a base: names, sizes, modules
  /// that are targeted and missing. Returns harmless facts.
  std::vector<std::string> checkAgainst(const AdapterBase &base) const;
  /// Also if it was packed for another base of the same shape.
  std::vector<std::string> checkAgainst(const Checkpoint &base) const;
  /// Throws Error if bytes have changed since the pack was written.
  void checkSums() const;

  const SafetensorsFile &file() const { return tensors; }
  const std::string &configText() const { return *config; }
  const PeftConfig &peftConfig() const { return parsedConfig; }
  /// What all A's are drawn from, if they are not stored.
  const std::optional<ProjectionSeed> &seed() const { return projectionSeed; }
  /// The fingerprint of the base, or "".
  std::string baseFingerprint() const;
  /// The metadata of the PEFT file.
  SafetensorsWriter::Metadata originalMetadata() const;
  const std::vector<PackedModule> &modules() const { return moduleList; }
  /// Tensors that replace the base's own.
  const std::vector<const StoredTensor *> &wholeTensors() const {
    return wholes;
  }

  /// Returns the bytes of A [rank, in].
  std::vector<std::byte> bytesOfA(const PackedModule &module) const;
  /// Returns the bytes of B [out, rank].
  std::vector<std::byte> expandB(const PackedModule &module) const;

private:
  friend class AdapterPackReader;

  SafetensorsFile tensors;
  const std::string *config = nullptr;
  PeftConfig parsedConfig;
  std::optional<ProjectionSeed> projectionSeed;
  std::vector<PackedModule> moduleList;
  std::vector<const StoredTensor *> wholes;
};

/// Writes a PEFT adapter as a pack, which unpackAdapter() turns back into the
/// same configuration and tensors. `baseFingerprint` may be "". With `seed` the
/// A's are left out, which must be what it draws. Throws Error.
void packAdapter(const PeftAdapter &adapter, const std::string &baseFingerprint,
                 const std::string &output,
                 std::optional<ProjectionSeed> seed = {});

/// Writes a pack as a PEFT directory. Throws Error.
void unpackAdapter(const AdapterPack &pack, const std::string &output);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_ADAPTERPACK_H
