// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/Gguf.h"
#include "runtime/formats/ModelTensors.h"
#include "runtime/support/Error.h"

#include <cstdlib>

using namespace lori;

/// Reads each value, so that a view outside the file is seen.
static void touch(const Gguf &gguf) {
  volatile double sum = 0;
  for (const char *key : {"s", "f", "tokenizer.ggml.tokens", "bools"}) {
    const GgufValue *value = gguf.find(key);
    if (!value)
      continue;
    if (const auto *strings = std::get_if<GgufStrings>(&value->value))
      for (std::string_view text : *strings)
        sum = sum + (text.empty() ? 0 : text.front() + text.back());
    if (const auto *numbers = std::get_if<GgufNumbers>(&value->value))
      for (size_t i = 0; i < numbers->count; ++i)
        sum = sum + numbers->asNumber(i) +
              static_cast<double>(numbers->asInteger(i));
  }
  for (const StoredTensor &tensor : gguf.tensors()) {
    auto bytes = gguf.bytes(tensor);
    if (bytes.size() != tensor.bytes ||
        storageBytes(tensor.type, tensor.entries()) != tensor.bytes)
      std::abort();
    if (!bytes.empty())
      sum = sum + static_cast<double>(bytes.front()) +
            static_cast<double>(bytes.back());
    canonicalTensorName(tensor.name);
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  try {
    Gguf gguf(std::as_bytes(std::span(data, size)), "fuzz");
    touch(gguf);
    ModelConfig config = modelConfigFromGguf(gguf);
    if (config.layers < 100)
      modelTensors(config);
  } catch (const Error &) {
    return 0; // refused, as it should be
  }
  return 0;
}
