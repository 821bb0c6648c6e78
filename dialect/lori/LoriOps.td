// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORIOPS_TD
#define LORI_DIALECT_LORI_LORIOPS_TD

include "dialect/lori/LoriTypes.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

class Lori_Op<string mnemonic, list<Trait> traits = []>
    : Op<LoriDialect, mnemonic, traits>;

def Lori_Mask : 2DTensorOf<[I1]>;

//===----------------------------------------------------------------------===//
// Factors
//===----------------------------------------------------------------------===//

def Lori_FrozenProjectionOp : Lori_Op<"frozen_projection", [Pure]> {
  let summary = "Regenerate a frozen random projection from its seed";
  let description = [{
    `A[i, j] ~ init`, drawn by Philox4x32-10 from the seed, the stream (0 if
    there is none) and the entry's number: the same bits on every machine, as
    `runtime/formats/SeededProjection.h` says step by step. For
    `kaiming_uniform` the draw is uniform in `(-1/sqrt(in), 1/sqrt(in))`, for
    `normal` standard normal. It is rounded to the result's type.

    It is an op, and not a constant, because neither IR nor adapters store `A`:
    it is drawn when a model is compiled. The stream is an operand, for the
    layers of a stack.

    (C1) the result has a static shape.

    Example:
    ```mlir
    %a = lori.frozen_projection seed(42) init(kaiming_uniform) : tensor<32x576xf32>
    %b = lori.frozen_projection seed(42) stream(%layer_stream) init(normal) : tensor<32x576xf32>
    ```
  }];
  let arguments = (ins I64Attr:$seed, Lori_Init:$init, Optional<I64>:$stream);
  let results = (outs 2DTensorOf<[F32, F16, BF16]>:$projection);
  let assemblyFormat = [{
    `seed` `(` $seed `)` (`stream` `(` $stream^ `)`)? `init` `(` $init `)`
    attr-dict `:` type($projection)
  }];
  let hasVerifier = 1;
}

def Lori_HadamardOp : Lori_Op<"hadamard", [Pure]> {
  let summary = "The normalised Hadamard matrix in Sylvester's order";
  let description = [{
    `H[i, j] = (-1)^popcount(i and j) / sqrt(n)`: orthogonal and symmetric, so
    that `(H q) . (H k) = q . k`. It spreads a vector's outliers over all its
    entries, which then lose less when they are rounded.

    (C1) the result is square, its size a power of two.

    Example:
    ```mlir
    %h = lori.hadamard : tensor<64x64xf32>
    ```
  }];
  let results = (outs 2DTensorOf<[F32]>:$matrix);
  let assemblyFormat = "attr-dict `:` type($matrix)";
  let hasVerifier = 1;
}

