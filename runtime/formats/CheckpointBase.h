// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_CHECKPOINTBASE_H
#define LORI_RUNTIME_FORMATS_CHECKPOINTBASE_H

#include "runtime/formats/AdapterBase.h"
#include "runtime/formats/AdapterTables.h"
#include "runtime/formats/Checkpoint.h"

namespace lori {

/// A checkpoint as the base of adapters; must outlive this object.
class CheckpointBase final : public AdapterBase {
public:
  explicit CheckpointBase(const Checkpoint &base) : base(base) {}

  const std::string &path() const override { return base.path(); }
  std::vector<AdaptableModule> modules() const override {
    return adaptableModules(base.config());
  }
  bool hasTensor(const std::string &name) const override {
    return base.find(name) != nullptr;
  }
  void checkWhole(const std::string &name, const SafetensorsFile &adapter,
                  const StoredTensor &stored,
                  std::vector<std::string> &notes) const override {
    checkWholeTensor(base, name, adapter, stored, notes);
  }

private:
  const Checkpoint &base;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_CHECKPOINTBASE_H
