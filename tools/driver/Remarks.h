// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_REMARKS_H
#define LORI_TOOLS_DRIVER_REMARKS_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Remarks.h"
#include "llvm/ADT/StringSet.h"

#include <atomic>
#include <mutex>

namespace lori {

/// Prints what passes say about their work on stderr, each line once:
/// `lori-compile: remark: model.layers.*.mlp.up_proj: fused 1 adapter(s) …`.
class RemarkPrinter final
    : public mlir::remark::detail::MLIRRemarkStreamerBase {
public:
  /// Makes `context` report the remarks of this project's passes; it owns the
  /// printer.
  static RemarkPrinter *install(mlir::MLIRContext &context);

  void
  streamOptimizationRemark(const mlir::remark::detail::Remark &remark) override;
  /// Prints a diagnostic that is a remark: the `explain` of passes.
  void print(const mlir::Diagnostic &diagnostic);

  /// Leaves out what follows: passes that run on a copy only to ask.
  void setSilent(bool silent) { isSilent = silent; }

private:
  void printLine(mlir::Location location, llvm::StringRef text);

  std::atomic<bool> isSilent = false;
  std::mutex mutex;
  llvm::StringSet<> known;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_REMARKS_H
