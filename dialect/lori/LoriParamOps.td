// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORIPARAMOPS_TD
#define LORI_DIALECT_LORI_LORIPARAMOPS_TD

include "dialect/lori/LoriOps.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

//===----------------------------------------------------------------------===//
// Parameters
//===----------------------------------------------------------------------===//

def Lori_ParamOp : Lori_Op<"param", [Symbol]> {
  let summary = "Name a tensor of a checkpoint, or a stack of them";
  let description = [{
    Declares storage outside of the module: IR never holds weights. A parameter
    whose source has layers is a stack of their tensors along a new leading
    dimension.

    `at` is the parameter's byte offset in the program's parameter section, once
    `lori-bind-step` has chosen it.

    (C1) the type can be stored: a static shape, rows of whole blocks; (C2) if
    the source has layers, the type is a stack of as many vectors or matrices.

    Example:
    ```mlir
    lori.param @up_proj : tensor<2x1536x576xbf16>
      from <"base", "model.layers.*.mlp.up_proj.weight", [0, 1]>
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<AnyRankedTensor>:$type,
                       Lori_SourceAttr:$source,
                       OptionalAttr<I64Attr>:$offset);
  let assemblyFormat = [{
    $sym_name `:` $type `from` $source (`at` $offset^)? attr-dict
  }];
  let builders = [OpBuilder<(ins "StringRef":$name, "RankedTensorType":$type,
                                 "SourceAttr":$source)>];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Returns whether the parameter is a stack over layers.
    bool isStacked() { return !getSource().getLayers().empty(); }
  }];
}

def Lori_DerivedParamOp : Lori_Op<"derived_param", [
    Symbol, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "Declare a parameter computed from other parameters";
  let description = [{
    The region computes the parameter, or one layer of it, when the model is
    compiled; the value is then stored with the program. A stacked parameter's
    region has the layer's index as its argument and yields one layer.

    (C1) the region has no argument, or one of `index` type; (C2) it yields the
    declared type, without the leading dimension if it has an argument; (C3)
    that type can be stored.

    `evaluator` names the function that `lori-lower-initializers` made of the
    region, `at` the byte offset that `lori-bind-step` chose.

    Example:
    ```mlir
    lori.derived_param @packed : tensor<2x1536x576xbf16, #lori.panels<16>> {
    ^bb0(%layer: index):
      %w = lori.get_param @up_proj[%layer] : tensor<1536x576xbf16>
      %p = lori.pack %w : tensor<1536x576xbf16> to tensor<1536x576xbf16, #lori.panels<16>>
      lori.yield %p : tensor<1536x576xbf16, #lori.panels<16>>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<AnyRankedTensor>:$type,
                       OptionalAttr<FlatSymbolRefAttr>:$evaluator,
                       OptionalAttr<I64Attr>:$offset);
  let regions = (region SizedRegion<1>:$initializer);
  let assemblyFormat = [{
    $sym_name `:` $type (`evaluator` `(` $evaluator^ `)`)? (`at` $offset^)?
    attr-dict-with-keyword $initializer
  }];
  let builders = [OpBuilder<(ins "StringRef":$name, "RankedTensorType":$type)>];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Returns whether the parameter is a stack over layers.
    bool isStacked() { return getInitializer().getNumArguments() == 1; }
    /// Returns the value that the initializer yields.
    Value getYielded();
  }];
}

def Lori_YieldOp : Lori_Op<"yield", [
    Pure, Terminator, ReturnLike, HasParent<"DerivedParamOp">]> {
  let summary = "Yield the value of a derived parameter";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ /* nothing to do */ }]>];
}

def Lori_GetParamOp : Lori_Op<"get_param", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Read a parameter, or one layer of a stacked one";
  let description = [{
    (C1) `param` names a `lori.param` or `lori.derived_param`; (C2) a stacked
    parameter is read with a layer index, another without; (C3) the result is
    the parameter's type, without the leading dimension if it is stacked.

    Example: `%w = lori.get_param @up_proj[%layer] : tensor<1536x576xbf16>`.
  }];
  let arguments = (ins FlatSymbolRefAttr:$param, Optional<Index>:$layer);
  let results = (outs AnyRankedTensor:$value);
  let assemblyFormat = [{
    $param (`[` $layer^ `]`)? attr-dict `:` type($value)
  }];
}

//===----------------------------------------------------------------------===//
// Adapters
//===----------------------------------------------------------------------===//

