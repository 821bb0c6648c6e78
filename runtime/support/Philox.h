// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_SUPPORT_PHILOX_H
#define LORI_RUNTIME_SUPPORT_PHILOX_H

#include <array>
#include <cstdint>

namespace lori {

/// Philox4x32-10, the counter-based generator of Salmon et al., "Parallel
/// random numbers: as easy as 1, 2, 3" (SC 2011): four random words of a
/// counter under a key, the same on every machine.
inline std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter,
                                          uint64_t key) {
  auto k0 = static_cast<uint32_t>(key);
  auto k1 = static_cast<uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(0xD2511F53) * counter[0];
    uint64_t p1 = uint64_t(0xCD9E8D57) * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ k0,
               static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ k1,
               static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return counter;
}

} // namespace lori

#endif // LORI_RUNTIME_SUPPORT_PHILOX_H
