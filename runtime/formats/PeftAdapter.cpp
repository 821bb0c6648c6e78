// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/PeftAdapter.h"
#include "runtime/formats/AdapterPath.h"
#include "runtime/formats/CheckpointBase.h"
#include "runtime/formats/Paths.h"
#include "runtime/formats/TensorScan.h"
#include "runtime/support/Error.h"

#include <cfloat>
#include <cmath>
#include <map>

using namespace lori;
namespace fs = std::filesystem;

static constexpr std::string_view keyPrefix = "base_model.model.";

namespace lori {

class PeftAdapterReader {
public:
  PeftAdapterReader(std::string folder, const AdapterBase &base)
      : base(base), adapter(readConfig(folder)) {
    adapter.folder = std::move(folder);
  }

  PeftAdapter read() {
    adapter.warningList = adapter.peftConfig.warnings();
    openTensors();
    modules = base.modules();
    for (const AdaptableModule &module : modules)
      byPath.emplace(module.path, &module);
    for (const StoredTensor &tensor : adapter.tensors->tensors())
      sortIn(tensor);
    for (const auto &[path, halves] : found)
      checkTargeted(path);
    for (const AdaptableModule &module : modules)
      resolve(module);
    checkTargetsExist();
    checkSavedModules();
    compareBaseName();
    return std::move(adapter);
  }

private:
  struct Halves {
    const StoredTensor *a = nullptr, *b = nullptr;
  };

  static PeftConfig readConfig(const std::string &folder) {
    fs::path path = fs::path(folder) / "adapter_config.json";
    if (!pathExists(path))
      throw Error(folder, "holds no adapter_config.json, expected a PEFT "
                          "directory with it and adapter_model.safetensors, "
                          "give the path of one");
    return PeftConfig::read(path);
  }

  void openTensors() {
    fs::path path = fs::path(adapter.folder) / "adapter_model.safetensors";
    fs::path pickle = fs::path(adapter.folder) / "adapter_model.bin";
    if (!pathExists(path) && pathExists(pickle))
      throw Error(pickle.string(),
                  "holds the adapter as a Python pickle, which is not read as "
                  "it can run code, convert it to adapter_model.safetensors "
                  "(load it in PEFT and save it with save_pretrained)");
    adapter.tensors.emplace(path);
    for (const auto &[name, type] : adapter.tensors->header().others)
      throw error(name, "has the unsupported type " + type +
                            ", supported are F32, F16 and BF16, save the "
                            "adapter again");
  }

  // ---- From tensor names to modules

  /// Puts a tensor to its module, or checks what is no part of LoRA.
  void sortIn(const StoredTensor &tensor) {
    std::string_view name = tensor.name;
    if (!name.starts_with(keyPrefix))
      throw error(tensor.name, "lacks the prefix base_model.model., by which "
                               "PEFT finds its module, save the adapter with "
                               "PEFT's save_pretrained");
    name.remove_prefix(keyPrefix.size());
    if (name.find(".lora_magnitude_vector") != name.npos)
      throw error(tensor.name,
                  "belongs to DoRA, which is not supported, merge the adapter "
                  "into its base with PEFT's merge_and_unload");
    if (name.ends_with(".lora_A.bias") || name.ends_with(".lora_B.bias"))
      throw error(tensor.name,
                  "is a bias of the adapter, which is not supported, train "
                  "with lora_bias=False, or merge with PEFT's "
                  "merge_and_unload");
    if (takeHalf(tensor, name, ".lora_A.weight", &Halves::a) ||
        takeHalf(tensor, name, ".lora_B.weight", &Halves::b) ||
        takeHalf(tensor, name, ".lora_embedding_A", &Halves::a) ||
        takeHalf(tensor, name, ".lora_embedding_B", &Halves::b))
      return;
    if (name.find(".lora_") != name.npos)
      throw error(tensor.name, "has a name that plain LoRA does not use, save "
                               "the adapter with PEFT's save_pretrained");
    checkWhole(tensor, std::string(name));
  }

  bool takeHalf(const StoredTensor &tensor, std::string_view name,
                std::string_view suffix, const StoredTensor *Halves::*half) {
    if (!name.ends_with(suffix))
      return false;
    std::string path(name.substr(0, name.size() - suffix.size()));
    const AdaptableModule *module = findModule(path);
    if (!module)
      throw error(tensor.name,
                  "is for the module '" + path +
                      "', which the base lacks, use the base that the adapter "
                      "was made for" +
                      madeFor());
    bool isEmbedding = module->kind == AdaptableModule::Kind::Embedding;
    if (isEmbedding != (suffix.find("embedding") != suffix.npos))
      throw error(tensor.name, "does not fit the kind of the module '" + path +
                                   "', save the adapter again");
    found[path].*half = &tensor;
    return true;
  }

