// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "test/unit/driver/TestModule.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Parser/Parser.h"

using namespace lori::test;

TestModule::TestModule(std::string_view text) {
  context.loadDialect<mlir::LLVM::LLVMDialect, mlir::omp::OpenMPDialect>();
  module =
      mlir::parseSourceString<mlir::ModuleOp>(llvm::StringRef(text), &context);
  if (!module)
    throw std::invalid_argument("a test's module does not parse");
}

// The accesses are volatile, or the allocation would be optimized away.
const char lori::test::stepText[] = R"(
llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @free(!llvm.ptr)
llvm.func @lori_step(%n: i64, %x: !llvm.ptr, %y: !llvm.ptr) {
  %zero = llvm.mlir.constant(0 : i64) : i64
  %one = llvm.mlir.constant(1 : i64) : i64
  %four = llvm.mlir.constant(4 : i64) : i64
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%i) : i64 = (%zero) to (%n) step (%one) {
        %from = llvm.getelementptr %x[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
        %to = llvm.getelementptr %y[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
        %value = llvm.load %from : !llvm.ptr -> f32
        %exp = llvm.intr.exp(%value) : (f32) -> f32
        %buffer = llvm.call @malloc(%four) : (i64) -> !llvm.ptr
        llvm.store volatile %exp, %buffer : f32, !llvm.ptr
        %same = llvm.load volatile %buffer : !llvm.ptr -> f32
        llvm.store %same, %to : f32, !llvm.ptr
        llvm.call @free(%buffer) : (!llvm.ptr) -> ()
        omp.yield
      }
    }
    omp.terminator
  }
  llvm.return
}
)";
