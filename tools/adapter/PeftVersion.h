// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What add_weighted_adapter of PEFT computes, by version. Read in the sources
// of its tags 0.7.0 to 0.21 and checked against results of 0.12.0 and 0.21.2.

#ifndef LORI_TOOLS_ADAPTER_PEFTVERSION_H
#define LORI_TOOLS_ADAPTER_PEFTVERSION_H

#include <optional>
#include <string>
#include <string_view>

namespace lori {

class PeftVersion {
public:
  constexpr PeftVersion(int major, int minor) : major(major), minor(minor) {}

  /// Reads "0.12" or "0.12.0"; nothing if it is malformed, or before 0.7,
  /// where the formulas begin.
  static std::optional<PeftVersion> parse(std::string_view text);

  std::string text() const;
  bool isBefore(int otherMinor) const {
    return major == 0 && minor < otherMinor;
  }

  /// 0.7 and 0.8: the scaling acts on A alone, and there are only linear, cat
  /// and svd.
  bool scalesOnlyA() const { return isBefore(9); }
  /// Before 0.18 the square root of a negative weight is an error.
  bool refusesNegativeWeights() const { return isBefore(18); }
  /// In 0.18 the sign is put on both factors, so that it cancels.
  bool putsSignOnBoth() const { return !isBefore(18) && isBefore(19); }
  /// Before 0.19 what dare keeps is not divided by the density.
  bool rescalesDrops() const { return !isBefore(19); }
  /// From 0.9 to 0.20 the svd types multiply by the scaling twice.
  bool scalesDeltasTwice() const { return !isBefore(9) && isBefore(21); }
  /// Before 0.16 an adapter's rank is `r`, whatever its rank_pattern says, and
  /// the patterns of the first adapter stay in the result.
  bool countsRankPatterns() const { return !isBefore(16); }

private:
  int major, minor;
};

/// The version whose results are the default.
constexpr PeftVersion defaultPeftVersion(0, 21);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_PEFTVERSION_H
