// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LM_LMOPS_TD
#define LORI_DIALECT_LM_LMOPS_TD

include "dialect/lm/LmDialect.td"
include "dialect/lori/LoriTypes.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/BuiltinAttributes.td"

class Lm_Op<string mnemonic, list<Trait> traits = [Pure]>
    : Op<LmDialect, mnemonic, traits>;

/// Only the number of rows may be unknown before the program runs.
def Lm_HasStaticColumns : CPred<[{
  !::llvm::is_contained(
      ::llvm::cast<::mlir::ShapedType>($_self).getShape().drop_front(),
      ::mlir::ShapedType::kDynamic)}]>;

class Lm_RowsOf<int rank> : RankedTensorOf<
    [F32], [HasAnyRankOfPred<[rank]>, Lm_HasStaticColumns],
    rank # "D tensor (static but for the rows)">;

def Lm_Rows : Lm_RowsOf<2>;
def Lm_RotaryTable : Lm_RowsOf<3>;
def Lm_Ids : 1DTensorOf<[I32]>;
def Lm_Vector : RankedTensorOf<
    [F32, F16, BF16], [HasAnyRankOfPred<[1]>, HasStaticShapePred],
    "1D static tensor">;
def Lm_PageTable : 2DTensorOf<[I32]>;
def Lm_Cache : AnyTypeOf<[
    RankedTensorOf<[F32, F16, BF16], [HasAnyRankOfPred<[5]>, HasStaticShapePred],
                   "5D static tensor">,
    RankedTensorOf<[I8], [HasAnyRankOfPred<[6]>, HasStaticShapePred],
                   "6D static tensor of q8_0 blocks">],
    "cache of keys or values", "::mlir::RankedTensorType">;

//===----------------------------------------------------------------------===//
// Rows in and out
//===----------------------------------------------------------------------===//

