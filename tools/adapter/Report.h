// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How much adapters would disturb each other: the figures behind
// `lori-adapter report`. D_i = s_i B_i A_i is the delta of adapter i, with
// its scaling s_i; no delta is ever formed (Gram.h). A figure that is not
// defined, as the cosine with a delta of 0, is NaN.

#ifndef LORI_TOOLS_ADAPTER_REPORT_H
#define LORI_TOOLS_ADAPTER_REPORT_H

#include "tools/adapter/MergePrediction.h"

namespace lori {

/// One adapter in one module, or in all.
struct PartFigures {
  int64_t rank = 0;   ///< in all: the largest
  double scaling = 0; ///< of one module
  int64_t entriesOfA = 0, entriesOfB = 0;
  int64_t trained = 0; ///< entries of B that are not 0
  int64_t stored = 0;  ///< entries of A and B that the file holds
  double energy = 0;   ///< |D|_F
  std::string hashOfA; ///< of its entries as f32, of one module

  double density() const;     ///< trained / entries of B
  double shareOfLora() const; ///< trained / all entries of A and B
};

/// Two adapters in one module, or in all that both have.
struct PairFigures {
  size_t first = 0, second = 0; ///< indices of the adapters
  int64_t modules = 0, equalA = 0;
  double dot = 0;    ///< <D_i, D_j>
  double cosine = 0; ///< dot / (|D_i| |D_j|); in all: of all modules as one
  /// rowOverlap and its value by chance (Gram.h); in all: their means.
  double overlapOfA = 0, overlapByChance = 0;
  /// Entries where neither B is 0, and how many would be if each B's were
  /// placed at random: n density_i density_j. NaN where the ranks differ.
  double common = 0, commonByChance = 0;

  double overlapRatio() const { return overlapOfA / overlapByChance; }
  double maskRatio() const { return common / commonByChance; }
};

struct ModuleReport {
  AdaptableModule module;
  std::vector<std::optional<PartFigures>> parts; ///< by adapter
  std::vector<PairFigures> pairs;                ///< of those that it has
  double energy = 0;                             ///< |sum_i w_i D_i|_F
  std::vector<double> errors;                    ///< by Report::merges
};

struct Report {
  struct Adapter {
    std::string path, name; ///< name: the last part of the path
    double weight = 1;
    size_t modules = 0;
    PartFigures total;
  };

  std::vector<Adapter> adapters;
  std::vector<ModuleReport> modules; ///< in model order
  std::vector<PairFigures> pairs;    ///< in all, each pair once
  std::vector<MergePrediction> merges;
  double energy = 0; ///< |sum_i w_i D_i|_F of all modules as one
};

struct ReportOptions {
  /// What is merged: weights (empty: all 1), density, seed and the rest; each
  /// type is tried in the place of its own.
  MergeOptions merge = {};
  unsigned threads = 1;
};

/// Compares adapters of one base. Each thread has the factors of one module in
/// memory. Throws Error where a module has two sizes, if nothing is given, and
/// if there are weights for another number of adapters.
Report makeReport(const std::vector<AdapterInput> &inputs,
                  const ReportOptions &options);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_REPORT_H
