// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/AdapterPath.h"
#include "runtime/support/Error.h"
#include "tools/adapter/Fuse.h"
#include "tools/lori-adapter/Command.h"

using namespace lori;

static void declare(Arguments &arguments) {
  arguments.positionals("MODEL PATH[@SCALE]...");
  arguments.option("-o", "OUT", "the Hugging Face directory to write");
  arguments.flag("--safe-merge",
                 "round each delta before it is added, as PEFT's safe_merge");
}

static void run(const Arguments &arguments) {
  std::vector<std::string> given = arguments.take(
      2, SIZE_MAX, "a Hugging Face directory and one adapter or more");
  std::string output = arguments.required("-o");
  if (output.ends_with(".gguf"))
    throw Error(output, "would be a GGUF file, a Hugging Face directory is "
                        "what fuse writes, give another name");
  Checkpoint base = Checkpoint::open(given.front());
  std::vector<ScaledAdapter> adapters;
  for (size_t i = 1; i < given.size(); ++i) {
    AdapterPath path = parseAdapterPath(given[i]);
    adapters.push_back(
        {AdapterInput::open(path.path, base), path.scale.value_or(1)});
    warn(adapters.back().input.warnings());
  }
  FuseOptions options;
  options.safeMerge = arguments.has("--safe-merge");
  options.threads = availableThreads();
  fuseToDirectory(base, adapters, output, options);
}

const Command lori::fuseCommand = {
    "fuse", "add adapters to the weights of their base", declare, run};
