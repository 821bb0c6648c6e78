// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/Merge.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

using namespace lori;

using Tensor = std::vector<float>;

// PEFT's delta of an embedding is the transpose: draws and ties follow it.
static Tensor transposed(const Tensor &matrix, int64_t rows, int64_t columns) {
  Tensor out(matrix.size());
  for (int64_t i = 0; i < rows; ++i)
    for (int64_t j = 0; j < columns; ++j)
      out[static_cast<size_t>(j * rows + i)] =
          matrix[static_cast<size_t>(i * columns + j)];
  return out;
}

static size_t area(int64_t rows, int64_t columns) {
  return static_cast<size_t>(rows) * static_cast<size_t>(columns);
}

namespace {

/// The formulas of one module; PEFT's names are in comments.
class ModuleMerge {
public:
  ModuleMerge(const AdaptableModule &module,
              const std::vector<MergeInput> &inputs,
              const MergeOptions &options, const DropSource &drops)
      : module(module), inputs(inputs), options(options), drops(drops) {}

  Factors run() const {
    if (concatenates(options.type))
      return concatenate();
    if (options.type == MergeType::ExactLinear)
      return sumOfB();
    return usesSvd(options.type) ? mergeDeltas() : mergeFactors();
  }

private:
  MergeError refuse(const std::string &what) const {
    return MergeError("module '" + module.path + "' " + what);
  }

  // cat: A = [p_1 A_1; p_2 A_2; ...] with p_i = w_i s_i, B = [B_1, B_2, ...]
  Factors concatenate() const {
    Factors out = emptyFactors(0);
    for (const MergeInput &input : inputs)
      out.rank += input.rank;
    out.a.reserve(area(out.rank, module.in));
    out.b.resize(area(module.out, out.rank));
    int64_t column = 0;
    for (const MergeInput &input : inputs) {
      auto weight = static_cast<float>(input.weight);
      auto scaling = static_cast<float>(input.scaling);
      for (float x : input.a)
        out.a.push_back(x * weight * scaling);
      for (int64_t row = 0; row < module.out; ++row)
        std::copy_n(input.b.begin() + row * input.rank, input.rank,
                    out.b.begin() + row * out.rank + column);
      column += input.rank;
    }
    return out;
  }

  // With equal A's: sum_i w_i s_i B_i A = (sum_i w_i s_i B_i) A
  Factors sumOfB() const {
    const MergeInput &first = inputs.front();
    Factors out = emptyFactors(first.rank);
    out.a.assign(first.a.begin(), first.a.end());
    WeightedTensors in;
    for (const MergeInput &input : inputs) {
      if (input.rank != first.rank ||
          std::memcmp(input.a.data(), first.a.data(), first.a.size_bytes()) !=
              0)
        throw refuse("has different A's in the adapters, exact-linear merges "
                     "adapters that share A, use concat or cat, which are "
                     "exact, too");
      in.tensors.push_back(input.b);
      in.multipliers.push_back(
          static_cast<float>(input.weight * input.scaling));
    }
    out.b.resize(first.b.size());
    sumWeighted(out.b, in);
    return out;
  }

  /// linear, ties, dare_linear, dare_ties, magnitude_prune: the recipe on all
  /// A's, and on all B's.
  Factors mergeFactors() const {
    for (const MergeInput &input : inputs)
      if (input.rank != inputs.front().rank)
        throw refuse("has rank " + std::to_string(inputs.front().rank) +
                     " in one adapter and " + std::to_string(input.rank) +
                     " in another, " +
                     std::string(mergeTypeName(options.type)) +
                     " adds factors of equal rank, use cat or an svd type");
    Factors out = emptyFactors(inputs.front().rank);
    out.a.resize(area(out.rank, module.in));
    out.b.resize(area(module.out, out.rank));
    std::vector<Tensor> as, bs;
    for (const MergeInput &input : inputs) {
      as.emplace_back(input.a.begin(), input.a.end());
      bs.emplace_back(input.b.begin(), input.b.end());
    }
    auto [multipliersA, multipliersB] = factorMultipliers();
    combine(as, multipliersA, out.rank, module.in, 0, out.a);
    combine(bs, multipliersB, module.out, out.rank, inputs.size(), out.b);
    return out;
  }

  struct Multipliers {
    std::vector<float> a, b;
  };

