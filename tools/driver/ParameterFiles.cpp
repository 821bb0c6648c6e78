// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ParameterFiles.h"
#include "runtime/support/Error.h"

#include <cstring>

using namespace lori;

void ParameterFiles::addAdapter(const std::string &name,
                                const PeftAdapter &adapter) {
  AdapterTensors &entry = adapters[name];
  entry.adapter = &adapter;
  for (const AdapterModule &module : adapter.modules()) {
    entry.tensors[module.module.path + ".lora_A.weight"] = &module.a;
    entry.tensors[module.module.path + ".lora_B.weight"] = &module.b;
  }
}

ParameterFiles::Tensor ParameterFiles::find(mlir::lori::SourceAttr source,
                                            int64_t layer) const {
  std::string name = source.getName().str();
  if (!source.getLayers().empty()) {
    int64_t number = source.getLayers()[layer];
    if (number < 0)
      return {nullptr, {}};
    name.replace(name.find('*'), 1, std::to_string(number));
  }
  if (source.getFile() == "base") {
    const StoredTensor *tensor = base.find(name);
    if (!tensor)
      throw Error(base.path(), "has no tensor '" + name + "'");
    return {tensor, base.bytes(*tensor)};
  }
  auto file = adapters.find(std::string_view(source.getFile().getValue()));
  if (file == adapters.end())
    throw Error(source.getFile().str(),
                "is not among the adapters; give it with --adapter");
  auto tensor = file->second.tensors.find(name);
  if (tensor == file->second.tensors.end())
    throw Error(file->second.adapter->path(), "has no tensor '" + name + "'");
  return {tensor->second, file->second.adapter->bytes(*tensor->second)};
}

std::span<const std::byte>
ParameterFiles::read(mlir::lori::ParamOp param, int64_t layer,
                     std::vector<std::byte> &scratch) const {
  auto type = mlir::cast<mlir::RankedTensorType>(param.getType());
  if (param.isStacked())
    type = mlir::lori::getLayerType(type);
  auto wanted = static_cast<size_t>(mlir::lori::getStorageBytes(type));
  auto [tensor, bytes] = find(param.getSource(), layer);
  if (tensor && bytes.size() == wanted)
    return bytes;
  // An absent module, or one of a lower rank: the rest is zero.
  scratch.assign(wanted, std::byte(0));
  if (!tensor)
    return scratch;
  if (type.getRank() != 2 || tensor->shape.size() != 2 ||
      tensor->shape[0] > type.getDimSize(0) ||
      tensor->shape[1] > type.getDimSize(1))
    throw Error(base.path(), "tensor '" + tensor->name + "' has shape " +
                                 shapeText(tensor->shape) +
                                 ", which its parameter cannot hold");
  size_t rows = static_cast<size_t>(tensor->shape[0]);
  size_t rowBytes = bytes.size() / rows;
  size_t stride = wanted / static_cast<size_t>(type.getDimSize(0));
  for (size_t row = 0; row < rows; ++row)
    std::memcpy(scratch.data() + row * stride, bytes.data() + row * rowBytes,
                rowBytes);
  return scratch;
}
