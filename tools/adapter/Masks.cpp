// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/Masks.h"
#include "runtime/support/Error.h"
#include "runtime/support/Philox.h"

#include <algorithm>
#include <cmath>
#include <functional>

using namespace lori;

/// The group of a module: modules of equal groups share a threshold.
static std::string groupOf(const AdaptableModule &module,
                           MaskGranularity granularity) {
  std::string_view path = module.path;
  std::string last(path.substr(path.rfind('.') + 1));
  switch (granularity) {
  case MaskGranularity::Model:
    return "all";
  case MaskGranularity::Module:
    if (path.find(".self_attn.") != path.npos)
      return "attention";
    return path.find(".mlp.") != path.npos ? "mlp" : last;
  case MaskGranularity::Projection:
    return last;
  case MaskGranularity::Layer:
    return module.layer >= 0 ? "layer " + std::to_string(module.layer) : last;
  case MaskGranularity::Matrix:
    return module.path;
  }
  return "";
}

namespace {

class MaskMaker {
public:
  MaskMaker(const AdapterInput &adapter, const MaskOptions &options)
      : adapter(adapter), options(options) {}

  Masks make() {
    std::map<std::string, std::vector<const AdapterModule *>> groups;
    uint64_t index = 0;
    for (const AdapterModule &module : adapter.modules()) {
      groups[groupOf(module.module, options.granularity)].push_back(&module);
      firstIndex[&module] = index;
      index += static_cast<uint64_t>(module.b.entries());
    }
    for (const auto &[name, modules] : groups)
      options.method == MaskMethod::Magnitude ? keepLargest(name, modules)
                                              : keepRandom(name, modules);
    return std::move(masks);
  }

private:
  using Group = std::vector<const AdapterModule *>;

  size_t keptOf(const std::string &name, size_t entries) const {
    auto k = static_cast<size_t>((1 - options.sparsity) *
                                 static_cast<double>(entries));
    if (k == 0)
      throw Error(adapter.path(), "keeps none of the " +
                                      std::to_string(entries) +
                                      " entries of the group '" + name +
                                      "', give a smaller --sparsity");
    return k;
  }

  void keepLargest(const std::string &name, const Group &group) {
    std::vector<float> magnitudes;
    for (const AdapterModule *module : group)
      for (float x : adapter.b(*module))
        magnitudes.push_back(std::fabs(x));
    size_t k = keptOf(name, magnitudes.size());
    auto kth = magnitudes.begin() + static_cast<int64_t>(k - 1);
    std::nth_element(magnitudes.begin(), kth, magnitudes.end(),
                     std::greater<>());
    float threshold = *kth;
    if (threshold == 0)
      throw Error(adapter.path(),
                  "has fewer than " + std::to_string(k) +
                      " entries of B that are not 0 in the group '" + name +
                      "', a mask is taken from a dense B (LoRI-D), give that "
                      "adapter or a larger --sparsity");
    for (const AdapterModule *module : group) {
      Mask &mask = newMask(*module);
      for (float x : adapter.b(*module))
        mask.keep.push_back(std::fabs(x) >= threshold);
    }
  }

  void keepRandom(const std::string &name, const Group &group) {
    std::vector<uint32_t> words;
    for (const AdapterModule *module : group)
      forEachWord(*module, [&](uint32_t word) { words.push_back(word); });
    size_t k = keptOf(name, words.size());
    auto kth = words.begin() + static_cast<int64_t>(k - 1);
    std::nth_element(words.begin(), kth, words.end());
    uint32_t largest = *kth;
    auto below = static_cast<size_t>(std::ranges::count_if(
        words, [largest](uint32_t word) { return word < largest; }));
    size_t ties = k - below;
    for (const AdapterModule *module : group) {
      Mask &mask = newMask(*module);
      forEachWord(*module, [&](uint32_t word) {
        bool isTie = word == largest && ties > 0;
        ties -= isTie;
        mask.keep.push_back(word < largest || isTie);
      });
    }
  }

  template <typename Visit>
  void forEachWord(const AdapterModule &module, Visit &&visit) const {
    uint64_t first = firstIndex.at(&module);
    auto count = static_cast<uint64_t>(module.b.entries());
    std::array<uint32_t, 4> words{};
    for (uint64_t i = first; i < first + count; ++i) {
      if (i == first || i % 4 == 0)
        words = philox4x32({static_cast<uint32_t>(i / 4),
                            static_cast<uint32_t>(i / 4 >> 32), 0, 0},
                           options.seed);
      visit(words[i % 4]);
    }
  }

  Mask &newMask(const AdapterModule &module) {
    Mask &mask = masks[module.module.path];
    mask.rows = module.module.out;
    mask.columns = module.rank;
    mask.keep.reserve(static_cast<size_t>(module.b.entries()));
    return mask;
  }

  const AdapterInput &adapter;
  const MaskOptions &options;
  std::map<const AdapterModule *, uint64_t> firstIndex;
  Masks masks;
};

} // namespace

Masks lori::makeMasks(const AdapterInput &adapter, const MaskOptions &options) {
  return MaskMaker(adapter, options).make();
}
