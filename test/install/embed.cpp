// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Another compiler: its module has an adapter, which it fuses into the weight.

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "passes/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

constexpr llvm::StringLiteral source = R"(
  func.func @f(%x: tensor<?x4xf32>, %w: tensor<8x4xf16>, %a: tensor<2x4xf32>,
               %b: tensor<8x2xf32>) -> tensor<?x8xf32> {
    %s = arith.constant 2.0 : f32
    %base = lm.linear %x, %w : (tensor<?x4xf32>, tensor<8x4xf16>) -> tensor<?x8xf32>
    %y = lori.adapt %base, %x, %a, %b scale(%s)
      : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<2x4xf32>, tensor<8x2xf32>, f32) -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  })";

int main() {
  mlir::DialectRegistry registry;
  registry.insert<mlir::lori::LoriDialect, mlir::lm::LmDialect>();
  registry.insert<mlir::func::FuncDialect, mlir::arith::ArithDialect>();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  if (!module)
    return 1;
  mlir::PassManager passes(&context);
  passes.addPass(mlir::lori::createFuseAdaptersPass());
  if (mlir::failed(passes.run(*module)))
    return 1;
  int live = 0, fused = 0;
  module->walk([&](mlir::lori::AdaptOp) { ++live; });
  module->walk([&](mlir::lori::FuseOp) { ++fused; });
  return live == 0 && fused == 1 ? 0 : 1;
}
