// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/adapter/MergeType.h"

#include <iterator>

using namespace lori;

namespace {

struct Row {
  MergeType type;
  std::string_view name;
  bool peft, svd, elects, concatenates;
  Sparsify sparsify;
};

} // namespace

using enum MergeType;
using enum Sparsify;

static constexpr Row table[] = {
    {Cat, "cat", true, false, false, true, None},
    {Linear, "linear", true, false, false, false, None},
    {Ties, "ties", true, false, true, false, Trim},
    {DareLinear, "dare_linear", true, false, false, false, Drop},
    {DareTies, "dare_ties", true, false, true, false, Drop},
    {MagnitudePrune, "magnitude_prune", true, false, false, false, Trim},
    {Svd, "svd", true, true, false, false, None},
    {TiesSvd, "ties_svd", true, true, true, false, Trim},
    {DareLinearSvd, "dare_linear_svd", true, true, false, false, Drop},
    {DareTiesSvd, "dare_ties_svd", true, true, true, false, Drop},
    {MagnitudePruneSvd, "magnitude_prune_svd", true, true, false, false, Trim},
    {Sum, "sum", false, false, false, true, None},
    {Average, "average", false, false, false, true, None},
    {Concat, "concat", false, false, false, true, None},
    {ExactLinear, "exact-linear", false, false, false, false, None},
};

static const Row &rowOf(MergeType type) {
  return table[static_cast<size_t>(type)];
}

static constexpr bool isInOrder() {
  for (size_t i = 0; i < std::size(table); ++i)
    if (static_cast<size_t>(table[i].type) != i)
      return false;
  return true;
}
static_assert(isInOrder());

std::optional<MergeType> lori::mergeTypeByName(std::string_view name) {
  for (const Row &row : table)
    if (row.name == name)
      return row.type;
  return std::nullopt;
}

std::vector<MergeType> lori::allMergeTypes() {
  std::vector<MergeType> types;
  for (const Row &row : table)
    types.push_back(row.type);
  return types;
}

std::string lori::mergeTypeNames() {
  std::string names;
  for (const Row &row : table)
    names += (names.empty() ? "" : ", ") + std::string(row.name);
  return names;
}

std::string_view lori::mergeTypeName(MergeType type) {
  return rowOf(type).name;
}
bool lori::isPeftType(MergeType type) { return rowOf(type).peft; }
bool lori::usesSvd(MergeType type) { return rowOf(type).svd; }
Sparsify lori::sparsifyOf(MergeType type) { return rowOf(type).sparsify; }
bool lori::electsSigns(MergeType type) { return rowOf(type).elects; }
bool lori::concatenates(MergeType type) { return rowOf(type).concatenates; }
