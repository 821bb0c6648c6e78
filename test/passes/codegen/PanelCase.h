// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A panel contraction to test and to measure: its IR, packed weights of every
// storage type, and a naive evaluation.

#ifndef LORI_TEST_PASSES_CODEGEN_PANELCASE_H
#define LORI_TEST_PASSES_CODEGEN_PANELCASE_H

#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace lori::testing {

enum class Storage { F32, F16, BF16, Q8_0, Q4_0, Q4_1 };

inline constexpr Storage allStorages[] = {Storage::F32,  Storage::F16,
                                          Storage::BF16, Storage::Q8_0,
                                          Storage::Q4_0, Storage::Q4_1};

const char *name(Storage storage);

/// y[m, N] += x[m, K] * W[N, K]^T with N = panels * width and W packed in
/// panels of `width` lanes. Blocks of quantised types have 32 values of k.
struct PanelCase {
  Storage storage;
  int64_t panels, depth, width;

  int64_t columns() const { return panels * width; }
  /// Bytes of the packed weights, all of which one evaluation reads.
  int64_t weightBytes() const { return panels * panelBytes(); }

  /// Returns a module with
  ///   @linear(%x: memref<?xKxf32>, %w: memref<BYTESxi8>, %y: memref<?xNxf32>)
  /// and its C interface. `rows` is written instead of ? if it is not 0.
  std::string module(int64_t rows = 0) const;

  /// Fills `packed` (weightBytes()) and, if not null, `dense` [N, K] with the
  /// same weights. Dyadic weights are such that all sums are exact.
  void fill(std::mt19937 &random, bool dyadic, uint8_t *packed,
            float *dense) const;

private:
  int64_t panelBytes() const;
  int64_t blockBytes() const;
  std::string bufferViews() const;
};

float fromF16(uint16_t bits);
uint16_t toF16(float value);

} // namespace lori::testing

#endif // LORI_TEST_PASSES_CODEGEN_PANELCASE_H
