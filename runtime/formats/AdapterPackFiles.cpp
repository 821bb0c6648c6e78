// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a PEFT directory to a pack, and back.

#include "runtime/formats/AdapterPack.h"
#include "runtime/formats/ContentHash.h"
#include "runtime/formats/JsonWriter.h"
#include "runtime/formats/MaskedRows.h"
#include "runtime/formats/SafetensorsWriter.h"
#include "runtime/support/Error.h"
#include "runtime/support/NewFolder.h"

#include <algorithm>

using namespace lori;

namespace {

/// Tensors with their bytes, which lie in a mapped file or here.
struct Content {
  SafetensorsWriter::Tensor tensor;
  std::span<const std::byte> bytes;
};

class PackWriter {
public:
  PackWriter(const PeftAdapter &adapter, const std::string &baseFingerprint,
             std::optional<ProjectionSeed> seed)
      : adapter(adapter), seed(seed) {
    for (const AdapterModule &module : adapter.modules())
      addModule(module);
    addWholeTensors();
    // Wide entries first: each tensor lies at a multiple of its entries.
    std::ranges::sort(contents, {}, [](const Content &content) {
      return std::pair(-alignmentOf(content.tensor),
                       std::string_view(content.tensor.name));
    });
    ContentHash data;
    for (const Content &content : contents)
      data.add(content.bytes);
    metadata = {{"lori.pack", "1"},
                {"lori.config", configText()},
                {"lori.metadata", originalMetadata()},
                {"lori.modules", "[" + table + "]"},
                {"lori.data", data.digits()}};
    if (!baseFingerprint.empty())
      metadata.emplace_back("lori.base", baseFingerprint);
    if (seed)
      metadata.emplace_back(
          "lori.seed", "{\"seed\":\"" + std::to_string(seed->seed) +
                           "\",\"init\":\"" +
                           std::string(projectionInitName(seed->init)) + "\"}");
  }

  void write(const std::string &path) const {
    NewFile file(path);
    std::vector<SafetensorsWriter::Tensor> tensors;
    tensors.reserve(contents.size());
    for (const Content &content : contents)
      tensors.push_back(content.tensor);
    SafetensorsWriter writer(file, tensors, metadata);
    for (const Content &content : contents)
      writer.append(content.bytes);
    writer.finish();
    file.commit();
  }

private:
  static int64_t alignmentOf(const SafetensorsWriter::Tensor &tensor) {
    if (tensor.name.ends_with(".mask"))
      return std::min<int64_t>(8, tensor.shape[1]);
    return blockBytes(tensor.type);
  }

  void addModule(const AdapterModule &m) {
    auto bytesOfA = adapter.bytes(m.a), bytesOfB = adapter.bytes(m.b);
    table += (table.empty() ? "[" : ",[") + jsonQuoted(m.module.path) + "," +
             std::to_string(m.rank) + "," + jsonNumber(m.scaling) + ",\"" +
             ContentHash::of(bytesOfA) + "\"";
    if (seed) {
      checkDrawn(m);
      table += "," + std::to_string(m.module.in) + ",\"" +
               std::string(storageTypeName(m.a.type)) + "\"";
    } else {
      contents.push_back({{m.a.name, m.a.type, m.a.shape}, bytesOfA});
    }
    table += "]";
    owned.push_back(
        packRows(bytesOfB, m.rank, static_cast<size_t>(blockBytes(m.b.type))));
    MaskedRows &rows = owned.back();
    if (rows.mask.size() + rows.values.size() >= bytesOfB.size()) {
      owned.pop_back();
      contents.push_back({{m.b.name, m.b.type, m.b.shape}, bytesOfB});
      return;
    }
    std::string stem = m.b.name;
    if (stem.ends_with(".weight"))
      stem.resize(stem.size() - std::string_view(".weight").size());
    auto count =
        static_cast<int64_t>(rows.values.size()) / blockBytes(m.b.type);
    contents.push_back({{stem + ".mask",
                         StorageType::U8,
                         {m.module.out, maskRowBytes(m.rank)}},
                        rows.mask});
    contents.push_back({{stem + ".values", m.b.type, {count}}, rows.values});
  }