def Lm_EmbeddingOp : Lm_Op<"embedding"> {
  let summary = "Look up the rows of a table that ids name";
  let description = [{
    `result[i, :] = table[ids[i], :]`, widened to f32. `table` `[vocabulary,
    hidden]` may be stored in any form.

    (C1) dim(result, 1) = dim(table, 1); (C2) dim(result, 0) = dim(ids, 0).

    Example:
    ```mlir
    %x = lm.embedding %table, %ids : (tensor<512x64xf16>, tensor<?xi32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lori_StoredMatrix:$table, Lm_Ids:$ids);
  let results = (outs Lm_Rows:$result);
  let assemblyFormat = "$table `,` $ids attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Lm_SelectRowsOp : Lm_Op<"select_rows"> {
  let summary = "Keep the rows whose logits are wanted";
  let description = [{
    `result[j, :] = x[rows[j], :]`.

    (C1) dim(result, 1) = dim(x, 1); (C2) dim(result, 0) = dim(rows, 0).

    Example:
    ```mlir
    %y = lm.select_rows %x, %rows : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lm_Rows:$x, Lm_Ids:$rows);
  let results = (outs Lm_Rows:$result);
  let assemblyFormat = "$x `,` $rows attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Layers
//===----------------------------------------------------------------------===//

def Lm_RmsNormOp : Lm_Op<"rms_norm", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "Scale each run of a row by its root mean square";
  let description = [{
    A row is cut into runs of dim(weight, 0) entries; in each run
    `result[j] = x[j] / sqrt(mean(x^2) + epsilon) * weight[j]`. One run a row is
    the usual norm, one a head the norm of queries and keys in Qwen3.

    (C1) dim(x, 1) is a multiple of dim(weight, 0), which is not 0.

    Example:
    ```mlir
    %h = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x64xf32>, tensor<64xf32>
    ```
  }];
  let arguments = (ins Lm_Rows:$x, Lm_Vector:$weight, F64Attr:$epsilon);
  let results = (outs Lm_Rows:$result);
  let assemblyFormat = [{
    $x `,` $weight `epsilon` `(` $epsilon `)` attr-dict `:` type($x) `,` type($weight)
  }];
  let hasVerifier = 1;
}

def Lm_LinearOp : Lm_Op<"linear", [Pure, AttrSizedOperandSegments]> {
  let summary = "Multiply rows by the transpose of a weight, add bias and residual";
  let description = [{
    `result = x * weight^T + bias + residual`, summed in f32.

    It is an op, and not a matmul, because the weight's storage is part of its
    type: any float, GGUF blocks, panels (`!lori.quant`, `#lori.panels`).

    `x` is `[rows, in]`, `weight` `[out, in]`, `bias` `[out]`, `residual` and
    the result `[rows, out]`.

    (C1) dim(weight, 1) = dim(x, 1); (C2) dim(weight, 0) = dim(result, 1);
    (C3) dim(bias, 0) = dim(result, 1); (C4) type(residual) = type(result);
    (C5) dim(result, 0) = dim(x, 0).

    Example:
    ```mlir
    %y = lm.linear %x, %w residual(%r)
      : (tensor<?x172xf32>, tensor<64x172xf16>, tensor<?x64xf32>) -> tensor<?x64xf32>
    ```
  }];
  let arguments = (ins Lm_Rows:$x, Lori_StoredMatrix:$weight,
                       Optional<Lm_Vector>:$bias, Optional<Lm_Rows>:$residual);
  let results = (outs Lm_Rows:$result);
  let assemblyFormat = [{
    $x `,` $weight (`bias` `(` $bias^ `)`)? (`residual` `(` $residual^ `)`)?
    attr-dict `:` functional-type(operands, results)
  }];
  let builders = [OpBuilder<(ins "Value":$x, "Value":$weight, "Value":$bias)>];
  let hasVerifier = 1;
}

def Lm_GatedActivationOp : Lm_Op<"gated_activation", [
    Pure, AllTypesMatch<["gate", "up", "result"]>]> {
  let summary = "Gate one projection by the SiLU of another";
  let description = [{
    `result = gate / (1 + exp(-gate)) * up`, entry by entry.

    Example:
    ```mlir
    %a = lm.gated_activation %g, %u : tensor<?x172xf32>
    ```
  }];
  let arguments = (ins Lm_Rows:$gate, Lm_Rows:$up);
  let results = (outs Lm_Rows:$result);
  let assemblyFormat = "$gate `,` $up attr-dict `:` type($result)";
}

//===----------------------------------------------------------------------===//
// Rotary positions
//===----------------------------------------------------------------------===//

def Lm_RotaryTableOp : Lm_Op<"rotary_table"> {
  let summary = "Compute the rotations of the positions of a batch";
  let description = [{
    `result[i, 0, d] = cos(positions[i] * frequencies[d])`, `result[i, 1, d]`
    the sine. All layers share one table. The frequencies, one for each pair of
    a head, carry the model's scaling of positions (RoFormer, arXiv 2104.09864).

    (C1) shape(result) = [dim(positions, 0), 2, number of frequencies]; (C2)
    there is a frequency.

    Example:
    ```mlir
    %t = lm.rotary_table %positions frequencies([1.0, 0.1]) : (tensor<?xi32>) -> tensor<?x2x2xf32>
    ```
  }];
  let arguments = (ins Lm_Ids:$positions, DenseF32ArrayAttr:$frequencies);
  let results = (outs Lm_RotaryTable:$result);
  let assemblyFormat = [{
    $positions `frequencies` `(` custom<Floats>($frequencies) `)` attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Lm_RopeOp : Lm_Op<"rope", [Pure, AllTypesMatch<["x", "result"]>]> {
  let summary = "Rotate the pairs of each head by its position's angles";
  let description = [{
    A row holds heads of `2 * dim(table, 2)` entries. In each, entry `d` of the
    first half and entry `d` of the second are a pair:
    `(a, b) -> (a cos - b sin, b cos + a sin)`.

    (C1) dim(x, 1) is a multiple of 2 * dim(table, 2); (C2) the table holds a
    cosine and a sine for each of one or more pairs: dim(table, 1) = 2; (C3) x
    and the table agree in rows.

    Example:
    ```mlir
    %q = lm.rope %x, %t : tensor<?x64xf32>, tensor<?x2x4xf32>
    ```
  }];
  let arguments = (ins Lm_Rows:$x, Lm_RotaryTable:$table);
  let results = (outs Lm_Rows:$result);
  let assemblyFormat = "$x `,` $table attr-dict `:` type($x) `,` type($table)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Attention over a paged cache
//===----------------------------------------------------------------------===//

def Lm_CacheAppendOp : Lm_Op<"cache_append", [
    Pure, AllTypesMatch<["keys", "new_keys"]>, AllTypesMatch<["values", "new_values"]>]> {
  let summary = "Write the rows' keys and values to their places in the cache";
  let description = [{
    Position `p` of sequence `s` lies in page `pages[s, p / 16]`, slot `p mod
    16`. `keys` is `[page, layer, kv head, head_dim, 16]`: the positions of a
    page are neighbours, so that the scores of a page are one vector. `values`
    is `[page, layer, kv head, 16, head_dim]`. `k` and `v` are `[rows, kv heads
    * head_dim]`; they are rounded to the cache's type.

    Bytes hold q8_0 blocks along head_dim (GGUF's: an f16 scale, 32 i8):
    `keys` is `[page, layer, kv head, head_dim / 32, 34, 16]`, `values` `[page,
    layer, kv head, 16, head_dim / 32, 34]`.

    (C1) the caches agree in page, layer, head, head_dim and type, and have
    heads; (C2) dim(k, 1) = dim(v, 1) = kv heads * head_dim; (C3) k, v,
    positions and sequences agree in rows.

    Example:
    ```mlir
    %k1, %v1 = lm.cache_append %k0, %v0[%layer], %k, %v at(%positions, %sequences, %pages)
      : (tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>, index, tensor<?x16xf32>, tensor<?x16xf32>,
         tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>)
      -> (tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>)
    ```
  }];
  let arguments = (ins Lm_Cache:$keys, Lm_Cache:$values, Index:$layer,
                       Lm_Rows:$k, Lm_Rows:$v, Lm_Ids:$positions,
                       Lm_Ids:$sequences, Lm_PageTable:$pages);
  let results = (outs Lm_Cache:$new_keys, Lm_Cache:$new_values);
  let assemblyFormat = [{
    $keys `,` $values `[` $layer `]` `,` $k `,` $v `at` `(` $positions `,` $sequences `,` $pages `)`
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Lm_AttentionOp : Lm_Op<"attention", [Pure, AllTypesMatch<["q", "result"]>]> {
  let summary = "Attend from each row to the earlier positions of its sequence";
  let description = [{
    For row `i` of sequence `s` at position `p`, and each query head,
    `result = softmax(scale * q K^T) V` over the positions `max(0, p - window +
    1) .. p` of `s` (`0 .. p` where `window` is 0). Query heads share the key
    and value heads in equal groups. The caches are those of `cache_append`.

    (C1) dim(q, 1) is a multiple of kv heads * head_dim; (C2) the caches agree;
    (C3) q, positions and sequences agree in rows.

    Example:
    ```mlir
    %y = lm.attention %q, %k1, %v1[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.35)
      : (tensor<?x32xf32>, tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>, index, tensor<?xi32>,
         tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x32xf32>
    ```
  }];
  let arguments = (ins Lm_Rows:$q, Lm_Cache:$keys, Lm_Cache:$values,
                       Index:$layer, Lm_Ids:$positions, Lm_Ids:$sequences,
                       Lm_PageTable:$pages, Index:$window, F64Attr:$scale);
  let results = (outs Lm_Rows:$result);
  let assemblyFormat = [{
    $q `,` $keys `,` $values `[` $layer `]` `at` `(` $positions `,` $sequences `,` $pages `)`
    `window` `(` $window `)` `scale` `(` $scale `)`
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // LORI_DIALECT_LM_LMOPS_TD
