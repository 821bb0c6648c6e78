// RUN: lori-opt %s --split-input-file --lori-fuse-adapters="type=base live=layers.1.w" | FileCheck %s --check-prefixes=CHECK,BASE
// RUN: lori-opt %s --split-input-file --lori-fuse-adapters="type=f16 live=layers.1.w" | FileCheck %s --check-prefixes=CHECK,F16
// RUN: lori-opt %s --split-input-file --lori-fuse-adapters="type=base rounded-update" | FileCheck %s --check-prefix=ROUNDED
// RUN: lori-opt %s --split-input-file --lori-fuse-adapters="type=base live=layers.1.w" --lori-measure-fusion | FileCheck %s --check-prefix=MEASURE

lori.param @w : tensor<2x4x4xbf16> from <"base", "layers.*.w", [0, 1]>
lori.param @a : tensor<2x4xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>

// Layers that are not named are fused, where the type holds the others' weights.
// MEASURE-NOT: func
// MEASURE: lori.derived_param @"error.layers.*.w" : tensor<2x1xf32>
// MEASURE: ^bb0(%[[I:.+]]: index):
// MEASURE: %[[W:.+]] = lori.get_param @w[%[[I]]]
// MEASURE: %[[STORED:.+]] = lori.fuse %[[W]], {{.*}} -> tensor<4x4xbf16>
// MEASURE: %[[EXACT:.+]] = lori.fuse %[[W]], {{.*}} -> tensor<4x4xf32>
// MEASURE: %[[E:.+]] = lori.rounding_error %[[STORED]], %[[EXACT]]
// MEASURE: lori.yield %[[E]]
// CHECK-LABEL: func @one_layer_of_two
// ROUNDED-LABEL: func @one_layer_of_two
func.func @one_layer_of_two(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %s = arith.constant 3.0 : f32
  %0 = scf.for %i = %zero to %two step %one iter_args(%h = %x) -> tensor<?x4xf32> {
    // BASE-DAG: %[[FUSED:.+]] = arith.constant dense<[1.000000e+00, 0.000000e+00]> : tensor<2xf32>
    // BASE-DAG: %[[ON:.+]] = tensor.extract %[[FUSED]][%[[I:.+]]]
    // BASE-DAG: %[[FACTOR:.+]] = arith.mulf %{{.+}}, %[[ON]]
    // BASE: %[[W:.+]] = lori.fuse %{{.+}}, %{{.+}}, %{{.+}} scale(%[[FACTOR]]) : {{.*}} -> tensor<4x4xbf16>
    // BASE: %[[Y:.+]] = lm.linear %{{.+}}, %[[W]]
    // BASE: %[[LIVE:.+]] = arith.constant dense<[0.000000e+00, 1.000000e+00]> : tensor<2xf32>
    // BASE: %[[OFF:.+]] = tensor.extract %[[LIVE]]
    // BASE: %[[REST:.+]] = arith.mulf %{{.+}}, %[[OFF]]
    // BASE: lori.adapt %[[Y]], {{.*}} scale(%[[REST]])
    // F16-NOT: lori.fuse
    // F16: lori.adapt
    // ROUNDED: lori.fuse {{.*}} rounded_update : {{.*}} -> tensor<4x4xbf16>
    // ROUNDED-NOT: lori.adapt
    %w = lori.get_param @w[%i] : tensor<4x4xbf16>
    %a = lori.get_param @a : tensor<2x4xf32>
    %b = lori.get_param @b : tensor<4x2xf32>
    %y = lm.linear %h, %w : (tensor<?x4xf32>, tensor<4x4xbf16>) -> tensor<?x4xf32>
    %z = lori.adapt %y, %h, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x4xf32>, tensor<2x4xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
    scf.yield %z : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// -----

// With type=base the base's new type is that of the sum, which no conversion
// rounds before.
// CHECK-LABEL: func @no_rounding_by_a_conversion
// ROUNDED-LABEL: func @no_rounding_by_a_conversion
func.func @no_rounding_by_a_conversion(%x: tensor<?x32xf32>) -> tensor<?x4xf32> {
  // BASE: %[[W:.+]] = lori.get_param @w
  // BASE: lori.fuse %[[W]], {{.*}} : (tensor<4x32xf32>, {{.*}} -> tensor<4x32xf16>
  %w = lori.get_param @w : tensor<4x32xf32>
  %a = lori.get_param @a : tensor<2x32xf32>
  %b = lori.get_param @b : tensor<4x2xf32>
  %s = arith.constant 3.0 : f32
  %q = lori.convert %w : tensor<4x32xf32> to tensor<4x32xf16>
  %y = lm.linear %x, %q : (tensor<?x32xf32>, tensor<4x32xf16>) -> tensor<?x4xf32>
  %z = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x32xf32>, tensor<2x32xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %z : tensor<?x4xf32>
}
lori.param @w : tensor<4x32xf32> from <"base", "w", []>
lori.param @a : tensor<2x32xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