def Lori_AdapterOp : Lori_Op<"adapter", [
    Symbol, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Declare an adapter and the projections it updates";
  let description = [{
    `lori-attach-adapters` turns the declaration into `lori.adapt` ops. `weight`
    is the factor by which a user scales the whole adapter. One that is
    `attached` has its ops already; it stays for its name and its weights.

    (C1) the factors of each module name parameters; (C2) a module of a stack
    has one scale, or one for each layer.

    Example:
    ```mlir
    lori.adapter @tiny weight(1.0) [
      #lori.module<"model.layers.*.mlp.up_proj.weight", @tiny_a, @tiny_b, [2.0]>]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, F64Attr:$weight,
                       TypedArrayAttrBase<Lori_ModuleAttr, "modules">:$modules,
                       UnitAttr:$attached);
  let assemblyFormat = [{
    $sym_name `weight` `(` $weight `)` (`attached` $attached^)? $modules attr-dict
  }];
}

def Lori_AdapterWeightsOp : Lori_Op<"adapter_weights", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Read how much each row of the batch takes of an adapter";
  let description = [{
    The weights are chosen when the program runs, row by row; 0 is without the
    adapter.

    (C1) `adapter` names a `lori.adapter`.

    Example: `%w = lori.adapter_weights @tiny : tensor<?xf32>`.
  }];
  let arguments = (ins FlatSymbolRefAttr:$adapter);
  let results = (outs 1DTensorOf<[F32]>:$weights);
  let assemblyFormat = "$adapter attr-dict `:` type($weights)";
}

//===----------------------------------------------------------------------===//
// Expressions of parameters
//===----------------------------------------------------------------------===//

def Lori_ConvertOp : Lori_Op<"convert", [Pure]> {
  let summary = "Store a parameter in another type";
  let description = [{
    Converts every entry, rounding once, to nearest even. Conversion to a
    block-quantised type takes each block's scale as llama.cpp's reference
    quantiser does.

    (C1) both types have the same shape and no encoding; (C2) the result is no K
    format, which this project only reads.

    Example:
    ```mlir
    %f = lori.convert %w : tensor<576x576x!lori.quant<q4_1>> to tensor<576x576xf16>
    ```
  }];
  let arguments = (ins Lori_StoredTensor:$source);
  let results = (outs Lori_StoredTensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Lori_DeinterleaveRowsOp : Lori_Op<"deinterleave_rows", [
    Pure, AllTypesMatch<["source", "result"]>]> {
  let summary = "Bring rotary pairs from neighbouring rows into halves of a head";
  let description = [{
    Within each of `heads` equal groups of rows, row `2 i` moves to `i` and row
    `2 i + 1` to `i + size / 2`. GGUF files of the llama architecture hold the
    rows of the query and key projections (and their biases) in the interleaved
    order that llama.cpp rotates; adapters and the other ops of this project use
    the order of halves.

    (C1) dim(source, 0) is a multiple of 2 * heads.

    Example:
    ```mlir
    %q = lori.deinterleave_rows %w heads(9) : tensor<576x576xf32>
    ```
  }];
  let arguments = (ins Lori_StoredTensor:$source,
                       ConfinedAttr<I64Attr, [IntPositive]>:$heads);
  let results = (outs Lori_StoredTensor:$result);
  let assemblyFormat = "$source `heads` `(` $heads `)` attr-dict `:` type($source)";
  let hasVerifier = 1;
}

def Lori_PackOp : Lori_Op<"pack", [Pure]> {
  let summary = "Lay out a matrix in the panels that a kernel reads";
  let description = [{
    Entries and type stay; only the order in memory changes to that of the
    result's `#lori.panels` encoding.

    (C1) the source has no encoding, the result has one, and they agree in
    shape and element type.

    Example:
    ```mlir
    %p = lori.pack %w : tensor<576x576xf16> to tensor<576x576xf16, #lori.panels<16>>
    ```
  }];
  let arguments = (ins Lori_StoredMatrix:$source);
  let results = (outs Lori_StoredMatrix:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `to` type($result)";
  let hasVerifier = 1;
}

def Lori_StorageOp : Lori_Op<"storage", [Pure]> {
  let summary = "View a tensor as it lies in memory";
  let description = [{
    Turns logical shape, quantised element type and encoding into the plain
    tensor that is stored: the border at which layouts become indices.

    (C1) the result is the stored form of the source's type.

    Example:
    ```mlir
    %s = lori.storage %w : tensor<576x576x!lori.quant<q4_1>, #lori.panels<16>> to tensor<36x18x20x16xi8>
    ```
  }];
  let arguments = (ins Lori_LaidOutTensor:$source);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$source attr-dict `:` type($source) `to` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif // LORI_DIALECT_LORI_LORIPARAMOPS_TD
