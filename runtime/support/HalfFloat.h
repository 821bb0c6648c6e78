// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions between f32 and the 16-bit types, by bits: the same on every
// CPU, and NaN stays NaN.

#ifndef LORI_RUNTIME_SUPPORT_HALFFLOAT_H
#define LORI_RUNTIME_SUPPORT_HALFFLOAT_H

#include <bit>
#include <cstdint>

namespace lori {

/// Returns the value of the bfloat16 with these bits; exact.
constexpr float bf16ToF32(uint16_t bits) {
  return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16);
}

/// Returns the bits of the nearest bfloat16, ties to even.
constexpr uint16_t f32ToBf16(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  if ((bits & 0x7FFFFFFF) > 0x7F800000) // NaN: keep the sign, make it quiet
    return static_cast<uint16_t>((bits >> 16) | 0x40);
  return static_cast<uint16_t>((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
}

/// Returns the value of the IEEE half with these bits; exact.
constexpr float f16ToF32(uint16_t bits) {
  uint32_t sign = static_cast<uint32_t>(bits & 0x8000) << 16;
  uint32_t exponent = (bits >> 10) & 0x1F;
  uint32_t fraction = bits & 0x3FF;
  if (exponent == 0) { // zero or subnormal: fraction * 2^-24
    float magnitude = static_cast<float>(fraction) * 0x1p-24f;
    return std::bit_cast<float>(std::bit_cast<uint32_t>(magnitude) | sign);
  }
  uint32_t wide = exponent == 31 ? 0xFF : exponent + (127 - 15);
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

/// Returns the bits of the nearest IEEE half, ties to even; values from 65520
/// on become infinite.
constexpr uint16_t f32ToF16(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000) // NaN
    return static_cast<uint16_t>(sign | 0x7E00 | ((magnitude >> 13) & 0x3FF));
  if (magnitude >= 0x47800000) // 65536 and above
    return sign | 0x7C00;
  if (magnitude >= 0x38800000) { // normal: rebias, round the 13 lost bits
    magnitude -= (127 - 15) << 23;
    magnitude += 0xFFF + ((magnitude >> 13) & 1);
    return static_cast<uint16_t>(sign | magnitude >> 13);
  }
  // Subnormal: adding 0.5 lets the FPU round at 2^-24, the last bit of a half.
  float shifted = std::bit_cast<float>(magnitude) + 0.5f;
  return static_cast<uint16_t>(sign | (std::bit_cast<uint32_t>(shifted) -
                                       std::bit_cast<uint32_t>(0.5f)));
}

} // namespace lori

#endif // LORI_RUNTIME_SUPPORT_HALFFLOAT_H
