// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORIBANKOPS_TD
#define LORI_DIALECT_LORI_LORIBANKOPS_TD

include "dialect/lori/LoriParamOps.td"

//===----------------------------------------------------------------------===//
// Adapters that are loaded while the program runs
//===----------------------------------------------------------------------===//

def Lori_SiteAttr : AttrDef<LoriDialect, "Site"> {
  let mnemonic = "site";
  let summary = "A projection that a loaded adapter may update";
  let description = [{
    `target` is the module's path, with a `*` for the layer; its weight is
    `[out, in]`. `layers` is the number of layers that have it, 0 for a module
    outside of them.

    Example: `#lori.site<"model.layers.*.mlp.up_proj", 576, 1536, 30>`.
  }];
  let parameters = (ins "::mlir::StringAttr":$target, "int64_t":$in,
                        "int64_t":$out, "int64_t":$layers);
  let assemblyFormat = "`<` $target `,` $in `,` $out `,` $layers `>`";
}

def Lori_AdapterBankOp : Lori_Op<"adapter_bank", [Symbol]> {
  let summary = "Declare where adapters loaded at run time can be attached";
  let description = [{
    The bank's adapters, and their ranks, are known only when the program runs.
    Their factors lie as the `#lori.panels` of `panels` rows that the step's
    kernels read, or as plain matrices where it is absent.

    Example:
    ```mlir
    lori.adapter_bank @loaded sites [#lori.site<"model.layers.*.mlp.up_proj", 576, 1536, 30>]
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypedArrayAttrBase<Lori_SiteAttr, "sites">:$sites,
                       OptionalAttr<I64Attr>:$panels);
  let assemblyFormat = "$sym_name `sites` $sites (`panels` `(` $panels^ `)`)? attr-dict";
  let extraClassDeclaration = [{
    SiteAttr getSite(uint64_t index) {
      return ::llvm::cast<SiteAttr>(getSites()[index]);
    }
  }];
}

def Lori_AdaptRoutedOp : Lori_Op<"adapt_routed", [
    Pure, AllTypesMatch<["base", "result"]>,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Add the updates of the loaded adapters that the rows ask for";
  let description = [{
    For each use of an adapter by a run of rows, `result[rows] = base[rows] +
    scale * (x[rows] * A^T) * B^T`, with the factors that the bank holds for
    `site` and `layer`. Which rows use which adapters is chosen step by step.

    With `selected` the rows are those of the batch whose logits are wanted.

    It is an op of its own, and not an `adapt` for each adapter, because their
    number and ranks are unknown: the base's matmul is shared by all rows.

    (C1) `bank` names a `lori.adapter_bank` with that site; (C2) dim(input, 1)
    and dim(base, 1) are the site's `in` and `out`; (C3) `layer` is given if the
    site is in the layers.

    Example:
    ```mlir
    %y = lori.adapt_routed %base, %x, @loaded site(0) [%layer]
      : (tensor<?x1536xf32>, tensor<?x576xf32>, index) -> tensor<?x1536xf32>
    ```
  }];
  let arguments = (ins 2DTensorOf<[F32]>:$base, 2DTensorOf<[F32]>:$input,
                       FlatSymbolRefAttr:$bank, I64Attr:$site,
                       UnitAttr:$selected, Optional<Index>:$layer);
  let results = (outs 2DTensorOf<[F32]>:$result);
  let assemblyFormat = [{
    $base `,` $input `,` $bank `site` `(` $site `)` (`[` $layer^ `]`)?
    (`selected` $selected^)? attr-dict `:` functional-type(operands, results)
  }];
}

def Lori_BankSizeOp : Lori_Op<"bank_size", [Pure]> {
  let summary = "Read how many uses of loaded adapters the batch has";
  let description = [{
    A use is one adapter at work on one run of neighbouring rows.

    Example: `%uses = lori.bank_size @loaded`.
  }];
  let arguments = (ins FlatSymbolRefAttr:$bank);
  let results = (outs Index:$size);
  let assemblyFormat = "$bank attr-dict";
}

def Lori_BankUseOp : Lori_Op<"bank_use", [Pure]> {
  let summary = "Read one use of a loaded adapter at a site";
  let description = [{
    Gives the run of rows (with `selected` that of the rows whose logits are
    wanted), the scale (alpha / r times the rows' weight), A
    `[r, in]` and B `[out, r]`. Where the adapter has no such module the rank is
    0.

    Example:
    ```mlir
    %first, %rows, %scale, %a, %b = lori.bank_use @loaded site(0) [%use, %layer]
      : f32, tensor<?x576xf32, #lori.panels<16>>, tensor<1536x?xf32, #lori.panels<16>>
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$bank, I64Attr:$site,
                       UnitAttr:$selected, Index:$use, Optional<Index>:$layer);
  let results = (outs Index:$first, Index:$rows, F32:$scale,
                      2DTensorOf<[F32]>:$shrink, 2DTensorOf<[F32]>:$expand);
  let assemblyFormat = [{
    $bank `site` `(` $site `)` `[` $use (`,` $layer^)? `]`
    (`selected` $selected^)? attr-dict
    `:` type($scale) `,` type($shrink) `,` type($expand)
  }];
}

#endif // LORI_DIALECT_LORI_LORIBANKOPS_TD
