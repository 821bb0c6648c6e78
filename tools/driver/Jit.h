// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_JIT_H
#define LORI_TOOLS_DRIVER_JIT_H

#include "tools/driver/CpuTarget.h"

#include "mlir/IR/BuiltinOps.h"

#include <memory>
#include <span>
#include <string>

namespace llvm::orc {
class LLJIT;
}

namespace lori {

/// Code compiled into this process: the initializers of derived parameters.
/// It calls what generated code may call and nothing else, runs its parallel
/// loops on runtime/threads, and is freed with the object.
class Jit {
public:
  /// Compiles `source`, which is in the LLVM and OpenMP dialects. Throws Error
  /// if that fails, if this machine lacks what `target` uses, or if the code
  /// calls an unknown function.
  static Jit create(mlir::ModuleOp source, const CpuTarget &target);

  Jit(Jit &&) noexcept;
  Jit &operator=(Jit &&) noexcept;
  ~Jit();

  /// Returns the function `name`, for instance
  /// `jit.lookup<void (*)(const float *, float *)>("init_0")`. Throws Error.
  template <typename Function> Function lookup(std::string_view name) const {
    return reinterpret_cast<Function>(address(name));
  }

  /// Calls the function `name` with the values that `arguments` point to; what
  /// it returns is lost. Throws Error.
  void invoke(std::string_view name,
              std::span<const void *const> arguments) const;

private:
  Jit(std::unique_ptr<llvm::orc::LLJIT> engine,
      std::shared_ptr<std::string> reports);
  void *address(std::string_view name) const;

  std::unique_ptr<llvm::orc::LLJIT> engine;
  /// What the engine said of failures, in one line.
  std::shared_ptr<std::string> reports;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_JIT_H
