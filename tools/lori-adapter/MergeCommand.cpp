// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergeFiles.h"
#include "tools/lori-adapter/Command.h"

using namespace lori;

static void declare(Arguments &arguments) {
  arguments.positionals("DIR...");
  arguments.option("-o", "OUT_DIR", "the PEFT directory to write");
  arguments.option("--type", "TYPE", "one of " + mergeTypeNames());
  arguments.option("--weights", "W,W,...", "one for each adapter");
  arguments.option("--density", "D",
                   "fraction of entries to keep (ties, dare, magnitude_prune)");
  arguments.option("--majority-sign", "total|frequency",
                   "how ties elects signs (total)");
  arguments.option("--svd-rank", "N",
                   "rank of an svd type's result (the largest of the inputs)");
  arguments.option("--seed", "S", "of the draws of dare (0)");
  arguments.option("--drop-masks", "FILE",
                   "safetensors with the draws of dare, bernoulli.0000 and on");
  arguments.option("--peft-compat", "VERSION",
                   "merge as that version of PEFT does, 0.7 and later (0.21)");
}

static MergeOptions readOptions(const Arguments &arguments) {
  MergeOptions options;
  std::string type = arguments.required("--type");
  auto known = mergeTypeByName(type);
  if (!known)
    throw UsageError("--type takes one of " + mergeTypeNames() + ", not '" +
                     type + "'");
  options.type = *known;
  options.weights = arguments.numbers("--weights");
  options.density = arguments.number("--density");
  options.election =
      arguments.choice("--majority-sign", {"total", "frequency"}) == 0
          ? SignElection::Total
          : SignElection::Frequency;
  options.svdRank = arguments.integer("--svd-rank", 1, 65536);
  options.seed = arguments.seed("--seed").value_or(0);
  if (arguments.has("--peft-compat")) {
    std::string text = arguments.text("--peft-compat");
    auto version = PeftVersion::parse(text);
    if (!version)
      throw UsageError("--peft-compat takes a version of PEFT from 0.7 on, "
                       "like 0.12, not '" +
                       text + "'");
    options.compat = *version;
  }
  return options;
}

static void run(const Arguments &arguments) {
  MergeOptions options = readOptions(arguments);
  std::string output = arguments.required("-o");
  std::vector<AdapterInput> inputs;
  for (const std::string &path :
       arguments.take(1, SIZE_MAX, "one adapter or more")) {
    inputs.push_back(AdapterInput::open(path));
    warn(inputs.back().warnings());
  }
  MergePlan plan = planMerge(inputs, options);
  warn(plan.warnings);
  mergeToDirectory(inputs, plan, arguments.text("--drop-masks"), output,
                   availableThreads());
}

const Command lori::mergeCommand = {
    "merge", "make one adapter of several, as PEFT does or exactly", declare,
    run};
