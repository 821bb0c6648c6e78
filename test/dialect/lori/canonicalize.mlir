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

// mask(mask(b, m), m) -> mask(b, m)
// CHECK-LABEL: func @a_mask_counts_once
func.func @a_mask_counts_once(%b: tensor<4x2xf32>, %m: tensor<4x2xi1>) -> tensor<4x2xf32> {
  // CHECK-NEXT: %[[MASKED:.+]] = lori.mask %arg0, %arg1
  // CHECK-NEXT: return %[[MASKED]]
  %0 = lori.mask %b, %m : tensor<4x2xf32>
  %1 = lori.mask %0, %m : tensor<4x2xf32>
  return %1 : tensor<4x2xf32>
}

// mask(0, m) -> 0
// CHECK-LABEL: func @a_masked_zero_is_zero
func.func @a_masked_zero_is_zero(%m: tensor<4x2xi1>) -> tensor<4x2xbf16> {
  // CHECK-NEXT: %[[ZERO:.+]] = arith.constant dense<0.000000e+00>
  // CHECK-NEXT: return %[[ZERO]]
  %b = arith.constant dense<0.0> : tensor<4x2xbf16>
  %0 = lori.mask %b, %m : tensor<4x2xbf16>
  return %0 : tensor<4x2xbf16>
}

// CHECK-LABEL: func @no_fold_as_the_mask_keeps_an_entry
func.func @no_fold_as_the_mask_keeps_an_entry(%b: tensor<2x1xf32>) -> tensor<2x1xf32> {
  // CHECK: lori.mask
  %m = arith.constant dense<[[true], [false]]> : tensor<2x1xi1>
  %0 = lori.mask %b, %m : tensor<2x1xf32>
  return %0 : tensor<2x1xf32>
}

// adapt(base, x, A, B) scale(0) -> base
// CHECK-LABEL: func @adapter_scaled_by_zero_is_the_base
func.func @adapter_scaled_by_zero_is_the_base(%y: tensor<?x4xf32>, %x: tensor<?x8xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: return %arg0
  %s = arith.constant 0.0 : f32
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// adapt(base, x, A, B) weights(0) -> base
// CHECK-LABEL: func @adapter_that_no_row_takes_is_the_base
func.func @adapter_that_no_row_takes_is_the_base(%y: tensor<3x4xf32>, %x: tensor<3x8xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<3x4xf32> {
  // CHECK-NEXT: return %arg0
  %w = arith.constant dense<0.0> : tensor<3xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) weights(%w) : (tensor<3x4xf32>, tensor<3x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32, tensor<3xf32>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}

// CHECK-LABEL: func @no_fold_as_one_row_takes_the_adapter
func.func @no_fold_as_one_row_takes_the_adapter(%y: tensor<2x4xf32>, %x: tensor<2x8xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<2x4xf32> {
  // CHECK: lori.adapt
  %w = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) weights(%w) : (tensor<2x4xf32>, tensor<2x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32, tensor<2xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// convert(w : T to T) -> w, storage(w) -> w where w is stored as it is
// CHECK-LABEL: func @conversions_to_the_same_form_vanish
func.func @conversions_to_the_same_form_vanish(%w: tensor<4x32xf16>) -> (tensor<4x32xf16>, tensor<4x32xf16>) {
  // CHECK-NEXT: return %arg0, %arg0
  %0 = lori.convert %w : tensor<4x32xf16> to tensor<4x32xf16>
  %1 = lori.storage %w : tensor<4x32xf16> to tensor<4x32xf16>
  return %0, %1 : tensor<4x32xf16>, tensor<4x32xf16>
}

// CHECK-LABEL: func @no_fold_as_a_conversion_rounds
func.func @no_fold_as_a_conversion_rounds(%w: tensor<4x32xf32>) -> (tensor<4x32xf32>, tensor<4x1x34xi8>) {
  // CHECK: lori.convert {{.*}} to tensor<4x32x!lori.quant<q8_0>>
  // CHECK: lori.convert {{.*}} to tensor<4x32xf32>
  // CHECK: lori.storage
  %0 = lori.convert %w : tensor<4x32xf32> to tensor<4x32x!lori.quant<q8_0>>
  %1 = lori.convert %0 : tensor<4x32x!lori.quant<q8_0>> to tensor<4x32xf32>
  %2 = lori.storage %0 : tensor<4x32x!lori.quant<q8_0>> to tensor<4x1x34xi8>
  return %1, %2 : tensor<4x32xf32>, tensor<4x1x34xi8>
}
