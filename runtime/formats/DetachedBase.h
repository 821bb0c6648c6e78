// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_DETACHEDBASE_H
#define LORI_RUNTIME_FORMATS_DETACHEDBASE_H

#include "runtime/formats/AdapterBase.h"

namespace lori {

/// Stands for the base of an adapter where there is none to check it against:
/// the modules, and their sizes, are those that the adapter has tensors for.
class DetachedBase final : public AdapterBase {
public:
  /// `name` is what the adapter's configuration calls its base.
  DetachedBase(const SafetensorsFile &adapter, std::string name);

  const std::string &path() const override { return name; }
  std::vector<AdaptableModule> modules() const override { return moduleList; }
  bool hasTensor(const std::string &) const override { return true; }
  void checkWhole(const std::string &, const SafetensorsFile &,
                  const StoredTensor &,
                  std::vector<std::string> &) const override {}

private:
  std::string name;
  std::vector<AdaptableModule> moduleList;
};

/// Whether the module `a` comes before `b` in models of the Llama family:
/// embedding, layers by index, in each q k v o gate up down, then the rest.
bool comesBefore(const AdaptableModule &a, const AdaptableModule &b);

/// Returns kind and layer of the module at `path`, sizes unknown.
AdaptableModule moduleFromPath(const std::string &path);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_DETACHEDBASE_H
