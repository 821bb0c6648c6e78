// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles IR in process through the CPU pipeline, or through plain loops to
// compare with, for a named set of processor features.

#ifndef LORI_TEST_PASSES_CODEGEN_KERNELJIT_H
#define LORI_TEST_PASSES_CODEGEN_KERNELJIT_H

#include "passes/codegen/cpu/CpuCodegen.h"

#include "mlir/ExecutionEngine/ExecutionEngine.h"
#include "mlir/IR/MLIRContext.h"

#include <memory>
#include <string>

namespace lori::testing {

/// A processor to generate for.
struct Target {
  std::string name; ///< of LLVM, e.g. "x86-64-v3"
  mlir::lori::CpuCodegenOptions options;
  bool runs; ///< on this machine
};

/// Returns x86-64-v3 and x86-64-v4.
std::vector<Target> targets();

class KernelJit {
public:
  /// How to get from the text to LLVM.
  enum class Road { Kernels, Loops };

  /// Compiles `text`; on failure `error()` says why. Prints the assembly to
  /// `assembly` if it is not null.
  KernelJit(const std::string &text, const Target &target, Road road,
            std::string *assembly = nullptr);
  ~KernelJit();

  const std::string &error() const { return message; }
  double seconds() const { return compileSeconds; }

  /// Calls `linear` with row-major x [rows, depth] and y [rows, columns].
  void call(const float *x, int64_t rows, int64_t depth, const uint8_t *weights,
            int64_t bytes, float *y, int64_t columns) const;

  /// Returns the address of a function; null if there is none.
  void *lookup(const std::string &name) const;

private:
  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<mlir::ExecutionEngine> engine;
  std::string message;
  double compileSeconds = 0;
  void *linear = nullptr;
};

} // namespace lori::testing

#endif // LORI_TEST_PASSES_CODEGEN_KERNELJIT_H