  void checkDrawn(const AdapterModule &m) const {
    SeededProjection drawn{seed->seed, projectionStream(m.module.path),
                           seed->init, m.module.in};
    if (m.module.kind != AdaptableModule::Kind::Embedding &&
        std::ranges::equal(drawn.draw(m.a.type, m.rank), adapter.bytes(m.a)))
      return;
    throw Error(adapter.file().path(),
                "tensor '" + m.a.name + "' is not what the seed " +
                    std::to_string(seed->seed) + " (" +
                    std::string(projectionInitName(seed->init)) +
                    ") draws, pack the adapter without --seed");
  }

  void addWholeTensors() {
    for (const StoredTensor &tensor : adapter.file().tensors())
      if (tensor.name.find(".lora_") == tensor.name.npos)
        contents.push_back(
            {{tensor.name, tensor.type, tensor.shape}, adapter.bytes(tensor)});
  }

  std::string configText() const {
    MappedFile file(adapter.config().path());
    auto bytes = file.bytes();
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
  }

  std::string originalMetadata() const {
    JsonValue::Object entries;
    for (const auto &[key, value] : adapter.file().header().metadata)
      entries.emplace_back(key, JsonValue(value));
    return jsonText(JsonValue(std::move(entries)));
  }

  const PeftAdapter &adapter;
  std::optional<ProjectionSeed> seed;
  std::vector<Content> contents;
  std::vector<MaskedRows> owned; ///< moving them leaves their bytes in place
  std::string table;
  SafetensorsWriter::Metadata metadata;
};

/// A tensor of the PEFT file: a stored one, or a module's factor to make.
struct Unpacked {
  SafetensorsWriter::Tensor tensor;
  const StoredTensor *stored = nullptr;
  const PackedModule *module = nullptr;
  bool isA = false;
};

} // namespace

static std::vector<Unpacked> unpackedTensors(const AdapterPack &pack) {
  std::vector<Unpacked> result;
  auto addStored = [&](const StoredTensor &tensor) {
    result.push_back({{tensor.name, tensor.type, tensor.shape}, &tensor});
  };
  for (const PackedModule &module : pack.modules()) {
    if (module.drawn)
      result.push_back({{module.a.name, module.a.type, module.a.shape},
                        nullptr,
                        &module,
                        /*isA=*/true});
    else
      addStored(module.a);
    if (module.dense) {
      addStored(*module.dense);
      continue;
    }
    std::string name = module.mask->name;
    name.resize(name.size() - std::string_view(".mask").size());
    if (module.module.kind != AdaptableModule::Kind::Embedding)
      name += ".weight";
    result.push_back({{name, module.bType, {module.module.out, module.rank}},
                      nullptr,
                      &module});
  }
  for (const StoredTensor *tensor : pack.wholeTensors())
    addStored(*tensor);
  // As safetensors writes its files: wide entries first, then by name.
  std::ranges::sort(result, [](const Unpacked &a, const Unpacked &b) {
    return std::pair(-blockBytes(a.tensor.type),
                     std::string_view(a.tensor.name)) <
           std::pair(-blockBytes(b.tensor.type),
                     std::string_view(b.tensor.name));
  });
  return result;
}

void lori::packAdapter(const PeftAdapter &adapter,
                       const std::string &baseFingerprint,
                       const std::string &output,
                       std::optional<ProjectionSeed> seed) {
  PackWriter(adapter, baseFingerprint, seed).write(output);
}

void lori::unpackAdapter(const AdapterPack &pack, const std::string &output) {
  pack.checkSums();
  NewFolder folder(output);
  NewFile config(folder / "adapter_config.json");
  config.write(pack.configText());
  config.commit();
  std::vector<Unpacked> tensors = unpackedTensors(pack);
  std::vector<SafetensorsWriter::Tensor> header;
  header.reserve(tensors.size());
  for (const Unpacked &one : tensors)
    header.push_back(one.tensor);
  NewFile file(folder / "adapter_model.safetensors");
  SafetensorsWriter writer(file, header, pack.originalMetadata());
  for (const Unpacked &one : tensors) {
    if (one.stored)
      writer.append(pack.file().bytes(*one.stored));
    else
      writer.append(one.isA ? pack.bytesOfA(*one.module)
                            : pack.expandB(*one.module));
  }
  writer.finish();
  file.commit();
  folder.commit();
}
