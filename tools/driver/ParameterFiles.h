// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_PARAMETERFILES_H
#define LORI_TOOLS_DRIVER_PARAMETERFILES_H

#include "dialect/lori/LoriOps.h"
#include "runtime/formats/Checkpoint.h"
#include "runtime/formats/PeftAdapter.h"

#include <map>
#include <span>

namespace lori {

/// The files behind a module's `lori.param`s: a base and its adapters.
class ParameterFiles {
public:
  explicit ParameterFiles(const Checkpoint &base) : base(base) {}

  /// Makes `adapter` the file called `name`; it must outlive this.
  void addAdapter(const std::string &name, const PeftAdapter &adapter);

  /// Returns the bytes of layer `layer` of `param` (0 if it is not stacked).
  /// They lie in a mapped file, or in `scratch` where the stack is larger than
  /// the layer's own tensor and the rest is zero.
  std::span<const std::byte> read(mlir::lori::ParamOp param, int64_t layer,
                                  std::vector<std::byte> &scratch) const;

private:
  struct Tensor {
    const StoredTensor *tensor;
    std::span<const std::byte> bytes;
  };
  Tensor find(mlir::lori::SourceAttr source, int64_t layer) const;

  const Checkpoint &base;
  struct AdapterTensors {
    const PeftAdapter *adapter;
    std::map<std::string, const StoredTensor *, std::less<>> tensors;
  };
  std::map<std::string, AdapterTensors, std::less<>> adapters;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_PARAMETERFILES_H
