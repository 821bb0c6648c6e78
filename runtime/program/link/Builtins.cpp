// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions to bfloat16 that LLVM calls by name where the CPU has none.
// GCC's support library has them from version 13 on only, so they are here.

#include <bit>
#include <cmath>
#include <cstdint>
#include <emmintrin.h>

// A bfloat16 is returned in the low half word of xmm0 (x86-64 psABI, 3.2.3).
// The vector type says that without the compiler knowing __bf16.
using ReturnedBfloat16 = __m128i;

// Rounds to nearest even; a NaN becomes a quiet NaN of the same sign.
static ReturnedBfloat16 round(uint32_t bits) {
  bool isNan = (bits & 0x7fffffff) > 0x7f800000;
  uint32_t result =
      isNan ? bits >> 16 | 0x40 : (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
  return _mm_cvtsi32_si128(static_cast<int>(result & 0xffff));
}

extern "C" ReturnedBfloat16 __truncsfbf2(float value) {
  return round(std::bit_cast<uint32_t>(value));
}

extern "C" ReturnedBfloat16 __truncdfbf2(double value) {
  // To f32 towards odd first, so that only one rounding takes place (Boldo and
  // Melquiond, "Emulation of FMA and correctly rounded sums", 2008).
  float nearest = static_cast<float>(value);
  auto bits = std::bit_cast<uint32_t>(nearest);
  double back = nearest;
  if (back != value && !std::isnan(value)) {
    if (std::fabs(back) > std::fabs(value))
      --bits;
    bits |= 1;
  }
  return round(bits);
}
