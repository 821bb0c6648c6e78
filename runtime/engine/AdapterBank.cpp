// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/AdapterBank.h"
#include "runtime/support/Error.h"

#include <algorithm>
#include <cstring>
#include <new>

using namespace lori;

// Of addresses, not of memory; less where the address space is limited.
static constexpr size_t mostBytes = size_t(1) << 40;
static constexpr size_t leastBytes = size_t(1) << 26;

/// Ahead of the factors of a layer, see StepAbi.h.
static constexpr size_t headerBytes = 64;
/// The system's pages, so that memory can be given back.
static constexpr size_t granule = size_t(1) << 16;

namespace {

/// A compiled model as what adapters are checked against.
class CompiledBase final : public AdapterBase {
public:
  explicit CompiledBase(const ModelInfo &model) : model(model) {}

  const std::string &path() const override { return model.name; }

  std::vector<AdaptableModule> modules() const override {
    std::vector<AdaptableModule> result;
    for (int64_t layer = -1; layer < model.layers; ++layer)
      for (const BankSite &site : model.bank.sites)
        if (layer < site.layers && (layer >= 0) == (site.layers != 0))
          result.push_back(moduleOf(site, layer));
    return result;
  }

  // Biases are part of the code; only their presence in an adapter matters,
  // which checkWhole refuses.
  bool hasTensor(const std::string &) const override { return true; }

  void checkWhole(const std::string &name, const SafetensorsFile &adapter,
                  const StoredTensor &stored,
                  std::vector<std::string> &) const override {
    throw Error(adapter.path(),
                "tensor '" + stored.name + "' stands for the base's '" + name +
                    "', which a running program cannot compare with its own, "
                    "compile the adapter in with lori-compile --adapter");
  }

private:
  static AdaptableModule moduleOf(const BankSite &site, int64_t layer) {
    AdaptableModule module;
    module.path = site.target;
    if (size_t star = module.path.find('*'); star != std::string::npos)
      module.path.replace(star, 1, std::to_string(layer));
    if (site.target == "lm_head")
      module.kind = AdaptableModule::Kind::LmHead;
    module.layer = layer;
    module.in = site.in;
    module.out = site.out;
    return module;
  }

  const ModelInfo &model;
};

} // namespace

