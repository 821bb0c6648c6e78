// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_RUNTIME_PROGRAM_ADAPTERS_H
#define LORI_RUNTIME_PROGRAM_ADAPTERS_H

#include "runtime/engine/Model.h"
#include "runtime/program/Options.h"

namespace lori {

/// Loads adapters from their folders. Throws EngineError.
void loadAdapters(Model &model, std::span<const AdapterSource> sources);

/// Finds adapters by name; one without a weight gets the weight it was compiled
/// with. Throws Error that lists the adapters there are.
std::vector<lori_adapter_use>
resolveAdapters(const Model &model, std::span<const AdapterChoice> choices);

} // namespace lori

#endif // LORI_RUNTIME_PROGRAM_ADAPTERS_H
