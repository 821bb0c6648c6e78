// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/pipelines/Registration.h"

#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::lori::registerEverything(registry);
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "LoRI optimizer driver\n", registry));
}
