// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Checkpoint.h"
#include "runtime/formats/JsonFields.h"
#include "runtime/formats/ModelTensors.h"
#include "runtime/formats/Paths.h"
#include "runtime/formats/Safetensors.h"

#include <cstring>
#include <map>
#include <set>

using namespace lori;
namespace fs = std::filesystem;

static bool isFloat(StorageType type) {
  return type == StorageType::F32 || type == StorageType::F16 ||
         type == StorageType::BF16;
}

namespace lori {

class CheckpointReader {
public:
  explicit CheckpointReader(const std::string &path) { model.givenPath = path; }

  Checkpoint read() {
    isDirectory(model.givenPath) ? openDirectory() : openGguf();
    refuseUnsupportedTypes();
    pickTensors();
    refuseUnknown();
    for (size_t i = 0; i < model.tensorList.size(); ++i)
      model.tensorIndex.emplace(model.tensorList[i].name, i);
    return std::move(model);
  }

private:
  // ---- Hugging Face directories

  void openDirectory() {
    fs::path folder = model.givenPath;
    if (!pathExists(folder / "config.json"))
      throw Error(model.givenPath,
                  "holds no config.json, expected a Hugging Face model "
                  "directory or a GGUF file, give the path of one");
    model.modelConfig = readModelConfig(model.givenPath);
    if (std::string whole = folder / "model.safetensors"; pathExists(whole))
      addShard(whole);
    else if (std::string index = folder / "model.safetensors.index.json";
             pathExists(index))
      openShards(folder, index);
    else
      refuseOtherFiles(folder);
  }

  void openShards(const fs::path &folder, const std::string &index) {
    JsonValue root = parseJsonFile(index);
    JsonFields fields(root, index);
    const JsonValue::Object *map = fields.object("weight_map");
    if (!map)
      throw fields.error("weight_map", "is missing, fetch the file again");
    std::map<std::string, std::string> shards; // file name -> path
    for (const auto &[tensor, file] : *map) {
      const std::string *name = file.text();
      // A shard lies beside its index and nowhere else.
      if (!name || name->empty() || name->find('/') != name->npos ||
          name->find('\0') != name->npos || *name == "." || *name == "..")
        throw fields.error("weight_map", "sends the tensor '" + tensor +
                                             "' to " + file.excerpt() +
                                             ", expected a file name");
      shards.emplace(*name, folder / *name);
    }
    for (const auto &[name, path] : shards)
      addShard(path);
    for (const auto &[tensor, file] : *map) {
      const std::string &path = shards[*file.text()];
      auto found = stored.find(tensor);
      if (found == stored.end() ? others.find(tensor) == others.end()
                                : fileOf(found->second) != path)
        throw Error(path, "lacks the tensor '" + tensor + "', which " + index +
                              " places there, fetch the model again");
    }
  }

  void addShard(const std::string &path) {
    auto file = static_cast<uint32_t>(model.mappedFiles.size());
    model.mappedFiles.emplace_back(path);
    auto header =
        readSafetensorsHeader(model.mappedFiles.back().bytes(), path, file);
    for (StoredTensor &tensor : header.tensors)
      if (std::string name = tensor.name;
          !stored.emplace(name, std::move(tensor)).second)
        throw Error(path, "holds the tensor '" + name + "', which " +
                              fileOf(stored[name]) +
                              " holds, too, remove one of the files");
    for (const auto &[name, type] : header.others)
      others.emplace(name, OtherTensor{path, type});
  }

  [[noreturn]] void refuseOtherFiles(const fs::path &folder) const {
    for (const fs::path &entry : listDirectory(folder)) {
      std::string name = entry.filename();
      if (name.ends_with(".bin") || name.ends_with(".pth") ||
          name.ends_with(".pt"))
        throw Error(entry.string(),
                    "holds the weights as a Python pickle, which is not read "
                    "as it can run code, convert it to safetensors (load the "
                    "model in transformers and save it with save_pretrained)");
    }
    throw Error(model.givenPath,
                "holds neither model.safetensors nor "
                "model.safetensors.index.json, fetch the model again");
  }

  // ---- GGUF files

  void openGguf() {
    model.mappedFiles.emplace_back(model.givenPath);
    auto bytes = model.mappedFiles.back().bytes();
    if (bytes.size() < 4 || std::memcmp(bytes.data(), "GGUF", 4) != 0)
      throw Error(model.givenPath,
                  "is neither a Hugging Face model directory nor a GGUF file, "
                  "give the path of one");
    model.ggufFile.emplace(bytes, model.givenPath);
    model.modelConfig = modelConfigFromGguf(*model.ggufFile);
    for (StoredTensor tensor : model.ggufFile->tensors()) {
      std::string name = canonicalTensorName(tensor.name);
      if (name.empty())
        ggufUnknown.insert(tensor.name);
      else
        stored.emplace(name, std::move(tensor));
    }
    for (const auto &[name, type] : model.ggufFile->others()) {
      std::string canonical = canonicalTensorName(name);
      if (canonical.empty())
        ggufUnknown.insert(name);
      else
        others.emplace(canonical, OtherTensor{model.givenPath, type});
    }
  }

