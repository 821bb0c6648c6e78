// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_MODELMETADATA_H
#define LORI_TOOLS_DRIVER_MODELMETADATA_H

#include "dialect/lori/LoriOps.h"
#include "runtime/engine/ModelInfo.h"
#include "runtime/formats/Adapter.h"
#include "runtime/text/TokenizerSources.h"
#include "tools/driver/Compiler.h"
#include "tools/driver/CpuTarget.h"
#include "tools/driver/StepSignature.h"
#include "tools/import/Import.h"

namespace lori {

/// Returns what a program says of itself, and what its engine needs to know.
ModelInfo describeModel(const Checkpoint &checkpoint,
                        const CompileOptions &options,
                        const ImportOptions &import,
                        const std::vector<Adapter> &adapters,
                        const TextSources &text, const CpuTarget &target);

/// Returns the sites of the bank of `module`, which is lowered, if it has one.
BankInfo describeBank(mlir::ModuleOp module);

/// The parts of the above that a module shows: sizes and types. `graph` is the
/// model with its adapters resolved.
ModelInfo describeGraph(mlir::ModuleOp graph, const StepSignature &signature,
                        const CpuTarget &target);

/// Adds what only the checkpoint says: names, tokens, the chat template.
void describeCheckpoint(const Checkpoint &checkpoint, const TextSources &text,
                        ModelInfo &info);

/// Describes a live adapter, by its files or by its declaration alone.
AdapterInfo describeAdapter(const AdapterArgument &argument,
                            const Adapter &adapter);
AdapterInfo describeAdapter(const AdapterArgument &argument,
                            mlir::lori::AdapterOp declared);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_MODELMETADATA_H
