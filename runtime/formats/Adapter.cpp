// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Adapter.h"

#include <algorithm>

using namespace lori;

/// StoredTensor::file of what lies in memory.
static constexpr uint32_t inMemory = 1;

Adapter::Adapter(PeftAdapter adapter)
    : source(std::move(adapter)),
      moduleList(std::get<PeftAdapter>(source).modules()),
      warningList(std::get<PeftAdapter>(source).warnings()),
      noteList(std::get<PeftAdapter>(source).notes()) {}

Adapter::Adapter(AdapterPack pack)
    : source(std::move(pack)),
      warningList(std::get<AdapterPack>(source).peftConfig().warnings()) {
  for (const PackedModule &module : std::get<AdapterPack>(source).modules())
    addModule(module);
}

template <typename Base>
Adapter Adapter::openFor(const std::string &path, const Base &base) {
  if (!AdapterPack::isPack(path))
    return Adapter(PeftAdapter::open(path, base));
  AdapterPack pack(path);
  std::vector<std::string> notes = pack.checkAgainst(base);
  Adapter adapter(std::move(pack));
  adapter.noteList = std::move(notes);
  return adapter;
}

Adapter Adapter::open(const std::string &path, const AdapterBase &base) {
  return openFor(path, base);
}

Adapter Adapter::open(const std::string &path, const Checkpoint &base) {
  return openFor(path, base);
}

std::span<std::byte> Adapter::place(StoredTensor &tensor) {
  tensor.file = inMemory;
  tensor.offset = (made.size() + 63) / 64 * 64;
  tensor.bytes =
      static_cast<uint64_t>(tensor.entries() * blockBytes(tensor.type));
  made.resize(tensor.offset + tensor.bytes);
  return std::span(made).subspan(tensor.offset);
}

void Adapter::addModule(const PackedModule &packed) {
  const auto &pack = std::get<AdapterPack>(source);
  AdapterModule module{packed.module, packed.a,       {},
                       packed.rank,   packed.scaling, packed.zeros};
  if (packed.drawn)
    std::ranges::copy(pack.bytesOfA(packed), place(module.a).begin());
  if (packed.dense) {
    module.b = *packed.dense;
  } else {
    module.b.name = packed.mask->name;
    module.b.type = packed.bType;
    module.b.shape = {packed.module.out, packed.rank};
    std::ranges::copy(pack.expandB(packed), place(module.b).begin());
  }
  moduleList.push_back(std::move(module));
}

const std::string &Adapter::path() const {
  if (const auto *peft = std::get_if<PeftAdapter>(&source))
    return peft->path();
  return file().path();
}

const PeftConfig &Adapter::config() const {
  if (const auto *peft = std::get_if<PeftAdapter>(&source))
    return peft->config();
  return std::get<AdapterPack>(source).peftConfig();
}

const SafetensorsFile &Adapter::file() const {
  if (const auto *peft = std::get_if<PeftAdapter>(&source))
    return peft->file();
  return std::get<AdapterPack>(source).file();
}

std::span<const std::byte> Adapter::bytes(const StoredTensor &tensor) const {
  if (tensor.file == inMemory)
    return std::span(made).subspan(tensor.offset, tensor.bytes);
  return file().bytes(tensor);
}
