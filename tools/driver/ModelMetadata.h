// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_MODELMETADATA_H
#define LORI_TOOLS_DRIVER_MODELMETADATA_H

#include "runtime/engine/ModelInfo.h"
#include "runtime/formats/PeftAdapter.h"
#include "runtime/text/TokenizerSources.h"
#include "tools/driver/Compiler.h"
#include "tools/driver/CpuTarget.h"
#include "tools/import/Import.h"

namespace lori {

/// Returns what a program says of itself, and what its engine needs to know.
ModelInfo describeModel(mlir::ModuleOp module, const Checkpoint &checkpoint,
                        const CompileOptions &options,
                        const ImportOptions &import,
                        const std::vector<PeftAdapter> &adapters,
                        const TextSources &text, const CpuTarget &target);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_MODELMETADATA_H
