// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/AdapterPack.h"
#include "runtime/formats/CheckpointBase.h"
#include "runtime/formats/ContentHash.h"
#include "runtime/formats/DetachedBase.h"
#include "runtime/formats/Json.h"
#include "runtime/formats/MaskedRows.h"
#include "runtime/formats/Paths.h"
#include "runtime/formats/TensorScan.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <unordered_set>

using namespace lori;

static constexpr std::string_view prefix = "base_model.model.";
static constexpr int64_t maxRank = 65536;
static constexpr int64_t maxColumns = int64_t(1) << 24; ///< of a drawn A

static Error damaged(const std::string &path, const std::string &what) {
  return Error(path, what + ", the pack is damaged, make it again with "
                            "lori-adapter pack");
}

static const std::string &requiredMetadata(const SafetensorsFile &file,
                                           std::string_view key) {
  if (const std::string *value = file.header().findMetadata(key))
    return *value;
  throw damaged(file.path(), "lacks the metadata '" + std::string(key) + "'");
}

static SafetensorsFile openPack(const std::string &path) {
  SafetensorsFile file(path);
  const std::string *version = file.header().findMetadata("lori.pack");
  if (!version)
    throw Error(path, "is a safetensors file, but no adapter pack, give a PEFT "
                      "directory or what lori-adapter pack has written");
  if (*version != "1")
    throw Error(path, "is an adapter pack of version " + *version +
                          ", version 1 is read here, use a newer program");
  return file;
}

namespace lori {

class AdapterPackReader {
public:
  explicit AdapterPackReader(AdapterPack &pack)
      : pack(pack), path(pack.tensors.path()) {}

  void read() {
    refuseOthers();
    readSeed();
    JsonValue table = parseJson(requiredMetadata(pack.tensors, "lori.modules"),
                                path, "lori.modules");
    if (!table.array() || table.array()->empty())
      throw damaged(path, "has no module in lori.modules");
    pack.moduleList.reserve(table.array()->size());
    for (const JsonValue &row : *table.array())
      pack.moduleList.push_back(readModule(row));
    takeWholeTensors();
  }

private:
  void refuseOthers() const {
    for (const auto &[name, type] : pack.tensors.header().others)
      throw damaged(path, "has the tensor '" + name + "' of the type " + type +
                              ", which packs do not hold");
  }

  void readSeed() {
    const std::string *text = pack.tensors.header().findMetadata("lori.seed");
    if (!text)
      return;
    JsonValue root = parseJson(*text, path, "lori.seed");
    std::string seed, init;
    if (const JsonValue::Object *fields = root.object())
      for (const auto &[key, value] : *fields)
        if (value.text())
          (key == "seed" ? seed : init) = *value.text();
    std::optional<ProjectionInit> kind = projectionInitFromName(init);
    ProjectionSeed result;
    const char *end = seed.data() + seed.size();
    auto [rest, error] = std::from_chars(seed.data(), end, result.seed);
    if (!kind || rest != end || error != std::errc())
      throw damaged(path, "has the lori.seed " + root.excerpt() +
                              ", expected a seed of 64 bits as text, and "
                              "kaiming_uniform or normal as init");
    result.init = *kind;
    pack.projectionSeed = result;
  }

  PackedModule readModule(const JsonValue &row) {
    const JsonValue::Array *cells = row.array();
    PackedModule result;
    bool isDrawn = pack.projectionSeed.has_value();
    if (!cells || cells->size() != (isDrawn ? 6 : 4) || !(*cells)[0].text() ||
        !(*cells)[1].integer() || !(*cells)[2].number() || !(*cells)[3].text())
      throw damaged(path, "has the row " + row.excerpt() +
                              " in lori.modules, expected path, rank, scaling "
                              "and checksum" +
                              (isDrawn ? ", columns and type" : ""));
    const std::string &name = *(*cells)[0].text();
    result.module = moduleFromPath(name);
    result.rank = *(*cells)[1].integer();
    result.scaling = *(*cells)[2].number();
    result.checksum = *(*cells)[3].text();
    if (!seen.insert(name).second)
      throw damaged(path, "lists the module '" + name + "' twice");
    if (result.rank != pack.parsedConfig.rankOf(name) ||
        result.rank > maxRank ||
        result.scaling != pack.parsedConfig.scalingOf(name))
      throw damaged(path, "has another rank or scaling for '" + name +
                              "' in lori.modules than in lori.config");
    if (isDrawn)
      describeDrawnA(result, *cells);
    else
      readA(result);
    readB(result);
    return result;
  }

  void readA(PackedModule &m) {
    std::string stem = std::string(prefix) + m.module.path;
    const StoredTensor *a = use(stem + ".lora_A.weight");
    if (!a) {
      a = use(stem + ".lora_embedding_A");
      m.module.kind = AdaptableModule::Kind::Embedding;
    } else if (m.module.kind == AdaptableModule::Kind::Embedding) {
      m.module.kind = AdaptableModule::Kind::Linear;
    }
    if (!a)
      throw damaged(path, "lacks the A of '" + m.module.path + "'");
    requireFloat(*a);
    if (a->shape.size() != 2 || a->shape[0] != m.rank)
      throw wrongShape(*a, "[" + std::to_string(m.rank) + ", in]");
    checkFinite(*a);
    m.a = *a;
    m.module.in = a->shape[1];
  }

