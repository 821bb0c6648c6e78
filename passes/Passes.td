// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_PASSES_PASSES_TD
#define LORI_PASSES_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// Transforms: adapters
//===----------------------------------------------------------------------===//

def AttachAdaptersPass : Pass<"lori-attach-adapters", "ModuleOp"> {
  let summary = "Add the update of every declared adapter to the projections it names";
  let description = [{
    Before: `lori.adapter` symbols declare which weights they update. After:
    each `lm.linear` whose weight comes from such a parameter is followed by a
    `lori.adapt` for each adapter, in the order of the declarations. With
    `live` the update is weighed row by row by `lori.adapter_weights`; without,
    by the adapter's own weight, ready for `lori-fuse-adapters`.

    Refuses an adapter one of whose targets no linear layer reads. An update that
    is there already is not added again.

    Input:
    ```mlir
    %y = lm.linear %x, %w : ...
    ```
    Output:
    ```mlir
    %0 = lm.linear %x, %w : ...
    %y = lori.adapt %0, %x, %a, %b scale(%s) weights(%weights) : ...
    ```
  }];
  let options = [
    Option<"live", "live", "bool", "true",
           "Weigh the adapters when the program runs">];
  let dependentDialects = ["lori::LoriDialect", "arith::ArithDialect",
                           "tensor::TensorDialect"];
}

def AttachBankPass : Pass<"lori-attach-bank", "ModuleOp"> {
  let summary = "Let adapters that are loaded at run time update every projection";
  let description = [{
    Declares a `lori.adapter_bank` whose sites are the projections by weights of
    the base, and puts a `lori.adapt_routed` behind each, after the adapters that
    are attached already. A module that has a bank stays as it is.

    Input:
    ```mlir
    %y = lm.linear %x, %w : ...
    ```
    Output:
    ```mlir
    %0 = lm.linear %x, %w : ...
    %y = lori.adapt_routed %0, %x, @loaded site(0) [%layer] : ...
    ```
  }];
  let dependentDialects = ["lori::LoriDialect", "arith::ArithDialect"];
}

def FuseAdaptersPass : Pass<"lori-fuse-adapters", "ModuleOp"> {
  let summary = "Move adapters that are always on into the weights they update";
  let description = [{
    adapt(linear(x, w), x, A, B, s) -> linear(x, fuse(w, A, B, s))

    Fires where the update has no row weights and the linear layer no other
    user. Nested updates become one sum that is rounded once, to `type`; a
    conversion of the weight is left out, its type is that of `type=base`.

    Weights named in `live` are not fused. Of a stack, the layers that are not
    named are fused: the scales of the others are 0 in `lori.fuse`, and those
    of the fused layers 0 in `lori.adapt`; unless `type` cannot hold the
    weights of the live layers exactly, whose stack then stays live.
  }];
  let options = [
    Option<"type", "type", "std::string", "\"f32\"",
           "Storage of the fused weights: f32, f16, bf16, or base for that of "
           "the weight">,
    Option<"roundedUpdate", "rounded-update", "bool", "false",
           "Round each update before it is added, as PEFT's safe_merge does">,
    ListOption<"live", "live", "std::string",
               "Source names of weights whose updates stay live">];
  let dependentDialects = ["lori::LoriDialect", "arith::ArithDialect",
                           "tensor::TensorDialect"];
}

def MeasureFusionPass : Pass<"lori-measure-fusion", "ModuleOp"> {
  let summary = "Replace a model by the rounding errors of its fused weights";
  let description = [{
    Before: linear layers read fused weights. After: the module has no function;
    for each such weight there is a `lori.derived_param` that holds its
    `lori.rounding_error`, layer by layer, called `error.` and the weight's
    source name.
  }];
  let dependentDialects = ["lori::LoriDialect"];
}

//===----------------------------------------------------------------------===//
// Transforms: model graph
//===----------------------------------------------------------------------===//

def FoldResidualPass : Pass<"lm-fold-residual"> {
  let summary = "Let a linear layer accumulate into the residual stream";
  let description = [{
    addf(r, linear(x, w)) -> linear(x, w) residual(r)

    and the same through the updates of adapters, so that the residual stream
    needs neither an addition nor a buffer of its own.
  }];
  let dependentDialects = ["lm::LmDialect"];
}

def RotateHeadsPass : Pass<"lm-rotate-heads"> {
  let summary = "Spread outliers of queries and keys before keys are rounded";
  let description = [{
    attention(q, cache(k)) -> attention(q H, cache(k H))

    for each head, where H is a Hadamard matrix and the cache is narrower than
    f32. Scores stay as they are, H being orthogonal, but the few channels that
    are much larger than the others no longer decide the rounding error (as in
    QuaRot, arXiv 2404.00456). Heads whose size is no power of two stay.
  }];
  let dependentDialects = ["lm::LmDialect", "lori::LoriDialect",
                           "tensor::TensorDialect"];
}

//===----------------------------------------------------------------------===//
// Transforms: parameters
//===----------------------------------------------------------------------===//

def ConvertWeightsPass : Pass<"lori-convert-weights", "ModuleOp"> {
  let summary = "Choose the type that each linear layer's weight is stored in";
  let description = [{
    Inserts `lori.convert` before weights of linear layers and embedding tables.
    With `type=auto` only weights in a format that no kernel reads (the K
    formats) change, to f16. A block format applies to weights whose rows it
    divides; others become f16.
  }];
  let options = [
    Option<"type", "type", "std::string", "\"auto\"",
           "auto, f32, f16, bf16, q8_0, q4_0 or q4_1">];
  let dependentDialects = ["lori::LoriDialect"];
}

