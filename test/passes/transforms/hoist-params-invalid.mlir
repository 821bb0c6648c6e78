// RUN: lori-opt %s --split-input-file --verify-diagnostics --lori-hoist-params

lori.param @w : tensor<2x4x4xf16> from <"base", "layers.*.w", [0, 1]>
func.func @a_loop_of_unknown_length(%x: tensor<?x4xf32>, %n: index) -> tensor<?x4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  // expected-error @below {{expected a loop over layers: from 0 by 1 to a constant}}
  %0 = scf.for %i = %zero to %n step %one iter_args(%h = %x) -> tensor<?x4xf32> {
    %w = lori.get_param @w[%i] : tensor<4x4xf16>
    %f = lori.convert %w : tensor<4x4xf16> to tensor<4x4xf32>
    %y = lm.linear %h, %f : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    scf.yield %y : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<2x4x4xf16> from <"base", "layers.*.w", [0, 1]>
func.func @a_loop_that_skips_the_first_layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  // expected-error @below {{expected a loop over layers: from 0 by 1 to a constant}}
  %0 = scf.for %i = %one to %two step %one iter_args(%h = %x) -> tensor<?x4xf32> {
    %w = lori.get_param @w[%i] : tensor<4x4xf16>
    %f = lori.convert %w : tensor<4x4xf16> to tensor<4x4xf32>
    %y = lm.linear %h, %f : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
    scf.yield %y : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<2x4x4xf16> from <"base", "layers.*.w", [0, 1]>
func.func @layers_of_two_loops(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %0 = scf.for %i = %zero to %two step %one iter_args(%h = %x) -> tensor<?x4xf32> {
    %1 = scf.for %j = %zero to %two step %one iter_args(%g = %h) -> tensor<?x4xf32> {
      %layer = arith.addi %i, %j : index
      %w = lori.get_param @w[%layer] : tensor<4x4xf16>
      // expected-error @below {{expected the layers of one loop, found those of 2}}
      %f = lori.convert %w : tensor<4x4xf16> to tensor<4x4xf32>
      %y = lm.linear %g, %f : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
      scf.yield %y : tensor<?x4xf32>
    }
    scf.yield %1 : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}
