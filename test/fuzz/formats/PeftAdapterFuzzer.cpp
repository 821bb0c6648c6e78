// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// adapter_model.safetensors against a fixed base and configuration.

#include "runtime/formats/PeftAdapter.h"
#include "runtime/support/Error.h"
#include "test/unit/formats/SampleAdapters.h"

#include <cmath>
#include <cstdlib>

using namespace lori;
using namespace lori::test;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static TemporaryFolder folder;
  static const Checkpoint base =
      Checkpoint::open(writeSampleModel(folder, "base"));
  static const std::string path = writeSampleAdapter(folder, "adapter", {}, {});
  folder.write("adapter/adapter_model.safetensors",
               {reinterpret_cast<const char *>(data), size});
  try {
    PeftAdapter adapter = PeftAdapter::open(path, base);
    for (const AdapterModule &module : adapter.modules())
      if (module.rank != module.a.shape[0] || !std::isfinite(module.scaling) ||
          module.zeros > module.b.entries())
        std::abort();
  } catch (const Error &) {
    return 0; // refused, as it should be
  }
  return 0;
}