  void checkWhole(const StoredTensor &tensor, std::string name) {
    // The base's own matrix beside a LoRA on it.
    constexpr std::string_view layer = ".base_layer";
    if (size_t at = name.find(layer); at != name.npos)
      name.erase(at, layer.size());
    if (name.ends_with(".bias") && !base.hasTensor(name))
      throw error(tensor.name, "is a trained bias for a module that has none "
                               "in the base, merge the adapter into its base "
                               "with PEFT's merge_and_unload");
    base.checkWhole(name, *adapter.tensors, tensor, adapter.noteList);
    wholeTensors.push_back(name.substr(0, name.rfind('.')));
  }

  const AdaptableModule *findModule(std::string_view path) const {
    auto module = byPath.find(path);
    return module == byPath.end() ? nullptr : module->second;
  }

  // ---- Configuration against tensors

  void checkTargeted(const std::string &path) const {
    if (!adapter.peftConfig.targets(*findModule(path))) {
      const Halves &halves = found.at(path);
      throw error((halves.a ? halves.a : halves.b)->name,
                  "is for the module '" + path +
                      "', which target_modules of adapter_config.json leaves "
                      "out (PEFT would drop it), correct the configuration");
    }
  }

  void resolve(const AdaptableModule &module) {
    auto halves = found.find(module.path);
    if (halves == found.end()) {
      if (adapter.peftConfig.targets(module))
        throw Error(adapter.tensors->path(),
                    "lacks the tensors of the module '" + module.path +
                        "', which adapter_config.json targets, the file is "
                        "incomplete, fetch the adapter again");
      return;
    }
    checkHalves(module, halves->second);
    AdapterModule result;
    result.module = module;
    result.a = *halves->second.a;
    result.b = *halves->second.b;
    result.rank = adapter.peftConfig.rankOf(module.path);
    result.scaling = adapter.peftConfig.scalingOf(module.path);
    checkShapes(result);
    if (!(std::fabs(result.scaling) <= FLT_MAX))
      throw Error(adapter.peftConfig.path(),
                  "the scaling of the module '" + module.path +
                      "' is beyond the range of F32, correct lora_alpha");
    checkFinite(result.a);
    result.zeros = checkFinite(result.b);
    if (adapter.peftConfig.ensuresWeightTying() &&
        module.kind != AdaptableModule::Kind::Linear)
      throw Error(adapter.peftConfig.path(),
                  "ensure_weight_tying with an adapter on '" + module.path +
                      "' is not supported, merge the adapter into its base "
                      "with PEFT's merge_and_unload");
    adapter.moduleList.push_back(std::move(result));
  }

  void checkHalves(const AdaptableModule &module, const Halves &halves) const {
    if (halves.a && halves.b)
      return;
    const StoredTensor &here = halves.a ? *halves.a : *halves.b;
    std::string there = here.name;
    there[there.rfind(halves.a ? "_A" : "_B") + 1] = halves.a ? 'B' : 'A';
    throw Error(adapter.tensors->path(),
                "lacks the tensor '" + there + "', the other half of '" +
                    here.name +
                    "', the file is incomplete, fetch the adapter "
                    "again");
  }

  void checkShapes(const AdapterModule &m) const {
    auto isFactor = [](const StoredTensor &tensor, size_t side, int64_t size) {
      return tensor.shape.size() == 2 && tensor.shape[side] == size;
    };
    auto check = [&](const StoredTensor &tensor, bool fits,
                     std::vector<int64_t> expected) {
      if (!fits)
        throw error(tensor.name, "has the shape " + shapeText(tensor.shape) +
                                     ", expected " + shapeText(expected) +
                                     " by the base, use the base that the "
                                     "adapter was made for" +
                                     madeFor());
    };
    check(m.a, isFactor(m.a, 1, m.module.in), {m.rank, m.module.in});
    check(m.b, isFactor(m.b, 0, m.module.out), {m.module.out, m.rank});
    for (const auto &[tensor, rank] :
         {std::pair(&m.a, m.a.shape[0]), std::pair(&m.b, m.b.shape[1])})
      if (rank != m.rank)
        throw error(tensor->name,
                    "has rank " + std::to_string(rank) + ", expected " +
                        std::to_string(m.rank) +
                        " by adapter_config.json, correct its r or "
                        "rank_pattern");
  }