  void describeDrawnA(PackedModule &m, const JsonValue::Array &cells) const {
    const auto columns = cells[4].integer();
    const std::string *typeName = cells[5].text();
    std::optional<StorageType> type;
    for (StorageType known :
         {StorageType::F32, StorageType::F16, StorageType::BF16})
      if (typeName && *typeName == storageTypeName(known))
        type = known;
    if (!columns || *columns < 1 || *columns > maxColumns || !type)
      throw damaged(path, "has no columns or no type for the A of '" +
                              m.module.path + "' in lori.modules");
    m.a.name = std::string(prefix) + m.module.path + ".lora_A.weight";
    m.a.type = *type;
    m.a.shape = {m.rank, *columns};
    m.a.bytes = *storageBytes(*type, m.rank * *columns);
    m.module.in = *columns;
    m.drawn = SeededProjection{pack.projectionSeed->seed,
                               projectionStream(m.module.path),
                               pack.projectionSeed->init, *columns};
  }

  void readB(PackedModule &m) {
    bool isEmbedding = m.module.kind == AdaptableModule::Kind::Embedding;
    std::string stem = std::string(prefix) + m.module.path +
                       (isEmbedding ? ".lora_embedding_B" : ".lora_B");
    m.dense = use(stem + (isEmbedding ? "" : ".weight"));
    m.mask = use(stem + ".mask");
    m.values = use(stem + ".values");
    if (m.dense ? m.mask || m.values : !m.mask || !m.values)
      throw damaged(path, "needs either all of the B of '" + m.module.path +
                              "' or its mask and values");
    const StoredTensor &entries = m.dense ? *m.dense : *m.values;
    requireFloat(entries);
    TensorScan scan = checkFinite(entries);
    m.bType = entries.type;
    if (m.dense) {
      if (entries.shape.size() != 2 || entries.shape[1] != m.rank)
        throw wrongShape(entries, "[out, " + std::to_string(m.rank) + "]");
      m.module.out = entries.shape[0];
      m.zeros = scan.zeros;
      return;
    }
    checkMask(m);
    m.zeros = m.module.out * m.rank - m.values->shape[0] + scan.zeros;
  }

  void checkMask(PackedModule &m) const {
    int64_t rowBytes = maskRowBytes(m.rank);
    if (m.mask->type != StorageType::U8 || m.mask->shape.size() != 2 ||
        m.mask->shape[1] != rowBytes)
      throw wrongShape(*m.mask, "U8 [out, " + std::to_string(rowBytes) + "]");
    m.module.out = m.mask->shape[0];
    // B in full must be something that a file could hold.
    if (!entryCount(std::vector<int64_t>{m.module.out, m.rank, 8}))
      throw wrongShape(*m.mask, "fewer rows");
    auto count = countMaskedEntries(pack.tensors.bytes(*m.mask), m.rank);
    if (!count)
      throw damaged(path,
                    "tensor '" + m.mask->name + "' has bits beyond the rank");
    if (m.values->shape != std::vector<int64_t>{*count})
      throw wrongShape(*m.values, "[" + std::to_string(*count) +
                                      "], a value for each bit of the mask");
  }

  void takeWholeTensors() {
    for (const StoredTensor &tensor : pack.tensors.tensors()) {
      if (used.contains(&tensor))
        continue;
      if (tensor.name.find(".lora_") != tensor.name.npos)
        throw damaged(path, "has the tensor '" + tensor.name +
                                "', which belongs to no module of "
                                "lori.modules");
      pack.wholes.push_back(&tensor);
    }
  }

  const StoredTensor *use(const std::string &name) {
    const StoredTensor *tensor = pack.tensors.find(name);
    if (tensor)
      used.insert(tensor);
    return tensor;
  }

  TensorScan checkFinite(const StoredTensor &tensor) const {
    TensorScan scan = scanTensor(tensor.type, pack.tensors.bytes(tensor));
    if (scan.nonFinite != 0)
      throw damaged(path, "tensor '" + tensor.name + "' holds " +
                              std::to_string(scan.nonFinite) +
                              " entries that are NaN or infinite");
    return scan;
  }

  void requireFloat(const StoredTensor &tensor) const {
    if (tensor.type != StorageType::F32 && tensor.type != StorageType::F16 &&
        tensor.type != StorageType::BF16)
      throw damaged(path, "tensor '" + tensor.name + "' is stored as " +
                              std::string(storageTypeName(tensor.type)) +
                              ", expected F32, F16 or BF16");
  }

  Error wrongShape(const StoredTensor &tensor,
                   const std::string &expected) const {
    return damaged(path, "tensor '" + tensor.name + "' is " +
                             std::string(storageTypeName(tensor.type)) + " " +
                             shapeText(tensor.shape) + ", expected " +
                             expected);
  }

