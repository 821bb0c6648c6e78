// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/support/Error.h"
#include "tools/adapter/AdapterInput.h"
#include "tools/lori-adapter/Command.h"

using namespace lori;

static void declarePack(Arguments &arguments) {
  arguments.positionals("DIR");
  arguments.option("-o", "FILE.safetensors", "the pack to write");
  arguments.option("--base", "MODEL",
                   "check the adapter against its base, and note which it is");
  declareSeed(arguments, "leave out the A's, which are what S draws");
}

static void runPack(const Arguments &arguments) {
  std::string path = arguments.take(1, 1, "one PEFT directory").front();
  std::string output = arguments.required("-o");
  if (!output.ends_with(".safetensors"))
    throw UsageError("-o takes a name that ends in .safetensors, not '" +
                     output + "'");
  std::optional<Checkpoint> base;
  if (arguments.has("--base"))
    base.emplace(Checkpoint::open(arguments.text("--base")));
  AdapterInput input =
      base ? AdapterInput::open(path, *base) : AdapterInput::open(path);
  warn(input.warnings());
  if (!input.directory())
    throw Error(path, "is a pack already, expected a PEFT directory");
  packAdapter(*input.directory(), base ? base->fingerprint() : "", output,
              projectionSeed(arguments));
}

static void declareUnpack(Arguments &arguments) {
  arguments.positionals("PACK");
  arguments.option("-o", "DIR", "the PEFT directory to write");
}

static void runUnpack(const Arguments &arguments) {
  std::string path = arguments.take(1, 1, "one adapter pack").front();
  unpackAdapter(AdapterPack(path), arguments.required("-o"));
}

const Command lori::packCommand = {
    "pack", "store an adapter without B's zeros, in one file", declarePack,
    runPack};
const Command lori::unpackCommand = {
    "unpack", "make the PEFT directory again that a pack was made of",
    declareUnpack, runUnpack};
