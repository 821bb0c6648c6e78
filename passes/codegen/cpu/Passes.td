// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From bufferized linalg to vector code for CPUs. A "panel contraction" is
// defined in PanelContraction.h.

#ifndef LORI_PASSES_CODEGEN_CPU_PASSES
#define LORI_PASSES_CODEGEN_CPU_PASSES

include "mlir/Pass/PassBase.td"

def OutlineKernelsPass : Pass<"lori-outline-kernels", "ModuleOp"> {
  let summary = "Give equal panel contractions one function";
  let description = [{
    Moves each `linalg.generic` that is a panel contraction on memrefs into a
    private function whose arguments are its memrefs, and calls it. Contractions
    with equal operand types, maps and bodies share a function, so the code does
    not grow with their number. Constants that the body uses move along; other
    values from outside become arguments.

    Input:
    ```mlir
    linalg.generic {…} ins(%x, %w : memref<?x576xf32>, memref<48x576x32xf16>)
                       outs(%y : memref<?x48x32xf32>) {…}
    ```
    Output:
    ```mlir
    call @kernel_f16_48x576x32(%x, %w, %y) : …
    ```
    Other operations stay where they are. A contraction that is already the only
    operation of a function with the prefix is left alone.
  }];
  let options = [
    Option<"prefix", "prefix", "std::string", "\"kernel\"",
           "First part of the functions' names">,
  ];
  let dependentDialects = ["func::FuncDialect"];
}