AdapterBank::AdapterBank(const ModelInfo &model, const ModelCode &code)
    : model(model), code(code) {
  for (size_t bytes = mostBytes; !memory; bytes /= 2) {
    try {
      memory.emplace(bytes, "loaded adapters");
    } catch (const Error &) {
      if (bytes <= leastBytes)
        throw;
    }
  }
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

int64_t AdapterBank::padded(int64_t rows) const {
  int64_t panel = model.bank.panelRows;
  return (rows + panel - 1) / panel * panel;
}

size_t AdapterBank::shrinkFloats(const BankSite &site, int64_t rank) const {
  return static_cast<size_t>(rank * site.in);
}

size_t AdapterBank::layerBytes(const BankSite &site, int64_t rank) const {
  return headerBytes +
         sizeof(float) * (shrinkFloats(site, rank) +
                          static_cast<size_t>(padded(site.out) * rank));
}

size_t AdapterBank::siteOf(const AdaptableModule &module) const {
  std::string path = module.path;
  std::string number = "." + std::to_string(module.layer) + ".";
  if (module.layer >= 0)
    path.replace(path.find(number), number.size(), ".*.");
  auto site = std::ranges::find(model.bank.sites, path, &BankSite::target);
  return static_cast<size_t>(site - model.bank.sites.begin());
}

std::vector<AdapterBank::Place>
AdapterBank::placeSites(const Adapter &adapter) const {
  std::vector<Place> places(model.bank.sites.size());
  for (const AdapterModule &module : adapter.modules()) {
    Place &place = places[siteOf(module.module)];
    place.rank = std::max(place.rank, padded(module.rank));
  }
  size_t offset = 0;
  for (size_t i = 0; i < places.size(); ++i) {
    const BankSite &site = model.bank.sites[i];
    places[i].offset = offset;
    if (places[i].rank != 0)
      offset += layerBytes(site, places[i].rank) *
                static_cast<size_t>(std::max<int64_t>(1, site.layers));
  }
  places.push_back({0, offset}); // where the last site ends
  return places;
}

AdapterBank::Block AdapterBank::allocate(size_t bytes) {
  bytes = (bytes + granule - 1) / granule * granule;
  for (Block &block : unused) {
    if (block.bytes < bytes)
      continue;
    Block result = {block.offset, bytes};
    block.offset += bytes;
    block.bytes -= bytes;
    if (block.bytes == 0)
      std::erase_if(unused, [](const Block &b) { return b.bytes == 0; });
    return result;
  }
  if (bytes > memory->capacity() - used)
    throw std::bad_alloc();
  memory->grow(used + bytes);
  return {std::exchange(used, used + bytes), bytes};
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

void AdapterBank::write(const Adapter &adapter, const StoredTensor &tensor,
                        int64_t paddedRows, int64_t paddedColumns,
                        float *to) const {
  auto writer = tensor.type == StorageType::F32   ? code.writeF32
                : tensor.type == StorageType::F16 ? code.writeF16
                                                  : code.writeBf16;
  writer(tensor.shape[0], tensor.shape[1], paddedRows, paddedColumns,
         adapter.bytes(tensor).data(), to);
}

void AdapterBank::writeModule(const Adapter &adapter,
                              const AdapterModule &module,
                              const Loaded &loaded) {
  size_t index = siteOf(module.module);
  const BankSite &site = model.bank.sites[index];
  const Place &place = loaded.places[index];
  auto layer = static_cast<size_t>(std::max<int64_t>(0, module.module.layer));
  std::byte *start = memory->data() + loaded.block.offset + place.offset +
                     layer * layerBytes(site, place.rank);
  auto scaling = static_cast<float>(module.scaling);
  std::memcpy(start, &scaling, sizeof(scaling));
  auto *factors = reinterpret_cast<float *>(start + headerBytes);
  write(adapter, module.a, place.rank, site.in, factors);
  write(adapter, module.b, padded(site.out), place.rank,
        factors + shrinkFloats(site, place.rank));
}

static AdapterInfo describe(const std::string &name, const Adapter &adapter,
                            size_t bytes) {
  AdapterInfo info;
  info.name = name;
  info.modules = static_cast<int64_t>(adapter.modules().size());
  info.bytes = static_cast<int64_t>(bytes);
  for (const AdapterModule &module : adapter.modules()) {
    info.rank = std::max(info.rank, module.rank);
    info.entries += module.b.entries();
    info.nonzeros += module.b.entries() - module.zeros;
  }
  return info;
}

size_t AdapterBank::load(const std::string &name, const std::string &path) {
  Adapter adapter = Adapter::open(path, CompiledBase(model));
  Loaded loaded;
  loaded.places = placeSites(adapter);
  loaded.block = allocate(loaded.places.back().offset);
  loaded.info = describe(name, adapter, loaded.block.bytes);
  for (const AdapterModule &module : adapter.modules())
    writeModule(adapter, module, loaded);
  auto slot = std::ranges::find_if(
      adapters, [](const auto &adapter) { return !adapter.has_value(); });
  if (slot == adapters.end())
    slot = adapters.emplace(slot);
  *slot = std::move(loaded);
  return static_cast<size_t>(slot - adapters.begin());
}

void AdapterBank::unload(size_t number) {
  Block block = adapters[number]->block;
  unused.push_back(block);
  memory->discard(block.offset, block.bytes);
  adapters[number].reset();
}

const AdapterInfo *AdapterBank::info(size_t number) const {
  return number < adapters.size() && adapters[number] ? &adapters[number]->info
                                                      : nullptr;
}

void AdapterBank::appendSites(size_t number, std::vector<int64_t> &uses) const {
  const Loaded &loaded = *adapters[number];
  for (size_t i = 0; i < model.bank.sites.size(); ++i) {
    uses.push_back(loaded.places[i].rank);
    uses.push_back(
        static_cast<int64_t>(loaded.block.offset + loaded.places[i].offset));
  }
}
