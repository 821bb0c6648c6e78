// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_OBJECTEMITTER_H
#define LORI_TOOLS_DRIVER_OBJECTEMITTER_H

#include "tools/driver/LlvmModule.h"

namespace lori {

/// The machine code of a module, in any of its forms.
class ObjectEmitter {
public:
  /// Translates and optimizes `source`, which is in the LLVM and OpenMP
  /// dialects. Throws Error.
  ObjectEmitter(mlir::ModuleOp source, const CpuTarget &target)
      : code(compileToLlvm(source, target)) {}

  /// Returns an ELF object file; its code is position-independent. Throws Error
  /// if it would call a function that programs lack (GeneratedCalls.def).
  std::string object() const;
  /// Returns LLVM IR as text, or as bitcode.
  std::string text() const;
  std::string bitcode() const;

private:
  LlvmModule code;
};

} // namespace lori

#endif // LORI_TOOLS_DRIVER_OBJECTEMITTER_H
