// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_PARAMETERFILES_H
#define LORI_TOOLS_DRIVER_PARAMETERFILES_H

#include "dialect/lori/LoriOps.h"
#include "runtime/formats/Adapter.h"
#include "runtime/formats/Checkpoint.h"
#include "runtime/formats/Safetensors.h"

#include <functional>
#include <map>
#include <span>

namespace lori {

/// The files behind a module's `lori.param`s, by the names that `#lori.source`
/// calls them. They must outlive this.
class ParameterFiles {
public:
  void addCheckpoint(const std::string &name, const Checkpoint &checkpoint);
  void addAdapter(const std::string &name, const Adapter &adapter);
  void addTensors(const std::string &name, const SafetensorsFile &tensors);

  /// Checks that each parameter of `module` lies in the files, in the type and
  /// shape that it is declared with; those of adapters may have a lower rank.
  /// Throws Error about `modulePath`.
  void check(mlir::ModuleOp module, const std::string &modulePath) const;

  /// Returns the bytes of layer `layer` of `param` (0 if it is not stacked).
  /// They lie in a mapped file, or in `scratch` where the stack is larger than
  /// the layer's own tensor and the rest is zero.
  std::span<const std::byte> read(mlir::lori::ParamOp param, int64_t layer,
                                  std::vector<std::byte> &scratch) const;

private:
  struct File {
    std::string path;
    bool isAdapter = false;
    std::function<const StoredTensor *(std::string_view)> find;
    std::function<std::span<const std::byte>(const StoredTensor &)> bytes;
  };
  struct Tensor {
    const File *file = nullptr;
    const StoredTensor *tensor = nullptr;
  };
  Tensor find(mlir::lori::SourceAttr source, int64_t layer) const;
  void checkLayer(mlir::lori::ParamOp param, int64_t layer,
                  const std::string &modulePath) const;

  std::map<std::string, File, std::less<>> files;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_PARAMETERFILES_H
