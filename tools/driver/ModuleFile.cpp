// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/ModuleFile.h"
#include "dialect/lori/LoriDialect.h"
#include "dialect/lori/LoriTypes.h"
#include "runtime/support/Error.h"

#include "mlir/Bytecode/BytecodeWriter.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

#include <filesystem>

using namespace lori;
namespace fs = std::filesystem;
using mlir::lori::FileAttr;
using mlir::lori::LoriDialect;

bool lori::isModulePath(std::string_view path) {
  return path.ends_with(".mlir") || path.ends_with(".mlirbc");
}

/// Returns `FILE:LINE:COLUMN` where the place is known.
static std::string describePlace(mlir::Location location,
                                 const std::string &path) {
  std::string place = path;
  location->walk([&](mlir::Location part) {
    auto exact = mlir::dyn_cast<mlir::FileLineColLoc>(part);
    if (!exact || exact.getLine() == 0)
      return mlir::WalkResult::advance();
    place += ":" + std::to_string(exact.getLine()) + ":" +
             std::to_string(exact.getColumn());
    return mlir::WalkResult::interrupt();
  });
  return place;
}

mlir::OwningOpRef<mlir::ModuleOp>
lori::readModuleFile(const std::string &path, mlir::MLIRContext &context) {
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw Error(path, fs::exists(path, error)
                          ? "is no file, expected a module in MLIR"
                          : "does not exist, give the path of a model");
  std::string place = path, message;
  mlir::ScopedDiagnosticHandler handler(
      &context, [&](mlir::Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error &&
            message.empty()) {
          place = describePlace(diagnostic.getLocation(), path);
          message = diagnostic.str();
        }
        return mlir::success();
      });
  auto module = mlir::parseSourceFile<mlir::ModuleOp>(
      path, mlir::ParserConfig(&context, /*verifyAfterParse=*/true));
  if (!module)
    throw Error(place, message.empty() ? "cannot be read" : message);
  return module;
}

std::string lori::formatModule(mlir::ModuleOp module, std::string_view path) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  if (path.ends_with(".mlirbc")) {
    if (mlir::failed(mlir::writeBytecodeToFile(module, stream)))
      throw Error(path, "the module has no form in bytecode, name the output "
                        ".mlir to write text");
  } else {
    module.print(stream);
    stream << '\n';
  }
  return text;
}

std::vector<FileEntry> lori::readFileEntries(mlir::ModuleOp module,
                                             const std::string &modulePath) {
  std::vector<FileEntry> entries;
  auto files =
      module->getAttrOfType<mlir::ArrayAttr>(LoriDialect::getFilesAttrName());
  if (!files)
    return entries;
  fs::path folder = fs::path(modulePath).parent_path();
  for (auto file : files.getAsRange<FileAttr>())
    entries.push_back({file.getName().str(),
                       (folder / file.getPath().str()).string(),
                       file.getFingerprint().str()});
  return entries;
}

/// Returns `path` as seen from the folder of the file `from`.
static std::string relativeTo(const std::string &path,
                              const std::string &from) {
  fs::path given = path;
  if (given.is_absolute())
    return path;
  std::error_code error;
  fs::path folder = fs::absolute(from).parent_path();
  fs::path result = fs::proximate(fs::absolute(given), folder, error);
  return error ? fs::absolute(given).string() : result.string();
}

void lori::writeFileEntries(mlir::ModuleOp module,
                            const std::string &modulePath,
                            const std::vector<FileEntry> &entries) {
  mlir::Builder builder(module.getContext());
  llvm::SmallVector<mlir::Attribute> files;
  for (const FileEntry &entry : entries)
    files.push_back(
        FileAttr::get(module.getContext(), builder.getStringAttr(entry.name),
                      builder.getStringAttr(relativeTo(entry.path, modulePath)),
                      builder.getStringAttr(entry.fingerprint)));
  module->setAttr(LoriDialect::getFilesAttrName(), builder.getArrayAttr(files));
}
