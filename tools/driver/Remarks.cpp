// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "tools/driver/Remarks.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/raw_ostream.h"

using namespace lori;
namespace remark = mlir::remark;

/// Returns the name that a location has, or its place in a file.
static std::string printLocation(mlir::Location location) {
  std::string text;
  location->walk([&](mlir::Location part) {
    if (auto name = mlir::dyn_cast<mlir::NameLoc>(part))
      text = name.getName().str();
    else if (auto place = mlir::dyn_cast<mlir::FileLineColLoc>(part))
      text =
          (place.getFilename().getValue() + ":" + llvm::Twine(place.getLine()) +
           ":" + llvm::Twine(place.getColumn()))
              .str();
    return text.empty() ? mlir::WalkResult::advance()
                        : mlir::WalkResult::interrupt();
  });
  return text;
}

RemarkPrinter *RemarkPrinter::install(mlir::MLIRContext &context) {
  auto printer = std::make_unique<RemarkPrinter>();
  RemarkPrinter *result = printer.get();
  const std::string ours = "l(ori|m)-.*";
  // `all` alone would enable nothing.
  remark::RemarkCategories categories{std::nullopt, ours, ours, ours, ours};
  if (mlir::failed(remark::enableOptimizationRemarks(
          context, std::move(printer),
          std::make_unique<remark::RemarkEmittingPolicyAll>(), categories)))
    return nullptr;
  return result;
}

void RemarkPrinter::printLine(mlir::Location location, llvm::StringRef text) {
  if (isSilent)
    return;
  std::string line = printLocation(location);
  line += line.empty() ? "" : ": ";
  line += text;
  std::lock_guard lock(mutex);
  if (known.insert(line).second)
    llvm::errs() << "lori-compile: remark: " << line << '\n';
}

void RemarkPrinter::streamOptimizationRemark(
    const remark::detail::Remark &remark) {
  std::string text;
  for (const remark::detail::Remark::Arg &part : remark.getArgs())
    text += part.val;
  printLine(remark.getLocation(), text);
}

void RemarkPrinter::print(const mlir::Diagnostic &diagnostic) {
  printLine(diagnostic.getLocation(), diagnostic.str());
}