  // ---- Checks of both

  void refuseUnsupportedTypes() const {
    for (const ModelTensor &wanted : modelTensors(model.modelConfig))
      if (auto other = others.find(wanted.name); other != others.end())
        throw Error(other->second.path,
                    "tensor '" + wanted.name + "' is stored as " +
                        other->second.type + ", supported are " +
                        supportedWeightTypes() +
                        ", convert or quantise the model to one of these");
  }

  void pickTensors() {
    for (const ModelTensor &wanted : modelTensors(model.modelConfig)) {
      auto found = stored.find(wanted.name);
      if (found == stored.end())
        throw Error(model.givenPath, "lacks the tensor '" + wanted.name +
                                         "' of shape " +
                                         shapeText(wanted.shape) +
                                         ", which the configuration asks for, "
                                         "fetch the model again");
      StoredTensor tensor = found->second;
      if (tensor.shape != wanted.shape)
        throw Error(fileOf(tensor),
                    "tensor '" + wanted.name + "' has the shape " +
                        shapeText(tensor.shape) + ", expected " +
                        shapeText(wanted.shape) +
                        " by the configuration, use the files "
                        "of one and the same model");
      checkType(tensor, wanted);
      tensor.name = wanted.name;
      model.tensorList.push_back(std::move(tensor));
    }
  }

  void checkType(const StoredTensor &tensor, const ModelTensor &wanted) const {
    bool isVector = wanted.shape.size() == 1;
    if (isFloat(tensor.type) || (!isVector && blockEntries(tensor.type) > 1))
      return;
    throw Error(fileOf(tensor),
                "tensor '" + wanted.name + "' is stored as " +
                    std::string(storageTypeName(tensor.type)) +
                    ", supported are " +
                    (isVector ? "F32, F16, BF16" : supportedWeightTypes()) +
                    ", convert the model to one of these");
  }

  void refuseUnknown() const {
    for (const auto &[name, tensor] : stored)
      checkUnknown(name, fileOf(tensor));
    for (const auto &[name, other] : others)
      checkUnknown(name, other.path);
    for (const std::string &name : ggufUnknown)
      if (name.starts_with("blk.") || name.starts_with("output") ||
          name.starts_with("token_") || name.starts_with("rope_"))
        if (name != "rope_freqs.weight" &&
            name.find(".attn_rot_embd.") == name.npos)
          refuse(name, model.givenPath);
  }

  /// Tensors inside the decoder that it does not use mean that it computes
  /// otherwise than we would. Others (a value head, a vision tower) are not
  /// ours.
  void checkUnknown(const std::string &name, const std::string &path) const {
    if (wantedNames().contains(name) ||
        name.ends_with(".rotary_emb.inv_freq")) // computed from rope_theta
      return;
    if (name == "lm_head.weight")
      return checkTied(path);
    if (name.starts_with("model.") || name.starts_with("lm_head."))
      refuse(name, path);
  }

  const std::set<std::string> &wantedNames() const {
    if (wanted.empty())
      for (const ModelTensor &tensor : modelTensors(model.modelConfig))
        wanted.insert(tensor.name);
    return wanted;
  }

  [[noreturn]] void refuse(const std::string &name,
                           const std::string &path) const {
    throw Error(path, "holds the tensor '" + name + "', for which " +
                          std::string(architectureName(
                              model.modelConfig.architecture)) +
                          " models with this configuration have no use, the "
                          "results would differ from its maker's, use a "
                          "supported model");
  }

  // Some files store the shared matrix twice.
  void checkTied(const std::string &path) const {
    const StoredTensor &embedding =
        stored.find("model.embed_tokens.weight")->second;
    auto head = stored.find("lm_head.weight");
    if (head != stored.end() && head->second.type == embedding.type &&
        head->second.shape == embedding.shape &&
        std::memcmp(model.bytes(head->second).data(),
                    model.bytes(embedding).data(), embedding.bytes) == 0)
      return;
    throw Error(path, "holds a 'lm_head.weight' that differs from "
                      "'model.embed_tokens.weight', although config.json has "
                      "tie_word_embeddings, set it to false if the model has "
                      "its own head, or remove the tensor");
  }

  const std::string &fileOf(const StoredTensor &tensor) const {
    return model.mappedFiles[tensor.file].path();
  }

  struct OtherTensor {
    std::string path, type;
  };

  Checkpoint model;
  std::map<std::string, StoredTensor> stored; ///< by Hugging Face name
  std::map<std::string, OtherTensor> others;  ///< of unsupported types
  std::set<std::string> ggufUnknown;          ///< without Hugging Face name
  mutable std::set<std::string> wanted;
};

} // namespace lori

Checkpoint Checkpoint::open(const std::string &path) {
  return CheckpointReader(path).read();
}

const StoredTensor *Checkpoint::find(std::string_view name) const {
  auto found = tensorIndex.find(name);
  return found == tensorIndex.end() ? nullptr : &tensorList[found->second];
}