  Multipliers factorMultipliers() const {
    Multipliers result;
    for (const MergeInput &input : inputs) {
      double p = input.weight * input.scaling;
      if (options.compat.scalesOnlyA()) {
        requireNatural(input.weight);
        result.a.push_back(
            static_cast<float>(std::sqrt(input.weight) * input.scaling));
        result.b.push_back(static_cast<float>(std::sqrt(input.weight)));
        continue;
      }
      if (options.compat.refusesNegativeWeights())
        requireNatural(p);
      double root = std::sqrt(std::fabs(p));
      double sign = p >= 0 ? 1 : -1;
      result.a.push_back(static_cast<float>(root * sign));
      result.b.push_back(static_cast<float>(
          options.compat.putsSignOnBoth() ? root * sign : root));
    }
    return result;
  }

  void requireNatural(double value) const {
    if (value < 0)
      throw refuse("takes part with a negative factor, PEFT " +
                   options.compat.text() +
                   " takes its square root and raises (math domain error), "
                   "use --peft-compat=0.19 or later, or cat or svd");
  }

  /// svd, ties_svd, ...: the recipe on the deltas, then their best
  /// approximation of the wanted rank.
  Factors mergeDeltas() const {
    int64_t rank = targetRank();
    if (rank > std::min(module.in, module.out))
      throw refuse("is " + std::to_string(module.out) + " x " +
                   std::to_string(module.in) + " and cannot have rank " +
                   std::to_string(rank) + ", give a smaller --svd-rank");
    if (options.type == MergeType::Svd)
      return truncate(scaledConcatenation(), rank);
    bool isTransposed = module.kind == AdaptableModule::Kind::Embedding;
    std::vector<Tensor> deltas;
    std::vector<float> multipliers;
    for (const MergeInput &input : inputs) {
      Tensor delta(area(module.out, module.in));
      multiply({module.out,
                module.in,
                input.rank,
                {input.b.begin(), input.b.end()},
                {input.a.begin(), input.a.end()}},
               static_cast<float>(input.scaling), delta);
      deltas.push_back(isTransposed ? transposed(delta, module.out, module.in)
                                    : std::move(delta));
      multipliers.push_back(static_cast<float>(deltaMultiplier(input)));
    }
    Tensor merged(area(module.out, module.in));
    combine(deltas, multipliers, isTransposed ? module.in : module.out,
            isTransposed ? module.out : module.in, 0, merged);
    if (isTransposed)
      merged = transposed(merged, module.in, module.out);
    return truncate(merged, module.out, module.in, rank);
  }

  int64_t targetRank() const {
    int64_t rank = 0;
    for (const MergeInput &input : inputs)
      rank = std::max(rank, input.rank);
    return options.svdRank.value_or(rank);
  }

  double deltaMultiplier(const MergeInput &input) const {
    return options.compat.scalesDeltasTwice() ? input.weight * input.scaling
                                              : input.weight;
  }

  Factors scaledConcatenation() const {
    std::vector<MergeInput> scaled = inputs;
    for (MergeInput &input : scaled)
      input.weight = deltaMultiplier(input);
    return ModuleMerge(module, scaled, options, drops).concatenate();
  }

  /// Sparsifies the tensors, elects signs and sums, as the type says.
  void combine(std::vector<Tensor> &tensors, std::vector<float> multipliers,
               int64_t rows, int64_t columns, size_t firstDrop,
               std::span<float> out) const {
    for (size_t i = 0; i < tensors.size(); ++i)
      sparsify(tensors[i], firstDrop + i, rows, columns);
    WeightedTensors in{{tensors.begin(), tensors.end()},
                       std::move(multipliers)};
    electsSigns(options.type) ? mergeDisjoint(out, in, options.election)
                              : sumWeighted(out, in);
  }

  void sparsify(Tensor &tensor, size_t index, int64_t rows,
                int64_t columns) const {
    if (sparsifyOf(options.type) == Sparsify::None || *options.density >= 1)
      return;
    if (sparsifyOf(options.type) == Sparsify::Drop)
      return dropEntries(tensor, drops(index, rows, columns), *options.density,
                         options.compat.rescalesDrops());
    trimToDensity(tensor, *options.density);
  }

  Factors emptyFactors(int64_t rank) const {
    return {module.out, module.in, rank, {}, {}};
  }

  const AdaptableModule &module;
  const std::vector<MergeInput> &inputs;
  const MergeOptions &options;
  const DropSource &drops;
};

} // namespace

Factors lori::mergeModule(const AdaptableModule &module,
                          const std::vector<MergeInput> &inputs,
                          const MergeOptions &options,
                          const DropSource &drops) {
  assert(!inputs.empty());
  return ModuleMerge(module, inputs, options, drops).run();
}

size_t lori::dropsPerModule(MergeType type, double density, size_t adapters) {
  if (sparsifyOf(type) != Sparsify::Drop || density >= 1)
    return 0;
  return usesSvd(type) ? adapters : 2 * adapters;
}
