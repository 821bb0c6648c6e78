// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "runtime/formats/ContentHash.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <cstdio>

using namespace lori;

struct ContentHash::State {
  XXH3_state_t hash;
};

ContentHash::ContentHash() : state(std::make_unique<State>()) {
  XXH3_128bits_reset(&state->hash);
}

ContentHash::~ContentHash() = default;

ContentHash &ContentHash::add(std::span<const std::byte> bytes) {
  XXH3_128bits_update(&state->hash, bytes.data(), bytes.size());
  return *this;
}

std::string ContentHash::digits() const {
  XXH128_hash_t hash = XXH3_128bits_digest(&state->hash);
  char text[33];
  std::snprintf(text, sizeof(text), "%016llx%016llx",
                static_cast<unsigned long long>(hash.high64),
                static_cast<unsigned long long>(hash.low64));
  return text;
}
