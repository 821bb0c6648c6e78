// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/DetachedBase.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <tuple>

using namespace lori;

static constexpr std::string_view prefix = "base_model.model.";

/// The number after the first ".layers." of a path, or -1.
static int64_t layerOf(std::string_view path) {
  constexpr std::string_view mark = ".layers.";
  size_t at = path.find(mark);
  if (at == path.npos)
    return -1;
  int64_t layer = -1;
  const char *end = path.data() + path.size();
  auto parsed = std::from_chars(path.data() + at + mark.size(), end, layer);
  return parsed.ec == std::errc() && layer >= 0 ? layer : -1;
}

AdaptableModule lori::moduleFromPath(const std::string &path) {
  AdaptableModule module;
  module.path = path;
  module.layer = layerOf(path);
  if (path == "lm_head" || path.ends_with(".lm_head"))
    module.kind = AdaptableModule::Kind::LmHead;
  if (path.ends_with("embed_tokens"))
    module.kind = AdaptableModule::Kind::Embedding;
  return module;
}

static int rankInLayer(std::string_view path) {
  constexpr std::string_view order[] = {"q_proj",   "k_proj",    "v_proj",
                                        "o_proj",   "gate_proj", "up_proj",
                                        "down_proj"};
  std::string_view last = path.substr(path.rfind('.') + 1);
  return static_cast<int>(std::ranges::find(order, last) - order);
}

bool lori::comesBefore(const AdaptableModule &a, const AdaptableModule &b) {
  auto key = [](const AdaptableModule &m) {
    int part = m.kind == AdaptableModule::Kind::Embedding ? 0
               : m.layer >= 0                             ? 1
                                                          : 2;
    return std::tuple(part, m.layer, rankInLayer(m.path),
                      std::string_view(m.path));
  };
  return key(a) < key(b);
}

DetachedBase::DetachedBase(const SafetensorsFile &adapter, std::string baseName)
    : name(std::move(baseName)) {
  constexpr std::pair<std::string_view, bool> suffixes[] = {
      {".lora_A.weight", true},
      {".lora_B.weight", false},
      {".lora_embedding_A", true},
      {".lora_embedding_B", false}};
  std::map<std::string, AdaptableModule> found;
  for (const StoredTensor &tensor : adapter.tensors())
    for (const auto &[suffix, isA] : suffixes) {
      std::string_view path = tensor.name;
      if (!path.starts_with(prefix) || !path.ends_with(suffix))
        continue;
      path.remove_prefix(prefix.size());
      path.remove_suffix(std::min(path.size(), suffix.size()));
      auto at = found.try_emplace(std::string(path)).first;
      AdaptableModule &module = at->second;
      if (module.path.empty())
        module = moduleFromPath(at->first);
      if (suffix.find("embedding") != suffix.npos)
        module.kind = AdaptableModule::Kind::Embedding;
      if (tensor.shape.size() == 2)
        (isA ? module.in : module.out) = tensor.shape[isA ? 1 : 0];
    }
  for (auto &[path, module] : found)
    moduleList.push_back(std::move(module));
  std::sort(moduleList.begin(), moduleList.end(), comesBefore);
}
