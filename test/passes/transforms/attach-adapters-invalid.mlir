// RUN: lori-opt %s --split-input-file --verify-diagnostics --lori-attach-adapters

lori.param @a : tensor<2x8xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
// expected-error @below {{expected a linear layer with weight 'w'}}
lori.adapter @no_layer_reads_the_target weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @a : tensor<2x8xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
// expected-error @below {{expected a linear layer with weight 'w'}}
lori.adapter @an_embedding_is_no_linear_layer weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]
func.func @step(%ids: tensor<?xi32>) -> tensor<?x8xf32> {
  %w = lori.get_param @w : tensor<4x8xf16>
  %y = lm.embedding %w, %ids : (tensor<4x8xf16>, tensor<?xi32>) -> tensor<?x8xf32>
  return %y : tensor<?x8xf32>
}

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @a : tensor<2x7xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
lori.adapter @factors_of_another_shape weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %w = lori.get_param @w : tensor<4x8xf16>
  // expected-error @below {{expected A's columns (7) to equal the input's columns (8)}}
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @a : tensor<2x2x8xf32> from <"tiny", "layers.*.a", [0, 1]>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
// expected-error @below {{expected @a not to be stacked, since 'w' is not}}
lori.adapter @stacked_factors_of_one_weight weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %w = lori.get_param @w : tensor<4x8xf16>
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @a : tensor<2x2x8xf32> from <"tiny", "layers.*.a", [0, 1]>
lori.param @b : tensor<2x4x2xf32> from <"tiny", "layers.*.b", [0, 1]>
// expected-error @below {{expected one scale, since 'w' is not stacked}}
lori.adapter @scales_of_one_weight weight(1.0) [#lori.module<"w", @a, @b, [1.0, 2.0]>]
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  %w = lori.get_param @w : tensor<4x8xf16>
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<2x4x8xf16> from <"base", "layers.*.w", [1, 2]>
lori.param @a : tensor<2x2x8xf32> from <"tiny", "layers.*.a", [0, 1]>
lori.param @b : tensor<2x4x2xf32> from <"tiny", "layers.*.b", [0, 1]>
// expected-error @below {{expected @a ('tensor<2x2x8xf32>') to cover the layers of 'layers.*.w': [1, 2], one after another}}
lori.adapter @a_layer_past_the_stack weight(1.0) [#lori.module<"layers.*.w", @a, @b, [1.0]>]
func.func @step(%x: tensor<?x8xf32>, %layer: index) -> tensor<?x4xf32> {
  %w = lori.get_param @w[%layer] : tensor<4x8xf16>
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<2x4x8xf16> from <"base", "layers.*.w", [0, 2]>
lori.param @a : tensor<3x2x8xf32> from <"tiny", "layers.*.a", [0, 1, 2]>
lori.param @b : tensor<3x4x2xf32> from <"tiny", "layers.*.b", [0, 1, 2]>
// expected-error @below {{one after another}}
lori.adapter @a_run_with_a_gap weight(1.0) [#lori.module<"layers.*.w", @a, @b, [1.0]>]
func.func @step(%x: tensor<?x8xf32>, %layer: index) -> tensor<?x4xf32> {
  %w = lori.get_param @w[%layer] : tensor<4x8xf16>
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @a : tensor<2x8xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
// expected-error @below {{expected a linear layer with weight 'w'}}
lori.adapter @a_layer_that_no_function_runs weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]
%x = arith.constant dense<1.0> : tensor<1x8xf32>
%w = lori.get_param @w : tensor<4x8xf16>
%y = lm.linear %x, %w : (tensor<1x8xf32>, tensor<4x8xf16>) -> tensor<1x4xf32>