  AdapterPack &pack;
  const std::string &path;
  std::unordered_set<std::string> seen;
  std::unordered_set<const StoredTensor *> used;
};

} // namespace lori

bool AdapterPack::isPack(const std::string &path) {
  if (isDirectory(path) || !path.ends_with(".safetensors"))
    return false;
  return SafetensorsFile(path).header().findMetadata("lori.pack") != nullptr;
}

AdapterPack::AdapterPack(const std::string &path)
    : tensors(openPack(path)),
      config(&requiredMetadata(tensors, "lori.config")),
      parsedConfig(PeftConfig::parse(*config, path)) {
  AdapterPackReader(*this).read();
}

std::string AdapterPack::baseFingerprint() const {
  const std::string *base = tensors.header().findMetadata("lori.base");
  return base ? *base : "";
}

SafetensorsWriter::Metadata AdapterPack::originalMetadata() const {
  SafetensorsWriter::Metadata entries;
  const std::string *text = tensors.header().findMetadata("lori.metadata");
  if (!text)
    return entries;
  JsonValue root = parseJson(*text, tensors.path(), "lori.metadata");
  if (!root.object())
    throw damaged(tensors.path(), "has a lori.metadata that is no JSON object");
  for (const auto &[key, value] : *root.object()) {
    if (!value.text())
      throw damaged(tensors.path(), "has an entry of lori.metadata that is no "
                                    "string");
    entries.emplace_back(key, *value.text());
  }
  return entries;
}

std::vector<std::byte> AdapterPack::bytesOfA(const PackedModule &module) const {
  if (module.drawn)
    return module.drawn->draw(module.a.type, module.rank);
  auto bytes = tensors.bytes(module.a);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::byte> AdapterPack::expandB(const PackedModule &module) const {
  if (module.dense) {
    auto bytes = tensors.bytes(*module.dense);
    return {bytes.begin(), bytes.end()};
  }
  std::vector<std::byte> matrix(
      *storageBytes(module.bType, module.module.out * module.rank));
  expandRows(tensors.bytes(*module.mask), tensors.bytes(*module.values),
             module.rank, static_cast<size_t>(blockBytes(module.bType)),
             matrix);
  return matrix;
}

void AdapterPack::checkSums() const {
  for (const PackedModule &module : moduleList)
    if (ContentHash::of(bytesOfA(module)) != module.checksum)
      throw damaged(tensors.path(), "tensor '" + module.a.name +
                                        "' is not the one that was packed: "
                                        "its checksum differs");
  uint64_t start = tensors.file().bytes().size();
  for (const StoredTensor &tensor : tensors.tensors())
    start = std::min(start, tensor.offset);
  if (ContentHash::of(tensors.file().bytes().subspan(start)) !=
      requiredMetadata(tensors, "lori.data"))
    throw damaged(tensors.path(), "has other bytes than were packed: the "
                                  "checksum of its data differs");
}

std::vector<std::string>
AdapterPack::checkAgainst(const AdapterBase &base) const {
  std::vector<AdaptableModule> known = base.modules();
  std::unordered_map<std::string_view, const PackedModule *> mine;
  for (const PackedModule &module : moduleList)
    mine.emplace(module.module.path, &module);
  for (const AdaptableModule &theirs : known) {
    auto found = mine.find(theirs.path);
    if (found == mine.end()) {
      if (parsedConfig.targets(theirs))
        throw Error(tensors.path(),
                    "lacks the module '" + theirs.path +
                        "', which its configuration targets in this base, use "
                        "the base that the adapter was made for");
      continue;
    }
    const AdaptableModule &own = found->second->module;
    if (own.in != theirs.in || own.out != theirs.out)
      throw Error(tensors.path(),
                  "adapts '" + own.path + "' of " + std::to_string(own.out) +
                      " x " + std::to_string(own.in) + ", the base has " +
                      std::to_string(theirs.out) + " x " +
                      std::to_string(theirs.in) +
                      ", use the base that the adapter was made for");
    mine.erase(found);
  }
  for (const auto &[path, module] : mine)
    throw Error(tensors.path(), "is for the module '" + std::string(path) +
                                    "', which the base lacks, use the base "
                                    "that the adapter was made for");
  std::vector<std::string> notes;
  for (const StoredTensor *whole : wholes)
    base.checkWhole(whole->name.substr(prefix.size()), tensors, *whole, notes);
  return notes;
}

std::vector<std::string>
AdapterPack::checkAgainst(const Checkpoint &base) const {
  std::vector<std::string> notes = checkAgainst(CheckpointBase(base));
  std::string packedFor = baseFingerprint();
  if (!packedFor.empty() && packedFor != base.fingerprint())
    throw Error(tensors.path(), "was packed for a base with the fingerprint " +
                                    packedFor + ", " + base.path() +
                                    " has another, use that base, or pack the "
                                    "adapter anew");
  return notes;
}
