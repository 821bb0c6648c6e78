// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LORI_DIALECT_LM_LMDIALECT_TD
#define LORI_DIALECT_LM_LMDIALECT_TD

include "mlir/IR/OpBase.td"

def LmDialect : Dialect {
  let name = "lm";
  let summary = "The graph of a decoder-only language model";
  let description = [{
    Holds what a decoder needs and linalg cannot say in one op: embedding,
    normalisation, rotary positions, attention over a paged cache, the gated
    activation, and a linear layer whose weight may be stored in any form.

    The graph runs on a ragged batch: `rows` tokens, each with the position and
    the sequence it belongs to. Activations are `tensor<?xNxf32>`, one row a
    token; accumulation is in f32 whatever the storage.
  }];
  let cppNamespace = "::mlir::lm";
  let dependentDialects = [
    "arith::ArithDialect", "tensor::TensorDialect", "scf::SCFDialect",
    "func::FuncDialect", "lori::LoriDialect"];
}

#endif // LORI_DIALECT_LM_LMDIALECT_TD
