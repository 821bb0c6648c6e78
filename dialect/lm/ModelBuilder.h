// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The language in which a model's architecture is described: each call is one
// op, names are those of the checkpoint. A decoder reads like its definition:
//
//   Value x = m.embedding("model.embed_tokens");
//   x = m.layers("model.layers", x, [&](Value x) {
//     Value h = m.rmsNorm(x, "input_layernorm", 1e-5);
//     ...
//     return m.add(x, m.linear(h, "mlp.down_proj"));
//   });
//   m.finish(m.linear(m.selectRows(x), "lm_head"));

#ifndef LORI_DIALECT_LM_MODELBUILDER_H
#define LORI_DIALECT_LM_MODELBUILDER_H

#include "dialect/lm/LmOps.h"
#include "dialect/lori/LoriOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

namespace mlir::lm {

/// The sizes that the step function of a model is built for.
struct StepShape {
  int64_t layers = 0;
  int64_t kvHeads = 0;
  int64_t headDim = 0;
  /// Positions that one sequence can hold.
  int64_t context = 0;
  /// Sequences that can be in the cache at once.
  int64_t sequences = 64;
  /// Type of the cache's entries: f32, f16 or bf16.
  Type cacheType;
};

/// Where a model's tensors come from.
class TensorSource {
public:
  virtual ~TensorSource() = default;

  /// Returns the stored type of the tensor `name`, or null if the checkpoint
  /// has none of that name.
  virtual RankedTensorType lookup(StringRef name) = 0;

  /// Returns a text that is equal for layers whose tensors below `prefix`
  /// agree in name, shape and type.
  virtual std::string signature(StringRef prefix) = 0;
};

/// Writes `func @step` of a decoder, and the parameters it reads, into a
/// module. Equal layers become one loop over stacked parameters.
class ModelBuilder {
public:
  ModelBuilder(ModuleOp module, StepShape shape, TensorSource &tensors);

  /// Returns the embeddings of the batch's tokens, from `name`.weight.
  Value embedding(StringRef name);

  /// Runs `body` once for each run of layers whose tensors below `prefix` agree
  /// in type, in a loop over the run. Within `body`, names are relative to the
  /// layer.
  Value layers(StringRef prefix, Value x, function_ref<Value(Value)> body);

  /// Returns `x` normalised by `name`.weight.
  Value rmsNorm(Value x, StringRef name, double epsilon);

  /// Returns `x` times the transpose of `name`.weight, plus `name`.bias if the
  /// checkpoint has it. `interleavedHeads` > 0 says that the rows of both are
  /// stored in interleaved rotary order, for that many heads.
  Value linear(Value x, StringRef name, int64_t interleavedHeads = 0);

  /// Declares the angles of `rope`: one frequency for each pair of a head.
  void rotaryFrequencies(ArrayRef<float> frequencies);
  Value rope(Value x);

  /// Appends `k` and `v` to the cache and attends from `q`. `windows` holds the
  /// sliding window of each layer, 0 where it is unlimited; empty if none is.
  Value attention(Value q, Value k, Value v, ArrayRef<int64_t> windows = {});

  Value gatedActivation(Value gate, Value up);
  Value add(Value a, Value b);

  /// Returns the rows of `x` whose logits are wanted.
  Value selectRows(Value x);

  /// Ends the function with its logits.
  void finish(Value logits);

  /// Returns the parameter of the tensor `name`, or null if there is none.
  Value param(StringRef name);

  OpBuilder &getBuilder() { return builder; }

private:
  /// A run of equal layers that is being built.
  struct Run {
    std::string prefix;
    SmallVector<int64_t> layers;
    Value index;
  };

  RankedTensorType rowsType(int64_t columns);
  Value runLayers(Run run, Value x, function_ref<Value(Value)> body);
  Value cacheLayer();
  Value window(ArrayRef<int64_t> windows);
  Location loc(StringRef name);

  ModuleOp module;
  StepShape shape;
  TensorSource &tensors;
  OpBuilder builder;
  SymbolTable symbols;
  func::FuncOp step;
  Value tokens, positions, sequences, outputRows, pages, keys, values;
  Value rotaryTable;
  std::optional<Run> run;
};

} // namespace mlir::lm

#endif // LORI_DIALECT_LM_MODELBUILDER_H
