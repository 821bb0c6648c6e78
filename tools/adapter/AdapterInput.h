// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_ADAPTERINPUT_H
#define LORI_TOOLS_ADAPTER_ADAPTERINPUT_H

#include "runtime/formats/AdapterPack.h"
#include "runtime/formats/Json.h"

namespace lori {

/// An adapter as the tools read it, checked, whether it is a PEFT directory or
/// a pack.
class AdapterInput {
public:
  /// Opens an adapter, without a base only checked for itself. Throws Error.
  static AdapterInput open(const std::string &path);
  static AdapterInput open(const std::string &path, const Checkpoint &base);

  /// The path as it was given.
  const std::string &path() const { return givenPath; }
  /// The PEFT directory, or null.
  const PeftAdapter *directory() const { return peft ? &*peft : nullptr; }
  /// The pack, or null.
  const AdapterPack *pack() const { return packed ? &*packed : nullptr; }

  /// adapter_config.json as it stands.
  const JsonValue &configRoot() const { return configuration; }
  const JsonValue::Object &config() const { return *configuration.object(); }
  const PeftConfig &peftConfig() const {
    return peft ? peft->config() : packed->peftConfig();
  }
  const std::string &configPath() const { return peftConfig().path(); }
  const SafetensorsFile &file() const {
    return peft ? peft->file() : packed->file();
  }

  /// In model order. B of a pack has no place in the file: use b().
  const std::vector<AdapterModule> &modules() const { return moduleList; }
  /// Returns the module at a path, or null.
  const AdapterModule *find(std::string_view modulePath) const;
  /// A as it is stored, or would be if it were not drawn.
  std::vector<std::byte> bytesOfA(const AdapterModule &module) const;
  /// A [rank, in] and B [out, rank], in f32.
  std::vector<float> a(const AdapterModule &module) const;
  std::vector<float> b(const AdapterModule &module) const;

  /// Tensors that replace the base's own: modules_to_save, resized embeddings.
  const std::vector<const StoredTensor *> &wholeTensors() const {
    return wholes;
  }
  const std::vector<std::string> &warnings() const { return warningList; }

private:
  size_t indexOf(const AdapterModule &module) const {
    return static_cast<size_t>(&module - moduleList.data());
  }
  AdapterInput(std::string path, PeftAdapter adapter);
  AdapterInput(std::string path, AdapterPack pack);

  std::string givenPath;
  std::optional<PeftAdapter> peft;
  std::optional<AdapterPack> packed;
  JsonValue configuration;
  std::vector<AdapterModule> moduleList;
  std::vector<const StoredTensor *> wholes;
  std::vector<std::string> warningList;
  std::unordered_map<std::string_view, size_t> byPath;
};

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_ADAPTERINPUT_H
