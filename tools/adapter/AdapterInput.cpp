// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/AdapterInput.h"
#include "runtime/formats/AdapterPath.h"
#include "runtime/formats/DetachedBase.h"
#include "runtime/formats/Paths.h"
#include "runtime/formats/TensorValues.h"
#include "runtime/support/Error.h"

using namespace lori;
namespace fs = std::filesystem;

AdapterInput::AdapterInput(std::string path, PeftAdapter adapter)
    : givenPath(std::move(path)), peft(std::move(adapter)),
      configuration(parseJsonFile(peft->config().path())),
      moduleList(peft->modules()), warningList(peft->warnings()) {
  for (const StoredTensor &tensor : peft->file().tensors())
    if (tensor.name.find(".lora_") == tensor.name.npos)
      wholes.push_back(&tensor);
  for (size_t i = 0; i < moduleList.size(); ++i)
    byPath.emplace(moduleList[i].module.path, i);
}

AdapterInput::AdapterInput(std::string path, AdapterPack pack)
    : givenPath(std::move(path)), packed(std::move(pack)),
      configuration(parseJson(packed->configText(), givenPath, "lori.config")),
      wholes(packed->wholeTensors()),
      warningList(packed->peftConfig().warnings()) {
  packed->checkSums();
  for (const PackedModule &module : packed->modules()) {
    AdapterModule result;
    result.module = module.module;
    result.a = module.a;
    result.b.type = module.bType;
    result.b.shape = {module.module.out, module.rank};
    result.rank = module.rank;
    result.scaling = module.scaling;
    result.zeros = module.zeros;
    moduleList.push_back(std::move(result));
  }
  for (size_t i = 0; i < moduleList.size(); ++i)
    byPath.emplace(moduleList[i].module.path, i);
}

/// Opens a PEFT directory by what it says about itself.
static PeftAdapter openDetached(const std::string &path) {
  std::string note;
  fs::path folder = findAdapterFolder(path, note);
  fs::path config = folder / "adapter_config.json";
  fs::path tensors = folder / "adapter_model.safetensors";
  if (!pathExists(config))
    throw Error(path, "holds no adapter_config.json, expected a PEFT directory "
                      "with it and adapter_model.safetensors, give the path of "
                      "one");
  std::string baseName = PeftConfig::read(config).baseModel();
  if (!pathExists(tensors) && pathExists(folder / "adapter_model.bin"))
    throw Error(path, "holds the adapter as a Python pickle, which is not read "
                      "as it can run code, convert it to "
                      "adapter_model.safetensors (load it in PEFT and save it "
                      "with save_pretrained)");
  return PeftAdapter::open(folder,
                           DetachedBase(SafetensorsFile(tensors), baseName));
}

AdapterInput AdapterInput::open(const std::string &path) {
  if (AdapterPack::isPack(path))
    return {path, AdapterPack(path)};
  return {path, openDetached(path)};
}

AdapterInput AdapterInput::open(const std::string &path,
                                const Checkpoint &base) {
  if (!AdapterPack::isPack(path))
    return {path, PeftAdapter::open(path, base)};
  AdapterPack pack(path);
  pack.checkAgainst(base);
  return {path, std::move(pack)};
}

const AdapterModule *AdapterInput::find(std::string_view modulePath) const {
  auto found = byPath.find(modulePath);
  return found == byPath.end() ? nullptr : &moduleList[found->second];
}

std::vector<float> AdapterInput::a(const AdapterModule &module) const {
  return loadFloats(module.a.type, bytesOfA(module));
}

std::vector<std::byte>
AdapterInput::bytesOfA(const AdapterModule &module) const {
  if (packed)
    return packed->bytesOfA(packed->modules()[indexOf(module)]);
  auto bytes = peft->bytes(module.a);
  return {bytes.begin(), bytes.end()};
}

std::vector<float> AdapterInput::b(const AdapterModule &module) const {
  if (peft)
    return loadFloats(module.b.type, peft->bytes(module.b));
  return loadFloats(module.b.type,
                    packed->expandB(packed->modules()[indexOf(module)]));
}
