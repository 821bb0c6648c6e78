// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/engine/CpuFeatures.h"
#include "runtime/program/Commands.h"
#include "runtime/program/Streams.h"
#include "runtime/threads/Threads.h"

#include <nlohmann/json.hpp>

using namespace lori;
using Json = nlohmann::ordered_json;

void lori::runInfo(const Model &model) {
  Json json = Json::parse(model.metadata());
  json["tokenizer_bytes"] = model.tokenizer().size();
  json["machine"] = {{"cpu_features", cpuFeatures()},
                     {"threads", lori_threads()},
                     {"sequences", model.maxSequences()}};
  // A line for each key: arrays of features and adapters stay readable.
  std::string text = "{";
  for (const auto &[key, value] : json.items())
    text += (text.size() == 1 ? "\n  " : ",\n  ") + Json(key).dump() + ": " +
            value.dump();
  writeOutput(text + "\n}\n");
}
