// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/CpuFeatures.h"
#include "runtime/program/Commands.h"
#include "runtime/program/Streams.h"
#include "runtime/threads/Threads.h"

#include <nlohmann/json.hpp>

using namespace lori;

void lori::runInfo(const Model &model) {
  auto json = nlohmann::ordered_json::parse(model.metadata());
  json["tokenizer_bytes"] = model.tokenizer().size();
  json["machine"] = {{"cpu_features", cpuFeatures()},
                     {"threads", lori_threads()},
                     {"sequences", model.maxSequences()}};
  writeOutput(json.dump(2) + "\n");
}
