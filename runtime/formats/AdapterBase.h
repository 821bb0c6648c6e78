// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_FORMATS_ADAPTERBASE_H
#define LORI_RUNTIME_FORMATS_ADAPTERBASE_H

#include "runtime/formats/ModelTensors.h"
#include "runtime/formats/Safetensors.h"

namespace lori {

/// What an adapter is checked against: a checkpoint, or a compiled model.
class AdapterBase {
public:
  virtual ~AdapterBase() = default;

  /// The base's file or name, for messages and to compare names.
  virtual const std::string &path() const = 0;
  /// The matrices that an adapter can update, in model order.
  virtual std::vector<AdaptableModule> modules() const = 0;
  virtual bool hasTensor(const std::string &name) const = 0;
  /// Checks a tensor that an adapter carries in place of the base's `name`: its
  /// rows must be the base's, rows past them are told in `notes`. Throws Error.
  virtual void checkWhole(const std::string &name,
                          const SafetensorsFile &adapter,
                          const StoredTensor &stored,
                          std::vector<std::string> &notes) const = 0;
};

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_ADAPTERBASE_H
