// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_MERGECHOICE_H
#define LORI_TOOLS_ADAPTER_MERGECHOICE_H

#include "tools/adapter/MergePrediction.h"

namespace lori {

/// Returns the type with the smallest result among those whose error is known,
/// no estimate, and at most `maxError`; of equal size the one with the smaller
/// error, then rather exact-linear or concat than others. Throws Error if there
/// is none, and where the sum is 0, to which no error can be related.
MergeType chooseMerge(const std::vector<MergePrediction> &predictions,
                      double maxError);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_MERGECHOICE_H
