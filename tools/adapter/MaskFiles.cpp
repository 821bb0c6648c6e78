// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MaskFiles.h"
#include "runtime/formats/DetachedBase.h"
#include "runtime/formats/SafetensorsWriter.h"
#include "runtime/formats/TorchFile.h"
#include "runtime/support/Error.h"
#include "runtime/support/NewFolder.h"

#include <algorithm>
#include <cstring>

using namespace lori;

static constexpr std::string_view prefix = "base_model.model.";

/// `base_model.model.PATH.lora_B[.default][.weight]` -> PATH, or "".
static std::string modulePathOf(std::string_view name) {
  if (!name.starts_with(prefix))
    return "";
  name.remove_prefix(prefix.size());
  for (std::string_view suffix : {".weight", ".default"})
    if (name.ends_with(suffix))
      name.remove_suffix(suffix.size());
  for (std::string_view suffix : {".lora_B", ".lora_embedding_B"})
    if (name.ends_with(suffix))
      return std::string(name.substr(0, name.size() - suffix.size()));
  return "";
}

static void addMask(Masks &masks, const std::string &path,
                    const std::string &name, const std::vector<int64_t> &shape,
                    std::span<const std::byte> bytes) {
  std::string module = modulePathOf(name);
  if (module.empty())
    throw Error(path, "tensor '" + name +
                          "' is not called like a mask "
                          "(base_model.model.MODULE.lora_B.default.weight), "
                          "give a file of masks");
  if (shape.size() != 2)
    throw Error(path, "mask '" + name + "' has the shape " + shapeText(shape) +
                          ", expected [out, rank], give a file of masks");
  auto [at, isNew] = masks.try_emplace(module);
  if (!isNew)
    throw Error(path, "holds two masks for the module '" + module + "'");
  Mask &mask = at->second;
  mask.rows = shape[0];
  mask.columns = shape[1];
  mask.keep.resize(bytes.size());
  if (!bytes.empty())
    std::memcpy(mask.keep.data(), bytes.data(), bytes.size());
  for (uint8_t entry : mask.keep)
    if (entry > 1)
      throw Error(path, "mask '" + name +
                            "' holds other values than 0 and 1, give a file "
                            "of masks");
}

static void requireBool(const std::string &path, const std::string &name,
                        StorageType type) {
  if (type != StorageType::Bool && type != StorageType::U8)
    throw Error(path, "tensor '" + name + "' is stored as " +
                          std::string(storageTypeName(type)) +
                          ", a mask is BOOL, give a file of masks");
}

Masks lori::readMasks(const std::string &path) {
  Masks masks;
  if (path.ends_with(".pt")) {
    TorchFile file(path);
    for (const StoredTensor &tensor : file.tensors()) {
      requireBool(path, tensor.name, tensor.type);
      addMask(masks, path, tensor.name, tensor.shape, file.bytes(tensor));
    }
    return masks;
  }
  SafetensorsFile file(path);
  for (const auto &[name, type] : file.header().others)
    throw Error(path, "tensor '" + name + "' is stored as " + type +
                          ", a mask is BOOL, give a file of masks");
  for (const StoredTensor &tensor : file.tensors()) {
    requireBool(path, tensor.name, tensor.type);
    addMask(masks, path, tensor.name, tensor.shape, file.bytes(tensor));
  }
  return masks;
}

static std::vector<AdaptableModule> inModelOrder(const Masks &masks) {
  std::vector<AdaptableModule> modules;
  for (const auto &[path, mask] : masks)
    modules.push_back(moduleFromPath(path));
  std::ranges::sort(modules, comesBefore);
  return modules;
}

void lori::writeMasks(const Masks &masks, const std::string &path) {
  std::vector<SafetensorsWriter::Tensor> tensors;
  std::vector<std::span<const std::byte>> contents;
  for (const AdaptableModule &module : inModelOrder(masks)) {
    const Mask &mask = masks.at(module.path);
    bool isEmbedding = module.kind == AdaptableModule::Kind::Embedding;
    tensors.push_back({std::string(prefix) + module.path +
                           (isEmbedding ? ".lora_embedding_B.default"
                                        : ".lora_B.default.weight"),
                       StorageType::Bool,
                       {mask.rows, mask.columns}});
    contents.push_back(std::as_bytes(std::span(mask.keep)));
  }
  if (path.ends_with(".pt"))
    return writeTorchFile(path, tensors, contents);
  NewFile file(path);
  SafetensorsWriter writer(file, tensors, {{"format", "pt"}});
  for (auto content : contents)
    writer.append(content);
  writer.finish();
  file.commit();
}

void lori::applyMask(const Mask &mask, StorageType type,
                     std::span<std::byte> bytes) {
  auto size = static_cast<size_t>(blockBytes(type));
  for (size_t i = 0; i < mask.keep.size(); ++i)
    if (!mask.keep[i])
      std::memset(bytes.data() + i * size, 0, size);
}

static void checkFit(const AdapterInput &adapter, const Masks &masks,
                     const std::string &masksPath) {
  for (const AdapterModule &module : adapter.modules()) {
    auto found = masks.find(module.module.path);
    if (found == masks.end())
      throw Error(masksPath, "lacks a mask for the module '" +
                                 module.module.path + "' of " + adapter.path() +
                                 ", give the masks of that adapter");
    const Mask &mask = found->second;
    if (mask.rows != module.module.out || mask.columns != module.rank)
      throw Error(
          masksPath,
          "has a mask of " + shapeText(std::vector{mask.rows, mask.columns}) +
              " for the module '" + module.module.path + "', its B is " +
              shapeText(std::vector{module.module.out, module.rank}) +
              ", give the masks of that adapter");
  }
  for (const auto &[module, mask] : masks)
    if (!adapter.find(module))
      throw Error(masksPath, "has a mask for the module '" + module +
                                 "', which " + adapter.path() +
                                 " does not adapt, give the masks of that "
                                 "adapter");
}

void lori::applyToDirectory(const AdapterInput &adapter, const Masks &masks,
                            const std::string &masksPath,
                            const std::string &output) {
  if (!adapter.directory())
    throw Error(adapter.path(), "is a pack, expected a PEFT directory, unpack "
                                "it first");
  checkFit(adapter, masks, masksPath);
  std::map<std::string_view, const Mask *> byTensor;
  for (const AdapterModule &module : adapter.modules())
    byTensor.emplace(module.b.name, &masks.at(module.module.path));
  const SafetensorsFile &source = adapter.file();
  std::vector<SafetensorsWriter::Tensor> tensors;
  for (const StoredTensor &tensor : source.tensors())
    tensors.push_back({tensor.name, tensor.type, tensor.shape});

  NewFolder folder(output);
  NewFile config(folder / "adapter_config.json");
  config.write(MappedFile(adapter.configPath()).bytes());
  config.commit();
  NewFile file(folder / "adapter_model.safetensors");
  SafetensorsWriter writer(file, tensors, source.header().metadata);
  for (const StoredTensor &tensor : source.tensors()) {
    auto bytes = source.bytes(tensor);
    auto mask = byTensor.find(tensor.name);
    if (mask == byTensor.end()) {
      writer.append(bytes);
      continue;
    }
    std::vector<std::byte> masked(bytes.begin(), bytes.end());
    applyMask(*mask->second, tensor.type, masked);
    writer.append(masked);
  }
  writer.finish();
  file.commit();
  folder.commit();
}
