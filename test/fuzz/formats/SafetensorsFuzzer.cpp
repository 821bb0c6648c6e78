// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Safetensors.h"
#include "runtime/support/Error.h"

#include <cstdlib>

using namespace lori;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    auto bytes = std::as_bytes(std::span(data, size));
    SafetensorsHeader header = readSafetensorsHeader(bytes, "fuzz");
    // What is accepted lies in the file, one tensor after the other.
    uint64_t end = 0;
    for (const StoredTensor &tensor : header.tensors) {
      if (tensor.offset < end || tensor.bytes > size ||
          tensor.offset > size - tensor.bytes ||
          storageBytes(tensor.type, tensor.entries()) != tensor.bytes)
        std::abort();
      end = tensor.offset + tensor.bytes;
    }
  } catch (const Error &) {
    return 0; // refused, as it should be
  }
  return 0;
}
