// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From files to IR: a checkpoint becomes a model graph, an adapter's files
// become declarations. No weight is read; parameters are named.

#ifndef LORI_TOOLS_IMPORT_IMPORT_H
#define LORI_TOOLS_IMPORT_IMPORT_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "runtime/formats/Adapter.h"
#include "runtime/formats/Checkpoint.h"

namespace mlir::lm {
class ModelBuilder;
}

namespace lori {

/// What a user may choose about a model's graph.
struct ImportOptions {
  /// Positions that a sequence can hold.
  int64_t context = 0;
  /// Sequences that can be in the cache at once.
  int64_t sequences = 64;
  /// Entries of the cache: F32, F16 or BF16.
  StorageType cacheType = StorageType::F16;
};

/// Returns a module with the step function of `checkpoint`.
mlir::OwningOpRef<mlir::ModuleOp> importModel(mlir::MLIRContext &context,
                                              const Checkpoint &checkpoint,
                                              const ImportOptions &options);

/// Declares `adapter`, with its factors as parameters of the file `name`,
/// scaled as a whole by `weight`. Layers that lack a module, and ranks below
/// the largest of a stack, are zero. Throws Error for what no op expresses.
void importAdapter(mlir::ModuleOp module, llvm::StringRef name, double weight,
                   const Adapter &adapter, const ModelConfig &config);

/// Describes the decoder of `config` to `builder`.
void buildDecoder(mlir::lm::ModelBuilder &builder, const ModelConfig &config);

/// Returns the angle per position of each pair of a head, in the f32 arithmetic
/// of transformers (modeling_rope_utils.py).
std::vector<float> rotaryFrequencies(const ModelConfig &config);

/// Returns the IR type of one entry stored as `type`; null for integers.
mlir::Type toElementType(mlir::MLIRContext *context, StorageType type);

} // namespace lori

#endif // LORI_TOOLS_IMPORT_IMPORT_H
