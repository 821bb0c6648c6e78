// RUN: lori-opt %s -canonicalize="test-convergence" -cse | FileCheck %s

// Every op of the graph is pure: equal ones are one, unused ones are none.

// CHECK-LABEL: func @equal_layers_are_computed_once
func.func @equal_layers_are_computed_once(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: %[[Y:.+]] = lm.linear
  // CHECK-NOT: lm.linear
  // CHECK: return %[[Y]], %[[Y]]
  %0 = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  %1 = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x4xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func @a_bias_is_not_a_residual
func.func @a_bias_is_not_a_residual(%x: tensor<4x8xf32>, %w: tensor<4x8xf32>, %b: tensor<4xf32>, %r: tensor<4x4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>) {
  // CHECK: lm.linear {{.*}} bias
  // CHECK: lm.linear {{.*}} residual
  %0 = lm.linear %x, %w bias(%b) : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4xf32>) -> tensor<4x4xf32>
  %1 = lm.linear %x, %w residual(%r) : (tensor<4x8xf32>, tensor<4x8xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  return %0, %1 : tensor<4x4xf32>, tensor<4x4xf32>
}

// CHECK-LABEL: func @layers_that_nobody_reads_are_gone
func.func @layers_that_nobody_reads_are_gone(%x: tensor<?x8xf32>, %g: tensor<8xf32>, %positions: tensor<?xi32>) -> tensor<?x8xf32> {
  // CHECK-NEXT: return %arg0
  %0 = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x8xf32>, tensor<8xf32>
  %1 = lm.rotary_table %positions frequencies([1.0, 0.5]) : (tensor<?xi32>) -> tensor<?x2x2xf32>
  %2 = lm.rope %0, %1 : tensor<?x8xf32>, tensor<?x2x2xf32>
  return %x : tensor<?x8xf32>
}

// The caches are values: an append is as dead as its results.
// CHECK-LABEL: func @an_append_that_nobody_reads_is_gone
func.func @an_append_that_nobody_reads_is_gone(%rows: tensor<?x2xf32>, %ids: tensor<?xi32>, %pages: tensor<4x2xi32>,
    %k0: tensor<8x1x1x2x16xf32>, %v0: tensor<8x1x1x16x2xf32>, %layer: index) -> tensor<8x1x1x2x16xf32> {
  // CHECK-NOT: lm.cache_append
  %k1, %v1 = lm.cache_append %k0, %v0[%layer], %rows, %rows at(%ids, %ids, %pages)
    : (tensor<8x1x1x2x16xf32>, tensor<8x1x1x16x2xf32>, index, tensor<?x2xf32>, tensor<?x2xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>)
    -> (tensor<8x1x1x2x16xf32>, tensor<8x1x1x16x2xf32>)
  return %k0 : tensor<8x1x1x2x16xf32>
}

// CHECK-LABEL: func @an_append_with_one_result_in_use_stays
func.func @an_append_with_one_result_in_use_stays(%rows: tensor<?x2xf32>, %ids: tensor<?xi32>, %pages: tensor<4x2xi32>,
    %k0: tensor<8x1x1x2x16xf32>, %v0: tensor<8x1x1x16x2xf32>, %layer: index) -> tensor<8x1x1x2x16xf32> {
  // CHECK: %[[K:.+]], %{{.+}} = lm.cache_append
  // CHECK: return %[[K]]
  %k1, %v1 = lm.cache_append %k0, %v0[%layer], %rows, %rows at(%ids, %ids, %pages)
    : (tensor<8x1x1x2x16xf32>, tensor<8x1x1x16x2xf32>, index, tensor<?x2xf32>, tensor<?x2xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>)
    -> (tensor<8x1x1x2x16xf32>, tensor<8x1x1x16x2xf32>)
  return %k1 : tensor<8x1x1x2x16xf32>
}