def PackWeightsPass : Pass<"lori-pack-weights", "ModuleOp"> {
  let summary = "Lay out the weights of linear layers in panels";
  let description = [{
    Inserts `lori.pack` before each weight of a linear layer, each factor of an
    adapter and each embedding table that is made of parameters only. A table
    that is also a linear layer's weight shares its panels.
  }];
  let options = [
    Option<"rows", "rows", "int64_t", "16", "Rows of a panel">];
  let dependentDialects = ["lori::LoriDialect"];
}

def HoistParamsPass : Pass<"lori-hoist-params", "ModuleOp"> {
  let summary = "Turn parameter-only expressions into derived parameters";
  let description = [{
    Before: ops that read nothing but parameters stand where their value is
    used, those of a layer inside the loop over layers. After: each maximal
    such expression is the initializer of a `lori.derived_param`, stacked if it
    reads a layer of a stack, and is read by `lori.get_param`.

    A `lori.frozen_projection` alone is not hoisted: it is never stored.
  }];
  let dependentDialects = ["lori::LoriDialect"];
}

//===----------------------------------------------------------------------===//
// Conversion
//===----------------------------------------------------------------------===//

def ConvertLoriToLinalgPass : Pass<"convert-lori-to-linalg"> {
  let summary = "Lower the use of adapters to linalg";
  let description = [{
    After the pass no `lori` op remains in the function but references to
    parameters (`lori.get_param`, `lori.adapter_weights`) and the views of
    their storage (`lori.storage`).
  }];
  let dependentDialects = ["linalg::LinalgDialect", "lori::LoriDialect",
                           "scf::SCFDialect", "tensor::TensorDialect",
                           "arith::ArithDialect", "math::MathDialect"];
}

def ConvertLmToLinalgPass : Pass<"convert-lm-to-linalg"> {
  let summary = "Lower the model graph to linalg";
  let description = [{
    After the pass no `lm` op remains. Contractions with a packed weight become
    one `linalg.generic` over (row, panel, lane, reductions) whose body decodes
    the weight's storage; attention becomes a parallel loop over rows and heads
    with an online softmax, page by page.
  }];
  let dependentDialects = ["linalg::LinalgDialect", "lori::LoriDialect",
                           "scf::SCFDialect", "tensor::TensorDialect",
                           "arith::ArithDialect", "math::MathDialect",
                           "vector::VectorDialect"];
}

def LowerInitializersPass : Pass<"lori-lower-initializers", "ModuleOp"> {
  let summary = "Turn the initializers of derived parameters into functions";
  let description = [{
    Each distinct initializer becomes `func @init.N(%layer: index, leaves...,
    out)` on bare pointers, a loop nest over the stored entries of its result:
    an entry is computed from the leaves directly, so that no intermediate
    tensor exists whatever the length of the expression. The derived parameter
    keeps its region, which names the leaves, and gets the function's name.
  }];
  let dependentDialects = ["bufferization::BufferizationDialect",
                           "func::FuncDialect", "linalg::LinalgDialect",
                           "memref::MemRefDialect", "scf::SCFDialect",
                           "tensor::TensorDialect", "arith::ArithDialect",
                           "math::MathDialect"];
}

def BindStepPass : Pass<"lori-bind-step", "ModuleOp"> {
  let summary = "Give the step function its C interface and its parameters an address";
  let description = [{
    Before: `func @step` on tensors reads parameters by name. After: `@lori_step`
    takes the bare pointers of runtime/engine/StepAbi.h; a parameter is a view at
    its offset of the parameter section. Offsets are chosen here, 64-byte
    aligned, in the order of first use, and recorded at the parameters.
  }];
  let dependentDialects = ["bufferization::BufferizationDialect",
                           "func::FuncDialect", "memref::MemRefDialect",
                           "tensor::TensorDialect", "arith::ArithDialect"];
}

def EmitBankWritersPass : Pass<"lori-emit-bank-writers", "ModuleOp"> {
  let summary = "Emit the functions that lay out the factors of loaded adapters";
  let description = [{
    For the module's `lori.adapter_bank`: `@lori_write_f32`, `_f16` and `_bf16`
    of runtime/engine/StepAbi.h, which bring a matrix from an adapter's file to
    the layout that the step's kernels read.
  }];
  let dependentDialects = ["func::FuncDialect", "memref::MemRefDialect",
                           "scf::SCFDialect", "arith::ArithDialect"];
}

def EraseParamsPass : Pass<"lori-erase-params", "ModuleOp"> {
  let summary = "Erase the declarations of parameters and adapters";
  let description = [{
    Once functions refer to parameters by their addresses only, the
    declarations serve the driver's table of parameters and nothing else. The
    pass leaves a module of functions, ready for bufferization.
  }];
}

def CopyToLinalgPass : Pass<"convert-copy-to-linalg"> {
  let summary = "Copy strided views by loops of our own";
  let description = [{
    A `memref.copy` between views that are not contiguous would become a call of
    MLIR's runner library, which no program links; it becomes an elementwise
    `linalg.generic`. Contiguous copies stay, and become a memcpy.
  }];
  let dependentDialects = ["linalg::LinalgDialect"];
}

#endif // LORI_PASSES_PASSES_TD
