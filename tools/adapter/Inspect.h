// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_ADAPTER_INSPECT_H
#define LORI_TOOLS_ADAPTER_INSPECT_H

#include "tools/adapter/AdapterInput.h"

namespace lori {

/// What an adapter is made of.
struct AdapterSummary {
  struct Module {
    std::string path;
    int64_t in, out, rank;
    double scaling;
    std::string typeOfA, typeOfB;
    int64_t nonzeros;    ///< of B
    std::string hashOfA; ///< adapters with equal ones share A
  };

  std::string path, form; ///< "PEFT directory" or "pack"
  std::string base, baseFingerprint;
  std::vector<Module> modules; ///< in model order
  std::vector<std::string> wholeTensors;
  int64_t entriesOfA = 0, entriesOfB = 0, nonzerosOfB = 0;
  uint64_t bytes = 0; ///< of the file of tensors

  double density() const {
    return entriesOfB == 0 ? 0
                           : static_cast<double>(nonzerosOfB) /
                                 static_cast<double>(entriesOfB);
  }
};

AdapterSummary summarize(const AdapterInput &adapter);

/// A few lines for people: totals, and a line for each kind of projection.
std::string summaryText(const AdapterSummary &summary);

/// All of it.
JsonValue summaryJson(const AdapterSummary &summary);

} // namespace lori

#endif // LORI_TOOLS_ADAPTER_INSPECT_H
