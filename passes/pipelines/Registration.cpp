// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "passes/pipelines/Registration.h"
#include "dialect/lm/LmDialect.h"
#include "dialect/lori/LoriDialect.h"
#include "passes/Passes.h"
#include "passes/codegen/cpu/CpuCodegen.h"
#include "passes/codegen/cpu/Passes.h"
#include "passes/pipelines/Pipelines.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"

void mlir::lori::registerCompilerDialects(DialectRegistry &registry) {
  registry.insert<lori::LoriDialect, lm::LmDialect>();
  registerAllDialects(registry);
  registerAllExtensions(registry);
}

void mlir::lori::registerEverything(DialectRegistry &registry) {
  registerCompilerDialects(registry);
  registerAllPasses();
  registerLoriPasses();
  registerLoriCpuCodegenPasses();
  registerCpuCodegenPipelines();
  registerPipelines();
}
