// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_ADAPTER_H
#define LORI_RUNTIME_FORMATS_ADAPTER_H

#include "runtime/formats/AdapterPack.h"
#include "runtime/formats/PeftAdapter.h"

#include <variant>

namespace lori {

/// An adapter that fits a base, be it a PEFT directory or a pack. What a pack
/// does not store is made in memory.
class Adapter {
public:
  /// Throws Error for what PeftAdapter or AdapterPack refuse.
  static Adapter open(const std::string &path, const AdapterBase &base);
  static Adapter open(const std::string &path, const Checkpoint &base);

  /// The folder in use, or the pack.
  const std::string &path() const;
  const PeftConfig &config() const;
  const SafetensorsFile &file() const;

  /// In model order.
  const std::vector<AdapterModule> &modules() const { return moduleList; }
  /// Returns the bytes of a module's A or B.
  std::span<const std::byte> bytes(const StoredTensor &tensor) const;

  /// What a user should be told: doubts, and harmless facts.
  const std::vector<std::string> &warnings() const { return warningList; }
  const std::vector<std::string> &notes() const { return noteList; }

private:
  template <typename Base>
  static Adapter openFor(const std::string &path, const Base &base);
  explicit Adapter(PeftAdapter adapter);
  explicit Adapter(AdapterPack pack);
  void addModule(const PackedModule &packed);
  /// Places `tensor` at the end of `made` and returns its bytes to write.
  std::span<std::byte> place(StoredTensor &tensor);

  std::variant<PeftAdapter, AdapterPack> source;
  std::vector<AdapterModule> moduleList;
  std::vector<std::byte> made;
  std::vector<std::string> warningList, noteList;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_ADAPTER_H
