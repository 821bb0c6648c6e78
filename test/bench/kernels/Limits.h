// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the machine can do at most, measured: reading and multiplying.

#ifndef LORI_TEST_BENCH_KERNELS_LIMITS_H
#define LORI_TEST_BENCH_KERNELS_LIMITS_H

#include <cstddef>
#include <cstdint>

namespace lori::bench {

/// Reads `bytes` at `data` as `streams` (1, 2 or 4) equal stretches at once and
/// returns something that depends on all of them. `prefetch` asks for each
/// cache line a page ahead.
uint64_t readStreams(const uint8_t *data, size_t bytes, int streams,
                     bool prefetch = false);

/// Does `steps` rounds of multiply-adds that stay in registers, with vectors of
/// `bits` (256 or 512); returns how many multiply-adds a round has.
int64_t multiplyAdd(int64_t steps, int bits);

} // namespace lori::bench

#endif // LORI_TEST_BENCH_KERNELS_LIMITS_H
