// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler's own draws are passes/conversion/FrozenProjection.cpp: the same
// operations in the same order. A multiply-add that rounds once would differ.

#include "runtime/formats/SeededProjection.h"
#include "runtime/formats/TensorValues.h"
#include "runtime/support/Philox.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>

#define XXH_INLINE_ALL
#include <xxhash.h>

#pragma STDC FP_CONTRACT OFF

using namespace lori;

std::string_view lori::projectionInitName(ProjectionInit init) {
  return init == ProjectionInit::Normal ? "normal" : "kaiming_uniform";
}

std::optional<ProjectionInit>
lori::projectionInitFromName(std::string_view name) {
  for (ProjectionInit init :
       {ProjectionInit::KaimingUniform, ProjectionInit::Normal})
    if (name == projectionInitName(init))
      return init;
  return std::nullopt;
}

uint64_t lori::projectionStream(std::string_view path) {
  return XXH3_64bits(path.data(), path.size());
}

/// c[0] + x (c[1] + x (c[2] + ...))
template <size_t n>
static double polynomial(double x, const std::array<double, n> &coefficients) {
  double sum = coefficients[n - 1];
  for (size_t i = n - 1; i-- > 0;)
    sum = coefficients[i] + x * sum;
  return sum;
}

/// ln((word + 1) / 2^32)
static double logarithm(uint32_t word) {
  // word + 1 = m * 2^e with m in [1, 2), then in (sqrt(1/2), sqrt(2)].
  auto bits = std::bit_cast<uint64_t>(double(word) + 1);
  double exponent = double(int64_t(bits >> 52) - 1055);
  auto m = std::bit_cast<double>((bits & ((uint64_t(1) << 52) - 1)) |
                                 uint64_t(1023) << 52);
  if (m > std::numbers::sqrt2) {
    m *= 0.5;
    exponent += 1;
  }
  // ln m = 2 s (1 + s^2/3 + s^4/5 + ...), s = (m - 1) / (m + 1)
  double s = (m + -1) / (m + 1);
  std::array<double, 10> series;
  for (size_t i = 0; i < series.size(); ++i)
    series[i] = 1.0 / static_cast<double>(2 * i + 1);
  return exponent * std::numbers::ln2 + 2 * s * polynomial(s * s, series);
}

/// Box and Muller: two normal values of two words.
static std::array<float, 2> toNormal(uint32_t radiusWord, uint32_t angleWord) {
  double radius = std::sqrt(-2 * logarithm(radiusWord));
  // The angle, in quarters of the circle: a whole number and a fraction.
  uint32_t quarter = angleWord >> 30;
  double x = double(angleWord & ((uint32_t(1) << 30) - 1)) *
             std::ldexp(std::numbers::pi / 2, -30);
  std::array<double, 9> cosines, sines;
  double factorial = 1;
  for (size_t i = 0; i < cosines.size(); ++i) {
    cosines[i] = (i % 2 ? -1 : 1) / factorial;
    sines[i] = cosines[i] / static_cast<double>(2 * i + 1);
    factorial *= static_cast<double>((2 * i + 1) * (2 * i + 2));
  }
  double cosine = polynomial(x * x, cosines);
  double sine = x * polynomial(x * x, sines);
  std::array<double, 4> turns{cosine, -sine, -cosine, sine};
  return {static_cast<float>(radius * turns[quarter]),
          static_cast<float>(radius * turns[(quarter + 3) % 4])};
}

std::array<float, 4> SeededProjection::entries(uint64_t block) const {
  auto words = philox4x32(
      {static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
       static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32)},
      seed);
  std::array<float, 4> result;
  if (init == ProjectionInit::Normal) {
    auto first = toNormal(words[0], words[1]);
    auto second = toNormal(words[2], words[3]);
    return {first[0], first[1], second[0], second[1]};
  }
  auto step = static_cast<float>(std::ldexp(1.0, -24) /
                                 std::sqrt(static_cast<double>(in)));
  for (size_t i = 0; i < 4; ++i)
    result[i] = static_cast<float>(static_cast<int32_t>(words[i] >> 7 | 1) -
                                   (1 << 24)) *
                step;
  return result;
}

void SeededProjection::fill(std::span<float> out) const {
  for (size_t at = 0; at < out.size(); at += 4) {
    auto values = entries(at / 4);
    std::copy_n(values.begin(), std::min<size_t>(4, out.size() - at),
                out.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

std::vector<std::byte> SeededProjection::draw(StorageType type,
                                              int64_t rank) const {
  std::vector<float> values(static_cast<size_t>(rank * in));
  fill(values);
  std::vector<std::byte> bytes(
      *storageBytes(type, static_cast<int64_t>(values.size())));
  storeFloats(type, values, bytes);
  return bytes;
}
