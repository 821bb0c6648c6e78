// RUN: lori-opt %s --split-input-file --lori-attach-adapters | FileCheck %s --check-prefixes=CHECK,LIVE
// RUN: lori-opt %s --split-input-file --lori-attach-adapters --lori-attach-adapters | FileCheck %s --check-prefixes=CHECK,LIVE
// RUN: lori-opt %s --split-input-file --lori-attach-adapters=live=false | FileCheck %s --check-prefixes=CHECK,FIXED

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @a : tensor<2x8xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
lori.adapter @tiny weight(0.5) [#lori.module<"w", @a, @b, [3.0]>]

// CHECK-LABEL: func @step
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>)
func.func @step(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  // LIVE: %[[WEIGHTS:.+]] = lori.adapter_weights @tiny : tensor<?xf32>
  // FIXED-NOT: lori.adapter_weights
  // CHECK: %[[Y:.+]] = lm.linear %[[X]]
  // CHECK-DAG: %[[A:.+]] = lori.get_param @a : tensor<2x8xf32>
  // CHECK-DAG: %[[B:.+]] = lori.get_param @b : tensor<4x2xf32>
  // The adapter's own weight is part of the scale only where no program chooses one.
  // LIVE-DAG: %[[SCALE:.+]] = arith.constant 3.000000e+00 : f32
  // FIXED-DAG: %[[SCALE:.+]] = arith.constant 1.500000e+00 : f32
  // LIVE: %[[Z:.+]] = lori.adapt %[[Y]], %[[X]], %[[A]], %[[B]] scale(%[[SCALE]]) weights(%[[WEIGHTS]])
  // FIXED: %[[Z:.+]] = lori.adapt %[[Y]], %[[X]], %[[A]], %[[B]] scale(%[[SCALE]]) :
  // CHECK: return %[[Z]]
  %w = lori.get_param @w : tensor<4x8xf16>
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @another_weight_stays
func.func @another_weight_stays(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  // CHECK-NOT: lori.adapt
  // CHECK: return
  %v = lori.get_param @v : tensor<4x8xf16>
  %y = lm.linear %x, %v : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
lori.param @v : tensor<4x8xf16> from <"base", "v", []>

// -----

lori.param @w : tensor<4x8xf16> from <"base", "w", []>
lori.param @a : tensor<2x8xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
lori.adapter @one weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]
lori.adapter @two weight(1.0) [#lori.module<"w", @a, @b, [2.0]>]

// CHECK-LABEL: func @two_adapters_in_the_order_of_their_declarations
func.func @two_adapters_in_the_order_of_their_declarations(%x: tensor<?x8xf32>) -> tensor<?x4xf32> {
  // CHECK-DAG: %[[ONE:.+]] = arith.constant 1.000000e+00
  // CHECK: %[[Y:.+]] = lori.adapt {{.*}} scale(%[[ONE]])
  // CHECK: %[[TWO:.+]] = arith.constant 2.000000e+00
  // CHECK: %[[Z:.+]] = lori.adapt %[[Y]], {{.*}} scale(%[[TWO]])
  // CHECK: return %[[Z]]
  %w = lori.get_param @w : tensor<4x8xf16>
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// The runs of a model are stacks of their own, an adapter's stack has all layers.
lori.param @w : tensor<2x4x4xf16> from <"base", "layers.*.w", [1, 2]>
lori.param @a : tensor<3x2x4xf32> from <"tiny", "layers.*.a", [0, -1, 2]>
lori.derived_param @b : tensor<3x4x2xf32> {
^bb0(%layer: index):
  %b = lori.get_param @half[%layer] : tensor<4x2xf16>
  %f = lori.convert %b : tensor<4x2xf16> to tensor<4x2xf32>
  lori.yield %f : tensor<4x2xf32>
}
lori.param @half : tensor<3x4x2xf16> from <"tiny", "layers.*.b", [0, -1, 2]>
lori.adapter @tiny weight(1.0) [#lori.module<"layers.*.w", @a, @b, [1.0, 2.0, 4.0]>]

// CHECK-LABEL: func @a_run_that_starts_at_the_second_layer
func.func @a_run_that_starts_at_the_second_layer(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  // LIVE: lori.adapter_weights
  // CHECK: scf.for %[[I:[^ ]+]] =
  // CHECK-NOT: lori.adapter_weights
  %0 = scf.for %i = %zero to %two step %one iter_args(%h = %x) -> tensor<?x4xf32> {
    // CHECK: %[[FIRST:.+]] = arith.constant 1 : index
    // CHECK: %[[LAYER:.+]] = arith.addi %[[I]], %[[FIRST]] : index
    // CHECK-DAG: lori.get_param @a[%[[LAYER]]]
    // CHECK-DAG: lori.get_param @b[%[[LAYER]]]
    // CHECK-DAG: %[[SCALES:.+]] = arith.constant dense<[1.000000e+00, 2.000000e+00, 4.000000e+00]>
    // CHECK: %[[SCALE:.+]] = tensor.extract %[[SCALES]][%[[LAYER]]]
    // CHECK: lori.adapt {{.*}} scale(%[[SCALE]])
    // CHECK: scf.yield
    %w = lori.get_param @w[%i] : tensor<4x4xf16>
    %y = lm.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
    scf.yield %y : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<4x4xf16> from <"base", "w", []>
lori.param @a : tensor<2x4xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
lori.adapter @tiny weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]

// What a later pass makes of a weight is still that weight.
// CHECK-LABEL: func @a_rearranged_and_converted_weight
func.func @a_rearranged_and_converted_weight(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: lori.adapt
  %w = lori.get_param @w : tensor<4x4xf16>
  %0 = lori.deinterleave_rows %w heads(2) : tensor<4x4xf16>
  %1 = lori.convert %0 : tensor<4x4xf16> to tensor<4x4xf32>
  %y = lm.linear %x, %1 : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<4x4xf16> from <"base", "w", []>
lori.param @a : tensor<2x4xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
lori.adapter @tiny weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]

// The update goes behind the linear layer itself, not behind what reads it as input.
// CHECK-LABEL: func @an_update_of_something_else
func.func @an_update_of_something_else(%x: tensor<?x4xf32>, %base: tensor<?x4xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK: %[[Y:.+]] = lm.linear
  // CHECK: %[[Z:.+]] = lori.adapt %[[Y]], %arg0
  // CHECK: lori.adapt %arg1, %[[Z]]
  %w = lori.get_param @w : tensor<4x4xf16>
  %a = lori.get_param @a : tensor<2x4xf32>
  %b = lori.get_param @b : tensor<4x2xf32>
  %y = lm.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
  %0 = lori.adapt %base, %y, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<2x4xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
