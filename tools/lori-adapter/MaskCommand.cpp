// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MaskFiles.h"
#include "tools/lori-adapter/Command.h"

using namespace lori;

static void declare(Arguments &arguments) {
  arguments.positionals("DIR");
  arguments.option("-o", "FILE|DIR",
                   "the masks to write (.safetensors or .pt); with --apply the "
                   "masked adapter");
  arguments.option("--sparsity", "S", "the fraction of B to zero (0.9)");
  arguments.option("--granularity", "model|module|projection|layer|matrix",
                   "which matrices share a threshold (model)");
  arguments.option("--method", "magnitude|random",
                   "keep the largest entries, or any (magnitude)");
  arguments.option("--seed", "N", "of random masks (0)");
  arguments.option("--apply", "FILE", "zero what these masks leave out");
}

static MaskOptions readOptions(const Arguments &arguments) {
  MaskOptions options;
  options.sparsity = arguments.number("--sparsity").value_or(0.9);
  if (options.sparsity < 0 || options.sparsity >= 1)
    throw UsageError("--sparsity takes a number from 0 up to, not including, "
                     "1, not '" +
                     arguments.text("--sparsity") + "'");
  options.granularity = static_cast<MaskGranularity>(arguments.choice(
      "--granularity", {"model", "module", "projection", "layer", "matrix"}));
  options.method = static_cast<MaskMethod>(
      arguments.choice("--method", {"magnitude", "random"}));
  options.seed = arguments.seed("--seed").value_or(0);
  return options;
}

static void refuseBesideApply(const Arguments &arguments) {
  for (const char *name : {"--sparsity", "--granularity", "--method", "--seed"})
    if (arguments.has(name))
      throw UsageError(std::string(name) +
                       " makes masks, --apply uses those of a file: give one "
                       "of them");
}

static void run(const Arguments &arguments) {
  std::string path = arguments.take(1, 1, "one adapter").front();
  std::string output = arguments.required("-o");
  if (arguments.has("--apply")) {
    refuseBesideApply(arguments);
    std::string masks = arguments.text("--apply");
    AdapterInput adapter = AdapterInput::open(path);
    warn(adapter.warnings());
    return applyToDirectory(adapter, readMasks(masks), masks, output);
  }
  MaskOptions options = readOptions(arguments);
  if (!output.ends_with(".safetensors") && !output.ends_with(".pt"))
    throw UsageError("-o takes a name that ends in .safetensors or .pt, not '" +
                     output + "'");
  AdapterInput adapter = AdapterInput::open(path);
  warn(adapter.warnings());
  writeMasks(makeMasks(adapter, options), output);
}

const Command lori::maskCommand = {
    "mask", "choose which entries of B to keep, or apply such a choice",
    declare, run};
