// RUN: lori-opt %s -canonicalize="test-convergence" | FileCheck %s

// mask(b, 1) -> b
// CHECK-LABEL: func @mask_of_all_ones_is_its_factor
func.func @mask_of_all_ones_is_its_factor(%b: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %ones = arith.constant dense<true> : tensor<4x2xi1>
  %0 = lori.mask %b, %ones : tensor<4x2xf32>
  // CHECK-NEXT: return %arg0
  return %0 : tensor<4x2xf32>
}

// mask(b, 0) -> 0
// CHECK-LABEL: func @mask_of_all_zeros_is_zero
func.func @mask_of_all_zeros_is_zero(%b: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %none = arith.constant dense<false> : tensor<4x2xi1>
  %0 = lori.mask %b, %none : tensor<4x2xf32>
  // CHECK: %[[ZERO:.+]] = arith.constant dense<0.000000e+00>
  // CHECK-NEXT: return %[[ZERO]]
  return %0 : tensor<4x2xf32>
}

// mask(mask(b, m), n) -> mask(b, m and n)
// CHECK-LABEL: func @nested_masks_become_one
func.func @nested_masks_become_one(%b: tensor<4x2xf32>, %m: tensor<4x2xi1>, %n: tensor<4x2xi1>) -> tensor<4x2xf32> {
  %0 = lori.mask %b, %m : tensor<4x2xf32>
  %1 = lori.mask %0, %n : tensor<4x2xf32>
  // CHECK: %[[BOTH:.+]] = arith.andi
  // CHECK: lori.mask %arg0, %[[BOTH]]
  // CHECK-NOT: lori.mask
  return %1 : tensor<4x2xf32>
}

// adapt(base, x, A, 0) -> base
// CHECK-LABEL: func @adapter_without_update_is_the_base
func.func @adapter_without_update_is_the_base(%y: tensor<?x4xf32>, %x: tensor<?x8xf32>, %a: tensor<2x8xf32>, %s: f32) -> tensor<?x4xf32> {
  %b = arith.constant dense<0.0> : tensor<4x2xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  // CHECK-NEXT: return %arg0
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fold_as_the_factor_is_unknown
func.func @no_fold_as_the_factor_is_unknown(%y: tensor<?x4xf32>, %x: tensor<?x8xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK: lori.adapt
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
