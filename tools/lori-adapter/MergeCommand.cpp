// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergeChoice.h"
#include "tools/adapter/MergeFiles.h"
#include "tools/adapter/ReportTables.h"
#include "tools/lori-adapter/Command.h"

#include <cstdio>

using namespace lori;

static void declare(Arguments &arguments) {
  arguments.positionals("DIR...");
  arguments.option("-o", "OUT_DIR", "the PEFT directory to write");
  arguments.option("--type", "TYPE",
                   "one of " + mergeTypeNames() +
                       ", or auto: the smallest that is exact");
  arguments.option("--max-error", "E",
                   "what auto may lose, as a share of the sum of the deltas "
                   "(1e-6)");
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
  if (!known && type != "auto")
    throw UsageError("--type takes one of " + mergeTypeNames() +
                     ", auto, not '" + type + "'");
  options.type = known.value_or(options.type);
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

/// Predicts all types, prints that and returns the chosen one.
static MergeType chooseType(const std::vector<AdapterInput> &inputs,
                            const MergeOptions &options, double maxError) {
  Report report = makeReport(inputs, {options, availableThreads()});
  std::string table = tableText(mergeTable(report));
  std::fputs(table.c_str(), stdout);
  MergeType type = chooseMerge(report.merges, maxError);
  std::printf("auto chooses %s\n", std::string(mergeTypeName(type)).c_str());
  return type;
}

/// Returns what auto may lose, or nothing for a type that is named.
static std::optional<double> readMaxError(const Arguments &arguments) {
  bool isAuto = arguments.text("--type") == "auto";
  if (!isAuto && arguments.has("--max-error"))
    throw UsageError("--max-error is what --type=auto may lose, other types "
                     "do what they do");
  if (!isAuto)
    return std::nullopt;
  if (!arguments.has("--weights"))
    throw UsageError("--type=auto needs --weights, one for each adapter");
  double error = arguments.number("--max-error").value_or(1e-6);
  if (error < 0)
    throw UsageError("--max-error takes a number from 0 on, not '" +
                     arguments.text("--max-error") + "'");
  return error;
}

static void run(const Arguments &arguments) {
  MergeOptions options = readOptions(arguments);
  std::optional<double> maxError = readMaxError(arguments);
  std::string output = arguments.required("-o");
  std::vector<AdapterInput> inputs;
  for (const std::string &path : arguments.take(
           maxError ? 2 : 1, SIZE_MAX,
           maxError ? "two adapters or more" : "one adapter or more")) {
    inputs.push_back(AdapterInput::open(path));
    warn(inputs.back().warnings());
  }
  if (maxError)
    options.type = chooseType(inputs, options, *maxError);
  MergePlan plan = planMerge(inputs, options);
  warn(plan.warnings);
  mergeToDirectory(inputs, plan, arguments.text("--drop-masks"), output,
                   availableThreads());
}

const Command lori::mergeCommand = {
    "merge", "make one adapter of several, as PEFT does or exactly", declare,
    run};
