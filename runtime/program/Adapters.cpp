// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/program/Adapters.h"

#include <algorithm>

using namespace lori;

[[noreturn]] static void failUnknown(const ModelInfo &info,
                                     const std::string &name) {
  if (std::ranges::find(info.fused, name) != info.fused.end())
    throw Error("adapter '" + name +
                "' is fused into the weights and always on, leave it out (or "
                "compile with --mode=live to switch it)");
  if (info.adapters.empty())
    throw Error("no adapter '" + name +
                "': this program was compiled without adapters, compile it "
                "with --adapter " +
                name + "=PATH");
  std::string names;
  for (const AdapterInfo &adapter : info.adapters)
    names += (names.empty() ? "" : ", ") + adapter.name;
  throw Error("no adapter '" + name + "' in this program, it has " + names);
}

std::vector<lori_adapter_use>
lori::resolveAdapters(const Model &model,
                      std::span<const AdapterChoice> choices) {
  std::vector<lori_adapter_use> uses;
  for (const AdapterChoice &choice : choices) {
    int32_t adapter = lori_adapter_find(model.get(), choice.name.c_str());
    if (adapter < 0)
      failUnknown(model.info(), choice.name);
    uses.push_back({adapter, choice.scale.value_or(
                                 lori_adapter_scale(model.get(), adapter))});
  }
  return uses;
}
