// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/bench/kernels/Limits.h"

#include <immintrin.h>

namespace lori::bench {

template <int Streams, bool Prefetch>
__attribute__((target("avx2"))) static uint64_t read(const uint8_t *data,
                                                     size_t bytes) {
  constexpr size_t ahead = 4096;
  size_t stretch = bytes / Streams / 128 * 128;
  __m256i sums[Streams][4] = {};
  for (size_t at = 0; at < stretch; at += 128)
    for (int stream = 0; stream < Streams; ++stream) {
      if constexpr (Prefetch)
        for (size_t line = 0; line < 128; line += 64)
          _mm_prefetch(data + stream * stretch + at + ahead + line,
                       _MM_HINT_T0);
      for (int part = 0; part < 4; ++part)
        sums[stream][part] = _mm256_xor_si256(
            sums[stream][part],
            _mm256_loadu_si256(reinterpret_cast<const __m256i *>(
                data + stream * stretch + at + 32 * part)));
    }
  __m256i all = _mm256_setzero_si256();
  for (auto &stream : sums)
    for (__m256i sum : stream)
      all = _mm256_xor_si256(all, sum);
  return static_cast<uint64_t>(_mm256_extract_epi64(all, 0) ^
                               _mm256_extract_epi64(all, 3));
}

template <bool Prefetch>
static uint64_t readAs(const uint8_t *data, size_t bytes, int streams) {
  switch (streams) {
  case 1:
    return read<1, Prefetch>(data, bytes);
  case 2:
    return read<2, Prefetch>(data, bytes);
  default:
    return read<4, Prefetch>(data, bytes);
  }
}

uint64_t readStreams(const uint8_t *data, size_t bytes, int streams,
                     bool prefetch) {
  return prefetch ? readAs<true>(data, bytes, streams)
                  : readAs<false>(data, bytes, streams);
}

static volatile float sink;

__attribute__((target("avx2,fma"))) static int64_t multiplyAdd256(int64_t n) {
  __m256 sums[12], x = _mm256_set1_ps(0.999f), y = _mm256_set1_ps(1e-6f);
  for (int i = 0; i < 12; ++i)
    sums[i] = _mm256_set1_ps(static_cast<float>(i));
  for (int64_t step = 0; step < n; ++step)
    for (auto &sum : sums)
      sum = _mm256_fmadd_ps(sum, x, y);
  for (int i = 1; i < 12; ++i)
    sums[0] = _mm256_add_ps(sums[0], sums[i]);
  sink = _mm256_cvtss_f32(sums[0]);
  return 12 * 8;
}

__attribute__((target("avx512f"))) static int64_t multiplyAdd512(int64_t n) {
  __m512 sums[16], x = _mm512_set1_ps(0.999f), y = _mm512_set1_ps(1e-6f);
  for (int i = 0; i < 16; ++i)
    sums[i] = _mm512_set1_ps(static_cast<float>(i));
  for (int64_t step = 0; step < n; ++step)
    for (auto &sum : sums)
      sum = _mm512_fmadd_ps(sum, x, y);
  for (int i = 1; i < 16; ++i)
    sums[0] = _mm512_add_ps(sums[0], sums[i]);
  sink = _mm512_cvtss_f32(sums[0]);
  return 16 * 16;
}

int64_t multiplyAdd(int64_t steps, int bits) {
  return bits == 512 ? multiplyAdd512(steps) : multiplyAdd256(steps);
}

} // namespace lori::bench
