// RUN: lori-opt %s --split-input-file --verify-diagnostics --lori-lower-initializers

lori.derived_param @an_op_of_another_dialect : tensor<4x8xf32> {
  // expected-error @below {{cannot be evaluated when a model is compiled}}
  %w = arith.constant dense<1.0> : tensor<4x8xf32>
  lori.yield %w : tensor<4x8xf32>
}

// -----

// expected-error @below {{expected a vector or a matrix, found 'tensor<2x4x8xf32>'}}
lori.derived_param @a_cube : tensor<2x4x8xf32> {
  %w = lori.get_param @w : tensor<2x4x8xf32>
  lori.yield %w : tensor<2x4x8xf32>
}
lori.param @w : tensor<2x4x8xf32> from <"base", "w", []>

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "b", []>
lori.derived_param @a_factor_that_is_no_parameter : tensor<4x8xf32> {
  %w = lori.get_param @w : tensor<4x8xf16>
  %a = lori.frozen_projection seed(42) init(normal) : tensor<2x8xf32>
  %b = lori.get_param @b : tensor<4x2xf32>
  %s = arith.constant 1.0 : f32
  // expected-error @below {{expected factors that are stored parameters}}
  %f = lori.fuse %w, %a, %b scale(%s) : (tensor<4x8xf16>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<4x8xf32>
  lori.yield %f : tensor<4x8xf32>
}

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @a : tensor<2x8xf32> from <"tiny", "a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "b", []>
lori.param @s : tensor<4xf32> from <"tiny", "s", []>
// expected-error @below {{expected a scale made of constants and the layer}}
lori.derived_param @a_scale_that_is_a_parameter : tensor<4x8xf32> {
  %zero = arith.constant 0 : index
  %w = lori.get_param @w : tensor<4x8xf16>
  %a = lori.get_param @a : tensor<2x8xf32>
  %b = lori.get_param @b : tensor<4x2xf32>
  %scales = lori.get_param @s : tensor<4xf32>
  %s = tensor.extract %scales[%zero] : tensor<4xf32>
  %f = lori.fuse %w, %a, %b scale(%s) : (tensor<4x8xf16>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<4x8xf32>
  lori.yield %f : tensor<4x8xf32>
}

// -----

lori.param @w : tensor<4x256xf16> from <"base", "w", []>
lori.param @a : tensor<2x256xf32> from <"tiny", "a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "b", []>
// expected-error @below {{expected f32, f16, bf16, q8_0, q4_0 or q4_1 where entries are computed, found 'tensor<4x256x!lori.quant<q6_k>>'}}
lori.derived_param @a_format_without_encoder : tensor<4x256x!lori.quant<q6_k>> {
  %w = lori.get_param @w : tensor<4x256xf16>
  %a = lori.get_param @a : tensor<2x256xf32>
  %b = lori.get_param @b : tensor<4x2xf32>
  %s = arith.constant 2.0 : f32
  %f = lori.fuse %w, %a, %b scale(%s)
    : (tensor<4x256xf16>, tensor<2x256xf32>, tensor<4x2xf32>, f32) -> tensor<4x256x!lori.quant<q6_k>>
  lori.yield %f : tensor<4x256x!lori.quant<q6_k>>
}

// -----

lori.param @w : tensor<4x32xf16> from <"base", "w", []>
// expected-error @below {{expected rearranged blocks of a parameter}}
lori.derived_param @new_blocks_in_another_order : tensor<4x32x!lori.quant<q8_0>> {
  %w = lori.get_param @w : tensor<4x32xf16>
  %q = lori.convert %w : tensor<4x32xf16> to tensor<4x32x!lori.quant<q8_0>>
  %o = lori.deinterleave_rows %q heads(2) : tensor<4x32x!lori.quant<q8_0>>
  lori.yield %o : tensor<4x32x!lori.quant<q8_0>>
}

// -----

lori.param @b : tensor<32xf16> from <"base", "b", []>
// expected-error @below {{expected a rearranged vector of floats}}
lori.derived_param @a_converted_vector : tensor<32xf32> {
  %b = lori.get_param @b : tensor<32xf16>
  %f = lori.convert %b : tensor<32xf16> to tensor<32xf32>
  lori.yield %f : tensor<32xf32>
}

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.derived_param @one : tensor<4x8xf32> {
  %w = lori.get_param @w : tensor<4x8xf16>
  %f = lori.convert %w : tensor<4x8xf16> to tensor<4x8xf32>
  lori.yield %f : tensor<4x8xf32>
}
lori.derived_param @a_leaf_that_is_derived_itself : tensor<4x8xbf16> {
  // expected-error @below {{expected a stored parameter, found the derived @one}}
  %w = lori.get_param @one : tensor<4x8xf32>
  %f = lori.convert %w : tensor<4x8xf32> to tensor<4x8xbf16>
  lori.yield %f : tensor<4x8xbf16>
}

// -----

lori.param @w : tensor<2x4x8xf16> from <"base", "layers.*.w", [0, 1]>
lori.derived_param @a_layer_past_the_stack : tensor<2x4x8xf16> {
^bb0(%layer: index):
  %one = arith.constant 1 : index
  %next = arith.addi %layer, %one : index
  // expected-error @below {{expected a layer of @w, at a constant distance from the initializer's}}
  %w = lori.get_param @w[%next] : tensor<4x8xf16>
  lori.yield %w : tensor<4x8xf16>
}

// -----

lori.param @w : tensor<4x4x8xf16> from <"base", "layers.*.w", [0, 1, 2, 3]>
lori.derived_param @every_second_layer : tensor<2x4x8xf16> {
^bb0(%layer: index):
  %two = arith.constant 2 : index
  %other = arith.muli %layer, %two : index
  // expected-error @below {{expected a layer of @w, at a constant distance from the initializer's}}
  %w = lori.get_param @w[%other] : tensor<4x8xf16>
  lori.yield %w : tensor<4x8xf16>
}

// -----

lori.param @w : tensor<3x8x8xf32> from <"base", "layers.*.w", [0, 1, 2]>
lori.derived_param @two_layers_of_one_parameter : tensor<2x8x8xf32> {
^bb0(%layer: index):
  %one = arith.constant 1 : index
  %next = arith.addi %layer, %one : index
  %s = arith.constant 1.0 : f32
  %w = lori.get_param @w[%layer] : tensor<8x8xf32>
  // expected-error @below {{expected one layer of @w only}}
  %a = lori.get_param @w[%next] : tensor<8x8xf32>
  %f = lori.fuse %w, %a, %a scale(%s) : (tensor<8x8xf32>, tensor<8x8xf32>, tensor<8x8xf32>, f32) -> tensor<8x8xf32>
  lori.yield %f : tensor<8x8xf32>
}
