// RUN: lori-opt %s --verify-diagnostics --lori-fuse-adapters="type=base rounded-update"

func.func @blocks_have_no_rounded_update(%x: tensor<?x32xf32>, %w: tensor<4x32x!lori.quant<q8_0>>, %a: tensor<2x32xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // expected-error @below {{expected a weight of floats to add a rounded update to, found 'tensor<4x32x!lori.quant<q8_0>>'}}
  %y = lm.linear %x, %w : (tensor<?x32xf32>, tensor<4x32x!lori.quant<q8_0>>) -> tensor<?x4xf32>
  %z = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x32xf32>, tensor<2x32xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}
