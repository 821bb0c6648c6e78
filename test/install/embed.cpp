// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Another compiler: it parses a module with an adapter and reads its scale.

#include "dialect/lori/LoriDialect.h"
#include "dialect/lori/LoriOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"

constexpr llvm::StringLiteral source = R"(
  func.func @f(%base: tensor<?x8xf32>, %x: tensor<?x4xf32>, %a: tensor<2x4xf32>,
               %b: tensor<8x2xf32>, %s: f32) -> tensor<?x8xf32> {
    %y = lori.adapt %base, %x, %a, %b scale(%s)
      : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<2x4xf32>, tensor<8x2xf32>, f32) -> tensor<?x8xf32>
    return %y : tensor<?x8xf32>
  })";

int main() {
  mlir::DialectRegistry registry;
  registry.insert<mlir::lori::LoriDialect, mlir::func::FuncDialect,
                  mlir::arith::ArithDialect>();
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  int adapters = 0;
  if (module)
    module->walk([&](mlir::lori::AdaptOp op) { ++adapters; });
  return adapters == 1 ? 0 : 1;
}
