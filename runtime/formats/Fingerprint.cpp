// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checkpoint::fingerprint. Files keep these values: what is hashed, and in
// which order, must not change without a new version number.

#include "runtime/formats/Checkpoint.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <bit>
#include <cstdio>

using namespace lori;

static constexpr uint64_t fingerprintVersion = 1;
static constexpr uint64_t pieceBytes = 64, pieces = 8;

namespace {

class Hasher {
public:
  Hasher() { XXH3_128bits_reset(&state); }

  void add(std::span<const std::byte> bytes) {
    XXH3_128bits_update(&state, bytes.data(), bytes.size());
  }
  void add(uint64_t value) { add(std::as_bytes(std::span(&value, 1))); }
  void add(double value) { add(std::bit_cast<uint64_t>(value)); }
  // The length keeps neighbouring texts apart.
  void add(std::string_view text) {
    add(static_cast<uint64_t>(text.size()));
    add(std::as_bytes(std::span(text)));
  }

  std::string digits() const {
    XXH128_hash_t hash = XXH3_128bits_digest(&state);
    char text[33];
    std::snprintf(text, sizeof(text), "%016llx%016llx",
                  static_cast<unsigned long long>(hash.high64),
                  static_cast<unsigned long long>(hash.low64));
    return text;
  }

private:
  XXH3_state_t state;
};

} // namespace

// What a reader of the tensors cannot see in them.
static void addConfig(Hasher &hasher, const ModelConfig &config) {
  hasher.add(architectureName(config.architecture));
  for (int64_t size :
       {config.hiddenSize, config.intermediateSize, config.layers, config.heads,
        config.kvHeads, config.headDim, config.vocabulary})
    hasher.add(static_cast<uint64_t>(size));
  hasher.add(config.normEpsilon);
  hasher.add(static_cast<uint64_t>(config.rope.kind));
  hasher.add(config.rope.theta);
  hasher.add(config.rope.factor);
  hasher.add(static_cast<uint64_t>(config.rope.frequencyDivisors.size()));
  for (float divisor : config.rope.frequencyDivisors)
    hasher.add(static_cast<double>(divisor));
  for (int64_t window : config.windows)
    hasher.add(static_cast<uint64_t>(window));
}

std::string Checkpoint::fingerprint() const {
  Hasher hasher;
  hasher.add(fingerprintVersion);
  addConfig(hasher, modelConfig);
  for (const StoredTensor &tensor : tensorList) {
    hasher.add(std::string_view(tensor.name));
    hasher.add(storageTypeName(tensor.type));
    for (int64_t size : tensor.shape)
      hasher.add(static_cast<uint64_t>(size));
    auto data = bytes(tensor);
    if (data.size() <= pieces * pieceBytes) {
      hasher.add(data);
      continue;
    }
    uint64_t step = (data.size() - pieceBytes) / (pieces - 1);
    for (uint64_t i = 0; i < pieces; ++i)
      hasher.add(data.subspan(i * step, pieceBytes));
  }
  return hasher.digits();
}
