// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/JsonWriter.h"
#include "tools/adapter/Inspect.h"
#include "tools/lori-adapter/Command.h"

#include <cstdio>

using namespace lori;

static void declareInspect(Arguments &arguments) {
  arguments.positionals("PATH...");
  arguments.flag("--json",
                 "one line of JSON for each adapter, with all modules");
}

static void runInspect(const Arguments &arguments) {
  for (const std::string &path :
       arguments.take(1, SIZE_MAX, "one adapter or more")) {
    AdapterInput adapter = AdapterInput::open(path);
    warn(adapter.warnings());
    AdapterSummary summary = summarize(adapter);
    std::string text = arguments.has("--json")
                           ? jsonText(summaryJson(summary)) + "\n"
                           : summaryText(summary);
    std::fputs(text.c_str(), stdout);
  }
}

static void declareVerify(Arguments &arguments) {
  arguments.positionals("PATH...");
  arguments.option("--base", "MODEL", "the base that the adapters must fit");
}

static void runVerify(const Arguments &arguments) {
  std::vector<std::string> paths =
      arguments.take(1, SIZE_MAX, "one adapter or more");
  std::optional<Checkpoint> base;
  if (arguments.has("--base"))
    base.emplace(Checkpoint::open(arguments.text("--base")));
  for (const std::string &path : paths) {
    AdapterInput adapter =
        base ? AdapterInput::open(path, *base) : AdapterInput::open(path);
    warn(adapter.warnings());
    std::printf("%s: ok, %zu modules%s\n", path.c_str(),
                adapter.modules().size(),
                base ? ", fits the base" : ", not checked against a base");
  }
}

const Command lori::inspectCommand = {
    "inspect", "say what adapters are made of", declareInspect, runInspect};
const Command lori::verifyCommand = {
    "verify", "check adapters and packs, alone or against their base",
    declareVerify, runVerify};
