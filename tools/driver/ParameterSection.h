// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_TOOLS_DRIVER_PARAMETERSECTION_H
#define LORI_TOOLS_DRIVER_PARAMETERSECTION_H

#include "tools/driver/Jit.h"
#include "tools/driver/ParameterFiles.h"

#include <functional>

namespace lori {

/// One parameter of the section, or one layer of it: the unit of work.
struct ParameterPiece {
  mlir::Operation *param; ///< ParamOp or DerivedParamOp
  int64_t layer = 0;
  uint64_t offset = 0;
  uint64_t bytes = 0;
};

/// The parameter section of a program, as `lori-bind-step` laid it out.
class ParameterSection {
public:
  /// Takes the placed parameters of `module`, in the order of their offsets.
  explicit ParameterSection(mlir::ModuleOp module);

  uint64_t bytes() const { return sectionBytes; }
  const std::vector<ParameterPiece> &pieces() const { return pieceList; }

  /// Writes all pieces into `file` from `start` on, `threads` at a time.
  /// Initializers come from `jit`. Resident memory stays that of a few pieces.
  /// `progress` is told the bytes written so far. Throws Error.
  void write(const ParameterFiles &files, const Jit &jit, int file,
             uint64_t start, unsigned threads,
             const std::function<void(uint64_t)> &progress) const;

private:
  void writePiece(const ParameterPiece &piece, const ParameterFiles &files,
                  const Jit &jit, std::byte *out) const;

  mlir::ModuleOp module;
  std::vector<ParameterPiece> pieceList;
  uint64_t sectionBytes = 0;
};

/// Computes layer `layer` (0 if it is not stacked) of `derived`, a parameter of
/// `module`, into `out`, by the function that `lori-lower-initializers` made of
/// it. Any thread may. Throws Error.
void evaluateInitializer(mlir::lori::DerivedParamOp derived, int64_t layer,
                         mlir::ModuleOp module, const ParameterFiles &files,
                         const Jit &jit, std::byte *out);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_PARAMETERSECTION_H