def TileContractionsPass : Pass<"lori-tile-contractions", "ModuleOp"> {
  let summary = "Split panel contractions into register-sized contractions";
  let description = [{
    Replaces a panel contraction by loops around smaller ones that
    `lori-vectorize-contractions` keeps in registers. Each worker gets one
    contiguous range of panels, so that it reads one stretch of memory; where
    rows are many enough for it, each gets a range of rows, too:

    ```mlir
    scf.parallel (%i, %j) = (0, 0) to (%row_parts, %panel_parts) {
      call @kernel_panels(%panels, %panels_end, %rows, %rows_end, %x, %w, %y)
    }
    func.func private @kernel_panels(…) {
      // few rows: every weight is decoded in registers, and read once
      scf.index_switch %rows
      case 1 { for panels by 4 { 1 row x 4 panels } }
      case 2 { for panels by 4 { 2 rows x 4 panels } }
      …
      for the other panels { all rows x 1 panel }
      // many rows, a range of them: for each block of rows and of the
      // outermost reduction loop
      for panels { decode one panel's block into a buffer in L1
                   contraction of the rows with the buffer }
    }
    ```
    The sum of a row's element goes through the reduction loops in the order of
    the loops in each of these forms, from the element's first value, one
    multiply-add after the other: a row's result does not depend on the number
    of rows it is computed with, bit for bit. Where a `linalg.fill` sets the
    output to zero right before, sums start at zero and the fill goes.

    The smaller contractions have operands with dynamic outer sizes and strides,
    so that `lori-outline-kernels` finds few different ones, whatever the shapes
    are. The number of workers is `omp_get_max_threads()`, a hint only: any number
    of threads may run them. Operations that are no panel contractions stay;
    `explain` gives the reason.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "256",
           "Bits of a native vector">,
    Option<"registers", "registers", "int64_t", "16",
           "Number of vector registers">,
    Option<"l1Bytes", "l1-bytes", "int64_t", "32768",
           "Bytes of a core's first-level data cache">,
    Option<"l2Bytes", "l2-bytes", "int64_t", "1048576",
           "Bytes of a core's second-level cache">,
    Option<"maxPanels", "max-panels", "int64_t", "4",
           "Most panels to go through at once">,
    Option<"expandRows", "expand-rows", "int64_t", "0",
           "Rows from which on a block of weights is decoded into a buffer; 0 "
           "means one more than fit in registers">,
    Option<"blockPanels", "block-panels", "int64_t", "0",
           "Panels to go through at once with many rows; 0 derives it">,
    Option<"blockDepth", "block-depth", "int64_t", "0",
           "Most steps of the reduction in a block; 0 derives it from l1-bytes">,
    Option<"parallel", "parallel", "bool", "true",
           "Share the panels between the threads">,
    Option<"minParallelWork", "min-parallel-work", "int64_t", "65536",
           "Fewest multiply-adds for which threads are woken">,
    Option<"rowPart", "row-part", "int64_t", "192",
           "Fewest rows for which a worker decodes weights of its own">,
    Option<"explain", "explain", "bool", "false",
           "Say in a remark why a linalg.generic is not tiled">,
  ];
  let dependentDialects = ["arith::ArithDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "linalg::LinalgDialect",
                           "func::FuncDialect"];
}

def VectorizeContractionsPass
    : Pass<"lori-vectorize-contractions", "func::FuncOp"> {
  let summary = "Turn register-sized panel contractions into vector code";
  let description = [{
    Rewrites a panel contraction whose panels fit in registers into loops over
    the reduction with all accumulators as loop-carried vectors: a static number
    of rows as one block; a dynamic one as a loop over blocks of as many rows as
    fit, then one block of exactly the rows that are left, chosen by a switch.
    No row is padded and nothing outside the operands is touched.

    The body's lane side is cloned on vectors along the lanes, its row side on
    scalars, and each term becomes a `vector.fma`; what does not vary with an
    inner loop (the scale of a block) is computed before it. The innermost
    reduction loop is unrolled, as are loops whose index the body asks for.
    Weights are prefetched where one block of rows is all that reads them.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "256",
           "Bits of a native vector">,
    Option<"registers", "registers", "int64_t", "16",
           "Number of vector registers">,
    Option<"unrollBudget", "unroll-budget", "int64_t", "48",
           "Most multiply-adds in the body of the innermost loop">,
    Option<"maxUnroll", "max-unroll", "int64_t", "8",
           "Most steps of the innermost loop to unroll">,
    Option<"prefetchBytes", "prefetch-bytes", "int64_t", "2048",
           "How far ahead to prefetch weights; 0 for not at all">,
    Option<"explain", "explain", "bool", "false",
           "Say in a remark why a linalg.generic is not vectorised">,
  ];
  let dependentDialects = ["arith::ArithDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "vector::VectorDialect"];
}

def VectorizeElementwisePass
    : Pass<"lori-vectorize-elementwise", "ModuleOp"> {
  let summary = "Turn elementwise and row-reducing linalg ops into vector code";
  let description = [{
    Rewrites a `linalg.generic` on memrefs, with an elementwise body, into
    loops around vector code. The vectors run along one loop that is the last
    dimension, with stride 1, of every operand it indexes; operands without it
    are broadcast. A length that is no multiple of the vector ends in smaller
    vectors; nothing outside the operands is touched.

    If the vector loop is a reduction, each output is combined in several
    chains of partial results, whose order depends on the length only. Of the
    other loops, the outermost parallel one is shared between the threads when
    there is enough to do, but not in what a parallel loop calls.

    Input: the sum of squares of each row
    ```mlir
    linalg.generic {iterator_types = ["parallel", "reduction"], …}
      ins(%x : memref<?x576xf32>) outs(%s : memref<?xf32>) {
      %sq = arith.mulf %v, %v : f32
      %sum = arith.addf %acc, %sq : f32
      linalg.yield %sum : f32 }
    ```
    Output: for each row, a loop with four `vector<8xf32>` sums and one
    `vector.reduction`.
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", "256",
           "Bits of a native vector">,
    Option<"unroll", "unroll", "int64_t", "2",
           "Vectors in one iteration of an elementwise loop">,
    Option<"chains", "chains", "int64_t", "4",
           "Partial results of a reduction">,
    Option<"maxUnroll", "max-unroll", "int64_t", "8",
           "Most vectors to write without a loop">,
    Option<"parallel", "parallel", "bool", "true",
           "Share the outermost parallel loop between the threads">,
    Option<"minParallelWork", "min-parallel-work", "int64_t", "32768",
           "Fewest elements for which threads are woken">,
    Option<"explain", "explain", "bool", "false",
           "Say in a remark why a linalg.generic is not vectorised">,
  ];
  let dependentDialects = ["arith::ArithDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "vector::VectorDialect"];
}

def ApproximateMathPass : Pass<"lori-approximate-math"> {
  let summary = "Compute exp, tanh, log and erf by polynomials on vectors";
  let description = [{
    Replaces `math.exp`, `math.tanh`, `math.log` and `math.erf` on f32 by
    upstream's polynomials, which stay vectors and call no library; exp and log
    are within 1 ulp, tanh within 4. NaN and infinities come out as from the
    library. Sine and cosine stay, since their polynomials lose digits on large
    arguments.
  }];
  let dependentDialects = ["arith::ArithDialect", "math::MathDialect",
                           "vector::VectorDialect"];
}

#endif // LORI_PASSES_CODEGEN_CPU_PASSES
