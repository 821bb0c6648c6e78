// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Adapters.h"

#include <algorithm>

using namespace lori;

[[noreturn]] static void failUnknown(const Model &model,
                                     const std::string &name) {
  const ModelInfo &info = model.info();
  if (std::ranges::find(info.fused, name) != info.fused.end())
    throw Error("adapter '" + name +
                "' is fused into the weights and always on, leave it out (or "
                "compile with --mode=live to switch it)");
  std::string names;
  for (int32_t i = 0; i < lori_adapter_count(model.get()); ++i)
    if (const char *known = lori_adapter_name(model.get(), i))
      names += (names.empty() ? "" : ", ") + std::string(known);
  if (names.empty())
    throw Error("no adapter '" + name +
                "': this program was compiled without adapters, load one with "
                "--load " +
                name + "=PATH or compile it with --adapter " + name + "=PATH");
  throw Error("no adapter '" + name + "' in this program, it has " + names);
}

void lori::loadAdapters(Model &model, std::span<const AdapterSource> sources) {
  for (const AdapterSource &source : sources) {
    int32_t adapter = 0;
    throwUnlessOk(lori_adapter_load(model.get(), source.name.c_str(),
                                    source.path.c_str(), &adapter));
  }
}

std::vector<lori_adapter_use>
lori::resolveAdapters(const Model &model,
                      std::span<const AdapterChoice> choices) {
  std::vector<lori_adapter_use> uses;
  for (const AdapterChoice &choice : choices) {
    int32_t adapter = lori_adapter_find(model.get(), choice.name.c_str());
    if (adapter < 0)
      failUnknown(model, choice.name);
    uses.push_back({adapter, choice.scale.value_or(
                                 lori_adapter_scale(model.get(), adapter))});
  }
  return uses;
}