  /// Returns the number of zeros.
  int64_t checkFinite(const StoredTensor &tensor) const {
    if (tensor.type != StorageType::F32 && tensor.type != StorageType::F16 &&
        tensor.type != StorageType::BF16)
      throw error(tensor.name,
                  "is stored as " + std::string(storageTypeName(tensor.type)) +
                      ", supported are F32, F16 and BF16, save the adapter "
                      "again");
    TensorScan scan = scanTensor(tensor.type, adapter.bytes(tensor));
    if (scan.nonFinite != 0)
      throw error(tensor.name, "holds " + std::to_string(scan.nonFinite) +
                                   " entries that are NaN or infinite, the "
                                   "training has diverged or the file is "
                                   "damaged, use another one");
    return scan.zeros;
  }

  // PEFT accepts lists with entries that match nothing, if others do.
  void checkTargetsExist() {
    if (adapter.moduleList.empty())
      throw Error(adapter.peftConfig.path(),
                  "target_modules matches no module of the base, use the base "
                  "that the adapter was made for" +
                      madeFor());
    for (const std::string &name : adapter.peftConfig.targetList()) {
      bool matches = false;
      for (const AdaptableModule &module : modules)
        matches |= module.path == name || module.path.ends_with("." + name);
      if (!matches)
        adapter.warningList.push_back(adapter.peftConfig.path() +
                                      ": target_modules lists '" + name +
                                      "', which the base lacks");
    }
  }

  void checkSavedModules() const {
    for (const std::string &name : adapter.peftConfig.modulesToSave()) {
      bool stored = false;
      for (const std::string &whole : wholeTensors)
        stored |= whole.ends_with(name);
      if (!stored)
        throw Error(adapter.tensors->path(),
                    "lacks the tensors of '" + name +
                        "', which modules_to_save of adapter_config.json "
                        "lists, the file is incomplete, fetch the adapter "
                        "again");
    }
  }

  // ---- Which base

  /// Says in a remedy what the configuration says about the base.
  std::string madeFor() const {
    const std::string &name = adapter.peftConfig.baseModel();
    return name.empty() ? "" : " (" + name + ")";
  }

  // Names of copies differ in case and punctuation.
  static std::string plain(std::string_view text) {
    std::string out;
    for (char c : text)
      if (c >= 'A' && c <= 'Z')
        out += static_cast<char>(c - 'A' + 'a');
      else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        out += c;
    return out;
  }

  void compareBaseName() {
    std::string_view name = adapter.peftConfig.baseModel();
    while (name.ends_with('/'))
      name.remove_suffix(1);
    std::string last = plain(name.substr(name.rfind('/') + 1));
    std::error_code failed;
    fs::path given = fs::absolute(base.path(), failed).lexically_normal();
    if (last.empty() || plain(given.string()).find(last) != std::string::npos)
      return;
    adapter.warningList.push_back(adapter.peftConfig.path() +
                                  ": the adapter was made for " +
                                  std::string(name) + ", not by name for " +
                                  base.path() + "; the shapes fit");
  }

  Error error(const std::string &tensor, const std::string &what) const {
    return Error(adapter.tensors->path(), "tensor '" + tensor + "' " + what);
  }

  const AdapterBase &base;
  PeftAdapter adapter;
  std::vector<AdaptableModule> modules;
  std::unordered_map<std::string_view, const AdaptableModule *> byPath;
  std::map<std::string, Halves> found;
  std::vector<std::string> wholeTensors; ///< modules, e.g. model.norm
};

} // namespace lori

PeftAdapter PeftAdapter::open(const std::string &path, const Checkpoint &base) {
  return open(path, CheckpointBase(base));
}

PeftAdapter PeftAdapter::open(const std::string &path,
                              const AdapterBase &base) {
  std::string note;
  std::string folder = findAdapterFolder(path, note);
  PeftAdapter adapter = PeftAdapterReader(std::move(folder), base).read();
  if (!note.empty())
    adapter.noteList.push_back(note);
  return adapter;
}

double PeftAdapter::zeroFraction() const {
  int64_t zeros = 0, entries = 0;
  for (const AdapterModule &module : moduleList) {
    zeros += module.zeros;
    entries += module.b.entries();
  }
  return static_cast<double>(zeros) / static_cast<double>(entries);
}
