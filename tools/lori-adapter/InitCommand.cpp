// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/NewAdapter.h"
#include "tools/lori-adapter/Command.h"

using namespace lori;

void lori::declareSeed(Arguments &arguments, const std::string &help) {
  arguments.option("--seed", "S", help);
  arguments.option("--init", "KIND",
                   "how S draws A: kaiming_uniform (default) or normal");
}

std::optional<ProjectionSeed> lori::projectionSeed(const Arguments &arguments) {
  size_t init = arguments.choice("--init", {"kaiming_uniform", "normal"});
  std::optional<uint64_t> seed = arguments.seed("--seed");
  if (!seed && arguments.has("--init"))
    throw UsageError("--init says how --seed draws, which is missing");
  if (!seed)
    return std::nullopt;
  return ProjectionSeed{*seed, init == 0 ? ProjectionInit::KaimingUniform
                                         : ProjectionInit::Normal};
}

static void declareInit(Arguments &arguments) {
  arguments.positionals("MODEL");
  arguments.option("-o", "DIR", "the PEFT directory to write");
  declareSeed(arguments, "what the A's are drawn from");
  arguments.option("--rank", "R", "rank of all modules");
  arguments.option("--alpha", "A", "lora_alpha (twice the rank)");
  arguments.option("--targets", "NAME,...",
                   "the projections to adapt, q_proj,v_proj (all of the "
                   "layers)");
  arguments.option("--factor-type", "TYPE", "f32 (default), f16 or bf16");
}

static std::vector<std::string> splitNames(const std::string &text) {
  std::vector<std::string> names;
  for (size_t at = 0; at < text.size();) {
    size_t comma = std::min(text.find(',', at), text.size());
    names.push_back(text.substr(at, comma - at));
    at = comma + 1;
  }
  return names;
}

static void runInit(const Arguments &arguments) {
  std::string model = arguments.take(1, 1, "one model").front();
  std::string output = arguments.required("-o");
  arguments.required("--seed");
  arguments.required("--rank");
  NewAdapterOptions options;
  options.seed = *projectionSeed(arguments);
  options.rank = *arguments.integer("--rank", 1, 65536);
  options.alpha = arguments.number("--alpha").value_or(
      2 * static_cast<double>(options.rank));
  options.targets = splitNames(arguments.text("--targets"));
  options.type = std::array{StorageType::F32, StorageType::F16,
                            StorageType::BF16}[arguments.choice(
      "--factor-type", {"f32", "f16", "bf16"})];
  writeNewAdapter(Checkpoint::open(model), options, output);
}

const Command lori::initCommand = {
    "init", "make an untrained adapter whose A's are drawn from a seed",
    declareInit, runInit};
