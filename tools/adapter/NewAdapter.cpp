// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/NewAdapter.h"
#include "runtime/formats/Json.h"
#include "runtime/formats/JsonWriter.h"
#include "runtime/formats/ModelTensors.h"
#include "runtime/formats/SafetensorsWriter.h"
#include "runtime/support/Error.h"
#include "runtime/support/NewFolder.h"

#include <algorithm>
#include <set>

using namespace lori;

static std::string lastPart(const std::string &path) {
  return path.substr(path.rfind('.') + 1);
}

/// Returns the modules to adapt; every target must be found.
static std::vector<AdaptableModule>
chooseModules(const Checkpoint &base, std::vector<std::string> &targets) {
  std::set<std::string> known, used;
  std::vector<AdaptableModule> chosen;
  for (const AdaptableModule &module : adaptableModules(base.config())) {
    if (module.kind != AdaptableModule::Kind::Linear)
      continue;
    std::string name = lastPart(module.path);
    known.insert(name);
    if (!targets.empty() && std::ranges::find(targets, name) == targets.end())
      continue;
    used.insert(name);
    chosen.push_back(module);
  }
  for (const std::string &target : targets)
    if (!used.contains(target)) {
      std::string all;
      for (const std::string &name : known)
        all += (all.empty() ? "" : ", ") + name;
      throw Error(base.path(), "has no projection '" + target +
                                   "' in its layers, it has " + all);
    }
  targets.assign(used.begin(), used.end());
  return chosen;
}

static std::string configText(const Checkpoint &base,
                              const NewAdapterOptions &options) {
  JsonValue::Array targets;
  for (const std::string &target : options.targets)
    targets.emplace_back(target);
  JsonValue::Object config;
  auto add = [&](const char *key, auto value) {
    config.emplace_back(key, JsonValue(std::move(value)));
  };
  add("base_model_name_or_path", base.path());
  add("bias", std::string("none"));
  add("fan_in_fan_out", false);
  add("inference_mode", true);
  add("init_lora_weights", true);
  add("lora_alpha", options.alpha);
  add("lora_dropout", 0.0);
  add("peft_type", std::string("LORA"));
  add("r", options.rank);
  add("target_modules", std::move(targets));
  add("task_type", std::string("CAUSAL_LM"));
  add("use_rslora", false);
  return jsonText(JsonValue(std::move(config))) + "\n";
}

namespace {

/// The tensors in the order of the file, wide entries first, then by name.
struct Factor {
  SafetensorsWriter::Tensor tensor;
  std::optional<SeededProjection> drawn; ///< none: zeros
};

} // namespace

static std::vector<Factor> listFactors(const Checkpoint &base,
                                       NewAdapterOptions &options) {
  std::vector<Factor> factors;
  for (const AdaptableModule &module : chooseModules(base, options.targets)) {
    std::string stem = "base_model.model." + module.path;
    factors.push_back(
        {{stem + ".lora_A.weight", options.type, {options.rank, module.in}},
         SeededProjection{options.seed.seed, projectionStream(module.path),
                          options.seed.init, module.in}});
    factors.push_back(
        {{stem + ".lora_B.weight", options.type, {module.out, options.rank}},
         {}});
  }
  std::ranges::sort(factors, {}, [](const Factor &factor) {
    return std::string_view(factor.tensor.name);
  });
  return factors;
}

void lori::writeNewAdapter(const Checkpoint &base,
                           const NewAdapterOptions &given,
                           const std::string &output) {
  NewAdapterOptions options = given;
  std::vector<Factor> factors = listFactors(base, options);
  NewFolder folder(output);
  NewFile config(folder / "adapter_config.json");
  config.write(configText(base, options));
  config.commit();
  NewFile file(folder / "adapter_model.safetensors");
  std::vector<SafetensorsWriter::Tensor> header;
  for (const Factor &factor : factors)
    header.push_back(factor.tensor);
  SafetensorsWriter writer(file, header, {{"format", "pt"}});
  for (const Factor &factor : factors) {
    const std::vector<int64_t> &shape = factor.tensor.shape;
    if (factor.drawn)
      writer.append(factor.drawn->draw(options.type, shape[0]));
    else
      writer.append(std::vector<std::byte>(
          *storageBytes(options.type, shape[0] * shape[1])));
  }
  writer.finish();
  file.commit();
  folder.commit();
}
