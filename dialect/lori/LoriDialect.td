// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LORI_LORIDIALECT_TD
#define LORI_DIALECT_LORI_LORIDIALECT_TD

include "mlir/IR/OpBase.td"

def LoriDialect : Dialect {
  let name = "lori";
  let summary = "Low-rank adapters with frozen projections and masked factors";
  let description = [{
    Models LoRI (arXiv 2504.07448), LoRA with a frozen random projection `A`
    and a masked factor `B`: `W = W0 + s * (B . M) * A`, and the parameters that
    such expressions are made of.

    Every op works on plain tensors, so that a module of any origin can use it.
    What a pass may exploit is visible in the IR: `A` is frozen because
    `lori.frozen_projection` made it, `B` is masked because `lori.mask` did,
    block-quantised storage is an element type, the order of a weight in memory
    an encoding. Weights themselves never are: `lori.param` names them.

    A module of its own says by attributes where those are, and what it is:
    `lori.files` is an array of `#lori.file`, `lori.context` the number of
    positions that a sequence may take, and the unit `lori.resolved` says that
    adapters are attached and the storage of weights is chosen.
  }];
  let cppNamespace = "::mlir::lori";
  let hasOperationAttrVerify = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    static StringRef getFilesAttrName() { return "lori.files"; }
    static StringRef getContextAttrName() { return "lori.context"; }
    static StringRef getResolvedAttrName() { return "lori.resolved"; }

    void registerTypes();
    void registerAttributes();
  }];
  let dependentDialects = ["arith::ArithDialect", "tensor::TensorDialect"];
}

#endif // LORI_DIALECT_LORI_LORIDIALECT_TD
