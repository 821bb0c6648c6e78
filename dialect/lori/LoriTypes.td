// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORITYPES_TD
#define LORI_DIALECT_LORI_LORITYPES_TD

include "dialect/lori/LoriDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/TensorEncoding.td"

//===----------------------------------------------------------------------===//
// Block-quantised storage
//===----------------------------------------------------------------------===//

def Lori_QuantFormat : I32Enum<"QuantFormat", "a GGUF block format", [
    I32EnumCase<"Q8_0", 0, "q8_0">,
    I32EnumCase<"Q4_0", 1, "q4_0">,
    I32EnumCase<"Q4_1", 2, "q4_1">,
    I32EnumCase<"Q4_K", 3, "q4_k">,
    I32EnumCase<"Q5_K", 4, "q5_k">,
    I32EnumCase<"Q6_K", 5, "q6_k">]> {
  let cppNamespace = "::mlir::lori";
}

def Lori_QuantType : TypeDef<LoriDialect, "Quant"> {
  let mnemonic = "quant";
  let summary = "Entry of a block-quantised tensor";
  let description = [{
    The element type of a tensor whose rows are stored as GGUF blocks: 32
    entries (256 for the K formats) share an in-band scale, and for some a
    minimum. The tensor's shape is the logical one; the last dimension is a
    multiple of the block. `lori.storage` views such a tensor as its bytes.

    | format | entries | bytes | an entry's value                       |
    |--------|---------|-------|----------------------------------------|
    | q8_0   | 32      | 34    | `d * q`, q in -128..127                |
    | q4_0   | 32      | 18    | `d * (q - 8)`, q in 0..15              |
    | q4_1   | 32      | 20    | `d * q + m`                            |
    | q4_k   | 256     | 144   | `d * scale_i * q - dmin * min_i`       |
    | q5_k   | 256     | 176   | as q4_k, q in 0..31                    |
    | q6_k   | 256     | 210   | `d * scale_i * (q - 32)`, q in 0..63   |

    Example: `tensor<1536x576x!lori.quant<q4_1>>`.
  }];
  let parameters = (ins EnumParameter<Lori_QuantFormat>:$format);
  let assemblyFormat = "`<` $format `>`";
  let extraClassDeclaration = [{
    /// Returns the number of entries of one block.
    int64_t getBlockEntries() const;
    /// Returns the number of bytes of one block.
    int64_t getBlockBytes() const;
  }];
}

//===----------------------------------------------------------------------===//
// Order in memory
//===----------------------------------------------------------------------===//

def Lori_PanelsAttr : AttrDef<LoriDialect, "Panels", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let mnemonic = "panels";
  let summary = "Matrix stored in panels of rows";
  let description = [{
    The encoding of a matrix `[.., N, K]` that lies in memory as
    `[.., ceil(N / rows), K, rows]`: the entries that neighbouring rows have in
    one column are neighbours, so that a vector of `rows` lanes computes `rows`
    outputs at once. Rows past `N` are zero. A block-quantised matrix is stored
    as `[.., ceil(N / rows), K / entries, block bytes, rows]` bytes: the blocks
    of `rows` rows, byte by byte.

    Example: `tensor<576x576xf16, #lori.panels<16>>`.
  }];
  let parameters = (ins "int64_t":$rows);
  let assemblyFormat = "`<` $rows `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// What can be stored
//===----------------------------------------------------------------------===//

/// Floats or whole blocks, in plain order or in panels.
class Lori_StoredTensorOf<list<int> ranks, string summary> : Type<
    And<[IsRankedTensorTypePred, HasAnyRankOfPred<ranks>,
         CPred<"::mlir::lori::isStorable($_self)">]>,
    "static " # summary # " of f32, f16, bf16 or whole blocks",
    "::mlir::RankedTensorType">;

def Lori_StoredTensor : Lori_StoredTensorOf<[1, 2, 3], "tensor">;
/// The same, and floats of sizes that only the running program knows.
def Lori_LaidOutTensor : Type<
    And<[IsRankedTensorTypePred, HasAnyRankOfPred<[1, 2, 3]>,
         CPred<"::mlir::lori::hasLayout($_self)">]>,
    "tensor of f32, f16, bf16 or whole blocks", "::mlir::RankedTensorType">;
def Lori_StoredMatrix : Lori_StoredTensorOf<[2], "matrix">;

//===----------------------------------------------------------------------===//
// Origin of a parameter
//===----------------------------------------------------------------------===//

def Lori_SourceAttr : AttrDef<LoriDialect, "Source"> {
  let mnemonic = "source";
  let summary = "Tensors of a file that a parameter is stacked from";
  let description = [{
    `file` is `base` for the model's checkpoint, else the name of an adapter.
    A `*` in `name` stands for a layer's number; `layers` lists the numbers in
    the order of the stack. A number of -1 stands for a layer without the
    tensor, whose entries are zero. Without a `*` the parameter is one tensor,
    and `layers` is empty.

    Example: `#lori.source<"base", "model.layers.*.mlp.up_proj.weight", [0, 1]>`.
  }];
  let parameters = (ins
    "::mlir::StringAttr":$file,
    "::mlir::StringAttr":$name,
    "::mlir::DenseI64ArrayAttr":$layers);
  let assemblyFormat = "`<` $file `,` $name `,` $layers `>`";
  let genVerifyDecl = 1;
}

def Lori_FileAttr : AttrDef<LoriDialect, "File"> {
  let mnemonic = "file";
  let summary = "Where a file that parameters come from lies";
  let description = [{
    An entry of the array `lori.files` of a module: what `#lori.source` calls
    `name` lies at `path`, relative to the module's own file. A path is that of
    a checkpoint (a Hugging Face directory or a GGUF file), a PEFT directory, or
    a safetensors file. `fingerprint`, if it is not empty, is that of the
    contents which the module was made for.

    Example: `#lori.file<"base", "../tiny", "5f2c…">`.
  }];
  let parameters = (ins
    "::mlir::StringAttr":$name,
    "::mlir::StringAttr":$path,
    "::mlir::StringAttr":$fingerprint);
  let assemblyFormat = "`<` $name `,` $path `,` $fingerprint `>`";
  let genVerifyDecl = 1;
}

//===----------------------------------------------------------------------===//
// An adapter's module
//===----------------------------------------------------------------------===//

def Lori_ModuleAttr : AttrDef<LoriDialect, "Module"> {
  let mnemonic = "module";
  let summary = "The factors that an adapter adds to one projection";
  let description = [{
    `target` is the source name of the weight that the adapter updates, with a
    `*` for the layer. `shrink` and `expand` name the parameters A and B,
    `scales` holds alpha / r: one number, or one for each layer of a stack.

    Example: `#lori.module<"lm_head.weight", @a, @b, [2.0]>`.
  }];
  let parameters = (ins
    "::mlir::StringAttr":$target,
    "::mlir::FlatSymbolRefAttr":$shrink,
    "::mlir::FlatSymbolRefAttr":$expand,
    "::mlir::DenseF64ArrayAttr":$scales);
  let assemblyFormat = "`<` $target `,` $shrink `,` $expand `,` custom<Floats>($scales) `>`";
}

def Lori_Init : I32EnumAttr<"InitKind", "the distribution of a frozen projection", [
    I32EnumAttrCase<"KaimingUniform", 0, "kaiming_uniform">,
    I32EnumAttrCase<"Normal", 1, "normal">]> {
  let cppNamespace = "::mlir::lori";
}

#endif // LORI_DIALECT_LORI_LORITYPES_TD
