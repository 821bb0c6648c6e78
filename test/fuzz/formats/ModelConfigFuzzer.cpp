// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// config.json.

#include "runtime/formats/ModelTensors.h"
#include "runtime/formats/StorageType.h"
#include "runtime/support/Error.h"

#include <cstdlib>

using namespace lori;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    ModelConfig config =
        parseModelConfig({reinterpret_cast<const char *>(data), size}, "fuzz");
    if (config.heads % config.kvHeads != 0 || config.headDim % 2 != 0 ||
        config.windows.size() != static_cast<size_t>(config.layers))
      std::abort();
    if (config.layers < 100)
      for (const ModelTensor &tensor : modelTensors(config))
        if (!entryCount(tensor.shape))
          std::abort();
  } catch (const Error &) {
    return 0; // refused, as it should be
  }
  return 0;
}
