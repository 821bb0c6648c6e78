// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A frozen projection A [rank, in] made of a seed, the same bits on every
// machine. Entry e, counted row by row, comes from block e / 4 of Philox4x32-10
// (support/Philox.h): counter (block, stream), each 64 bits with the low word
// first, key the seed, low word first. With the block's words w0..w3:
//
//   kaiming_uniform  w[e % 4] as odd = (w >> 7 | 1) - 2^24, times
//                    f32(2^-24 / sqrt(in)): uniform in (-1/sqrt(in),
//                    1/sqrt(in))
//   normal           entries 0 and 1 of a block are r cos t and r sin t of w0
//                    and w1, entries 2 and 3 of w2 and w3, in f64, rounded to
//                    f32 once: r = sqrt(-2 ln((w0 + 1) / 2^32)), t = 2 pi w1 /
//                    2^32 by the series in SeededProjection.cpp
//
// A module's stream is XXH3-64 of its path, "model.layers.0.self_attn.q_proj".

#ifndef LORI_RUNTIME_FORMATS_SEEDEDPROJECTION_H
#define LORI_RUNTIME_FORMATS_SEEDEDPROJECTION_H

#include "runtime/formats/StorageType.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace lori {

enum class ProjectionInit { KaimingUniform, Normal };

/// Returns "kaiming_uniform" or "normal", and the other way round.
std::string_view projectionInitName(ProjectionInit init);
std::optional<ProjectionInit> projectionInitFromName(std::string_view name);

/// What an adapter says of all of its A's.
struct ProjectionSeed {
  uint64_t seed = 0;
  ProjectionInit init = ProjectionInit::KaimingUniform;
};

struct SeededProjection {
  uint64_t seed = 0;
  uint64_t stream = 0;
  ProjectionInit init = ProjectionInit::KaimingUniform;
  int64_t in = 1; ///< columns

  /// Returns the entries 4 * block ... 4 * block + 3.
  std::array<float, 4> entries(uint64_t block) const;
  /// Writes the entries from the first one on, [rank, in].
  void fill(std::span<float> out) const;
  /// Returns the bytes of all entries as F32, F16 or BF16.
  std::vector<std::byte> draw(StorageType type, int64_t rank) const;
};

/// Returns the stream of the module at `path`.
uint64_t projectionStream(std::string_view path);

} // namespace lori

#endif // LORI_RUNTIME_FORMATS_SEEDEDPROJECTION_H
