// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ParameterFiles.h"
#include "runtime/support/Error.h"
#include "tools/import/Import.h"

#include <cstring>

using namespace lori;
using mlir::RankedTensorType;
using mlir::lori::ParamOp;

void ParameterFiles::addCheckpoint(const std::string &name,
                                   const Checkpoint &checkpoint) {
  files[name] = {
      checkpoint.path(), false,
      [&](std::string_view tensor) { return checkpoint.find(tensor); },
      [&](const StoredTensor &tensor) { return checkpoint.bytes(tensor); }};
}

void ParameterFiles::addAdapter(const std::string &name,
                                const Adapter &adapter) {
  std::map<std::string, const StoredTensor *, std::less<>> tensors;
  for (const AdapterModule &module : adapter.modules()) {
    tensors[module.module.path + ".lora_A.weight"] = &module.a;
    tensors[module.module.path + ".lora_B.weight"] = &module.b;
  }
  files[name] = {
      adapter.path(), true,
      [tensors = std::move(tensors)](std::string_view tensor) {
        auto found = tensors.find(tensor);
        return found == tensors.end() ? nullptr : found->second;
      },
      [&](const StoredTensor &tensor) { return adapter.bytes(tensor); }};
}

void ParameterFiles::addTensors(const std::string &name,
                                const SafetensorsFile &tensors) {
  files[name] = {
      tensors.path(), false,
      [&](std::string_view tensor) { return tensors.find(tensor); },
      [&](const StoredTensor &tensor) { return tensors.bytes(tensor); }};
}

ParameterFiles::Tensor ParameterFiles::find(mlir::lori::SourceAttr source,
                                            int64_t layer) const {
  std::string name = source.getName().str();
  if (!source.getLayers().empty()) {
    int64_t number = source.getLayers()[layer];
    if (number < 0)
      return {};
    name.replace(name.find('*'), 1, std::to_string(number));
  }
  auto file = files.find(std::string_view(source.getFile().getValue()));
  if (file == files.end())
    throw Error("a parameter lies in the file '" + source.getFile().str() +
                "', which lori.files does not name; add it there");
  const StoredTensor *tensor = file->second.find(name);
  if (!tensor)
    throw Error(file->second.path, "has no tensor '" + name + "'");
  return {&file->second, tensor};
}

/// Returns the type of what is read of `param` at once.
static RankedTensorType pieceType(ParamOp param) {
  auto type = mlir::cast<RankedTensorType>(param.getType());
  return param.isStacked() ? mlir::lori::getLayerType(type) : type;
}

static bool isWithin(llvm::ArrayRef<int64_t> inner,
                     llvm::ArrayRef<int64_t> outer) {
  return inner.size() == outer.size() &&
         llvm::all_of(llvm::zip(inner, outer), [](auto pair) {
           return std::get<0>(pair) > 0 &&
                  std::get<0>(pair) <= std::get<1>(pair);
         });
}

void ParameterFiles::checkLayer(ParamOp param, int64_t layer,
                                const std::string &modulePath) const {
  auto [file, tensor] = find(param.getSource(), layer);
  if (!tensor)
    return;
  RankedTensorType type = pieceType(param);
  mlir::Type element = toElementType(param.getContext(), tensor->type);
  bool fits = file->isAdapter && type.getRank() == 2
                  ? isWithin(tensor->shape, type.getShape())
                  : type.getShape() == llvm::ArrayRef(tensor->shape);
  if (fits && element == type.getElementType() && !type.getEncoding())
    return;
  std::string declared;
  llvm::raw_string_ostream(declared) << type;
  throw Error(modulePath,
              "declares @" + param.getSymName().str() + " as " + declared +
                  ", but the tensor '" + tensor->name + "' of " + file->path +
                  " is " + std::string(storageTypeName(tensor->type)) + " " +
                  shapeText(tensor->shape) + ", give the type of the tensor");
}

void ParameterFiles::check(mlir::ModuleOp module,
                           const std::string &modulePath) const {
  for (auto param : module.getOps<ParamOp>())
    for (int64_t layer = 0, count = std::max<int64_t>(
                                1, param.getSource().getLayers().size());
         layer < count; ++layer)
      checkLayer(param, layer, modulePath);
}

std::span<const std::byte>
ParameterFiles::read(ParamOp param, int64_t layer,
                     std::vector<std::byte> &scratch) const {
  RankedTensorType type = pieceType(param);
  auto wanted = static_cast<size_t>(mlir::lori::getStorageBytes(type));
  auto [file, tensor] = find(param.getSource(), layer);
  std::span<const std::byte> bytes;
  if (tensor)
    bytes = file->bytes(*tensor);
  if (tensor && bytes.size() == wanted)
    return bytes;
  // An absent module, or one of a lower rank: the rest is zero.
  scratch.assign(wanted, std::byte(0));
  if (!tensor)
    return scratch;
  if (type.getRank() != 2 || !isWithin(tensor->shape, type.getShape()))
    throw Error(file->path, "tensor '" + tensor->name + "' has shape " +
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
