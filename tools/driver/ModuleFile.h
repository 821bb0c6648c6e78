// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Models as modules in files: .mlir and .mlirbc.

#ifndef LORI_TOOLS_DRIVER_MODULEFILE_H
#define LORI_TOOLS_DRIVER_MODULEFILE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <string>
#include <string_view>
#include <vector>

namespace lori {

/// Returns whether `path` is called like a module: `.mlir` or `.mlirbc`.
bool isModulePath(std::string_view path);

/// Reads and verifies a module, text or bytecode. Throws Error with the place
/// of the first mistake.
mlir::OwningOpRef<mlir::ModuleOp> readModuleFile(const std::string &path,
                                                 mlir::MLIRContext &context);

/// Returns what a file called `path` holds of `module`: bytecode for .mlirbc,
/// else text.
std::string formatModule(mlir::ModuleOp module, std::string_view path);

/// An entry of `lori.files`: a file that parameters come from.
struct FileEntry {
  std::string name; ///< `base`, or what adapters are called
  std::string path;
  std::string fingerprint; ///< "" if the module does not say
};

/// Returns the entries of `module`, their paths as seen from the working
/// directory: those that are not absolute are relative to `modulePath`.
std::vector<FileEntry> readFileEntries(mlir::ModuleOp module,
                                       const std::string &modulePath);

/// Sets the entries of `module`, which will be written to `modulePath`, to
/// `entries`: relative paths become relative to it, absolute ones stay.
void writeFileEntries(mlir::ModuleOp module, const std::string &modulePath,
                      const std::vector<FileEntry> &entries);

} // namespace lori

#endif // LORI_TOOLS_DRIVER_MODULEFILE_H
