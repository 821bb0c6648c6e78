// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/TensorValues.h"
#include "runtime/support/HalfFloat.h"

#include <cassert>
#include <cstring>

using namespace lori;

// In chunks through an aligned buffer, so that the compiler makes vectors.
template <typename Convert>
static void load16(std::span<const std::byte> bytes, std::span<float> values,
                   Convert convert) {
  constexpr size_t chunk = 1024;
  uint16_t words[chunk];
  for (size_t at = 0; at < values.size(); at += chunk) {
    size_t count = std::min(chunk, values.size() - at);
    std::memcpy(words, bytes.data() + at * 2, count * 2);
    for (size_t i = 0; i < count; ++i)
      values[at + i] = convert(words[i]);
  }
}

template <typename Convert>
static void store16(std::span<const float> values, std::span<std::byte> bytes,
                    Convert convert) {
  constexpr size_t chunk = 1024;
  uint16_t words[chunk];
  for (size_t at = 0; at < values.size(); at += chunk) {
    size_t count = std::min(chunk, values.size() - at);
    for (size_t i = 0; i < count; ++i)
      words[i] = convert(values[at + i]);
    std::memcpy(bytes.data() + at * 2, words, count * 2);
  }
}

void lori::loadFloats(StorageType type, std::span<const std::byte> bytes,
                      std::span<float> values) {
  assert(storageBytes(type, static_cast<int64_t>(values.size())) ==
         bytes.size());
  switch (type) {
  case StorageType::F32:
    if (!values.empty())
      std::memcpy(values.data(), bytes.data(), bytes.size());
    return;
  case StorageType::F16:
    return load16(bytes, values, f16ToF32);
  case StorageType::BF16:
    return load16(bytes, values, bf16ToF32);
  default:
    assert(false && "only float tensors are read");
  }
}

std::vector<float> lori::loadFloats(StorageType type,
                                    std::span<const std::byte> bytes) {
  std::vector<float> values(bytes.size() /
                            static_cast<size_t>(blockBytes(type)));
  loadFloats(type, bytes, values);
  return values;
}

void lori::storeFloats(StorageType type, std::span<const float> values,
                       std::span<std::byte> bytes) {
  assert(storageBytes(type, static_cast<int64_t>(values.size())) ==
         bytes.size());
  switch (type) {
  case StorageType::F32:
    if (!values.empty())
      std::memcpy(bytes.data(), values.data(), bytes.size());
    return;
  case StorageType::F16:
    return store16(values, bytes, f32ToF16);
  case StorageType::BF16:
    return store16(values, bytes, f32ToBf16);
  default:
    assert(false && "only float tensors are written");
  }
}

float lori::roundFloat(StorageType type, float value) {
  switch (type) {
  case StorageType::F16:
    return f16ToF32(f32ToF16(value));
  case StorageType::BF16:
    return bf16ToF32(f32ToBf16(value));
  default:
    return value;
  }
}