def Lori_MaskOp : Lori_Op<"mask", [
    Pure, AllTypesMatch<["factor", "result"]>,
    TypesMatchWith<"mask has the shape of the factor", "factor", "mask",
                   "::llvm::cast<::mlir::ShapedType>($_self).clone("
                   "::mlir::IntegerType::get($_self.getContext(), 1))">]> {
  let summary = "Zero the entries of a factor that a mask excludes";
  let description = [{
    `result[i, j] = mask[i, j] ? factor[i, j] : 0`, the `B . M` of the paper.

    It is an op so that a pass sees that `B` is sparse, and where, without
    reading its entries.

    `factor` and `result` are `[out, r]`, `mask` is `[out, r]` of `i1`.

    Example:
    ```mlir
    %bm = lori.mask %b, %m : tensor<576x32xbf16>
    ```
  }];
  let arguments = (ins 2DTensorOf<[AnyFloat]>:$factor, Lori_Mask:$mask);
  let results = (outs 2DTensorOf<[AnyFloat]>:$result);
  let assemblyFormat = "$factor `,` $mask attr-dict `:` type($factor)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Use of an adapter
//===----------------------------------------------------------------------===//

def Lori_AdaptOp : Lori_Op<"adapt", [Pure, AllTypesMatch<["base", "result"]>]> {
  let summary = "Add an adapter's low-rank update to a projection";
  let description = [{
    `result = base + scale * diag(weights) * (x * A^T) * B^T`

    It is an op, and not two matmuls, so that the choice between a live adapter
    and one fused into the weight that made `base` is a rewrite, and so that
    the shrink `x * A^T` can ride with the projection of the same `x`.

    `base` `[rows, out]` is the projection's output, from any matmul; `input`
    `[rows, in]` its input; `shrink` `[r, in]` is the frozen `A`, `expand`
    `[out, r]` the masked `B`, both in any storage. `scale` is alpha / r (or
    what the adapter says instead). `weights` `[rows]`, if given, weighs the
    update row by row: 0 leaves a row as it is.

    (C1) dim(shrink, 1) = dim(input, 1); (C2) dim(expand, 0) = dim(base, 1);
    (C3) dim(shrink, 0) = dim(expand, 1); (C4) base, input and weights agree in
    rows.

    Example:
    ```mlir
    %y = lori.adapt %base, %x, %a, %b scale(%s)
      : (tensor<?x576xf32>, tensor<?x576xf32>, tensor<32x576xf32>, tensor<576x32xf32>, f32) -> tensor<?x576xf32>
    ```
  }];
  let arguments = (ins 2DTensorOf<[F32]>:$base, 2DTensorOf<[F32]>:$input,
                       Lori_StoredMatrix:$shrink, Lori_StoredMatrix:$expand,
                       F32:$scale, Optional<1DTensorOf<[F32]>>:$weights);
  let results = (outs 2DTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $base `,` $input `,` $shrink `,` $expand `scale` `(` $scale `)`
    (`weights` `(` $weights^ `)`)? attr-dict `:` functional-type(operands, results)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Lori_FuseOp : Lori_Op<"fuse", [Pure]> {
  let summary = "Merge an adapter's update into a weight";
  let description = [{
    `result = weight + scale * expand * shrink`, computed in f32 and rounded
    once to the result's storage. `weight` and `result` are `[out, in]`,
    `shrink` is `[r, in]`, `expand` `[out, r]`.

    With `rounded_update` the update is rounded to the result's storage before
    it is added, and the sum a second time: what PEFT's `safe_merge` does.

    (C1) dim(shrink, 1) = dim(weight, 1); (C2) dim(expand, 0) = dim(weight, 0);
    (C3) dim(shrink, 0) = dim(expand, 1); (C4) shape(result) = shape(weight);
    (C5) with `rounded_update` the result's entries are floats.

    Example:
    ```mlir
    %w2 = lori.fuse %w, %a, %b scale(%s)
      : (tensor<576x576xbf16>, tensor<32x576xf32>, tensor<576x32xf32>, f32) -> tensor<576x576xf32>
    ```
  }];
  let arguments = (ins Lori_StoredMatrix:$weight, Lori_StoredMatrix:$shrink,
                       Lori_StoredMatrix:$expand, F32:$scale,
                       UnitAttr:$rounded_update);
  let results = (outs Lori_StoredMatrix:$result);
  let assemblyFormat = [{
    $weight `,` $shrink `,` $expand `scale` `(` $scale `)`
    (`rounded_update` $rounded_update^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Lori_RoundingErrorOp : Lori_Op<"rounding_error", [Pure]> {
  let summary = "Measure how far a stored matrix is from the exact one";
  let description = [{
    `error = |rounded - exact| / |exact|` in the Frobenius norm, 0 where both
    are zero; not finite where `rounded` is not. Sums are in f64.

    (C1) shape(rounded) = shape(exact); (C2) the result is one number.

    Example:
    ```mlir
    %e = lori.rounding_error %stored, %sum
      : (tensor<576x576x!lori.quant<q8_0>>, tensor<576x576xf32>) -> tensor<1xf32>
    ```
  }];
  let arguments = (ins Lori_StoredMatrix:$rounded, Lori_StoredMatrix:$exact);
  let results = (outs 1DTensorOf<[F32]>:$error);
  let assemblyFormat = [{
    $rounded `,` $exact attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // LORI_DIALECT_LORI_LORIOPS_TD
