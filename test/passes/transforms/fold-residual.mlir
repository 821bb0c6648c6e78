// RUN: lori-opt %s --lm-fold-residual | FileCheck %s
// RUN: lori-opt %s --lm-fold-residual --lm-fold-residual | FileCheck %s

// addf(r, linear(x, w)) -> linear(x, w) residual(r)
// CHECK-LABEL: func @fold_into_the_linear_layer
func.func @fold_into_the_linear_layer(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %r: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: %[[Y:.+]] = lm.linear %arg0, %arg1 residual(%arg2)
  // CHECK-NEXT: return %[[Y]]
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  %0 = arith.addf %r, %y : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @fold_from_the_right_and_beside_a_bias
func.func @fold_from_the_right_and_beside_a_bias(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %b: tensor<4xf16>, %r: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: lm.linear {{.*}} bias(%arg2) residual(%arg3)
  // CHECK-NEXT: return
  %y = lm.linear %x, %w bias(%b) : (tensor<?x8xf32>, tensor<4x8xf16>, tensor<4xf16>) -> tensor<?x4xf32>
  %0 = arith.addf %y, %r : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// addf(r, adapt(linear(x, w), ...)) -> adapt(linear(x, w) residual(r), ...)
// CHECK-LABEL: func @fold_through_the_updates_of_adapters
func.func @fold_through_the_updates_of_adapters(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %r: tensor<?x4xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK-NEXT: %[[Y:.+]] = lm.linear {{.*}} residual(%arg2)
  // CHECK-NEXT: %[[Z:.+]] = lori.adapt %[[Y]],
  // CHECK-NEXT: %[[Z2:.+]] = lori.adapt %[[Z]],
  // CHECK-NEXT: return %[[Z2]]
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  %1 = lori.adapt %0, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  %2 = arith.addf %r, %1 : tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fold_as_the_layer_has_two_users
func.func @no_fold_as_the_layer_has_two_users(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %r: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK-NOT: residual
  // CHECK: arith.addf
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  %0 = arith.addf %r, %y : tensor<?x4xf32>
  return %0, %y : tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fold_as_an_update_has_two_users
func.func @no_fold_as_an_update_has_two_users(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %r: tensor<?x4xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK-NOT: residual
  // CHECK: arith.addf
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  %1 = arith.addf %r, %0 : tensor<?x4xf32>
  return %1, %0 : tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func @no_second_residual
func.func @no_second_residual(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %r: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: lm.linear {{.*}} residual(%arg2)
  // CHECK: arith.addf
  %y = lm.linear %x, %w residual(%r) : (tensor<?x8xf32>, tensor<4x8xf16>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %0 = arith.addf %r, %y : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fold_as_the_other_summand_comes_later
func.func @no_fold_as_the_other_summand_comes_later(%x: tensor<?x4xf32>, %w: tensor<4x4xf16>) -> tensor<?x4xf32> {
  // CHECK-NOT: residual
  // CHECK: arith.addf
  %y = lm.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
  %r = lm.gated_activation %x, %x : tensor<?x4xf32>
  %0 = arith.addf %r, %y : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// Of two linear layers the later one can take the earlier as its residual.
// CHECK-LABEL: func @fold_into_the_later_of_two
func.func @fold_into_the_later_of_two(%x: tensor<?x4xf32>, %w: tensor<4x4xf16>, %v: tensor<4x4xf16>) -> tensor<?x4xf32> {
  // CHECK-NEXT: %[[Y:.+]] = lm.linear %arg0, %arg1 :
  // CHECK-NEXT: lm.linear %arg0, %arg2 residual(%[[Y]])
  // CHECK-NEXT: return
  %y = lm.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
  %z = lm.linear %x, %v : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
  %0 = arith.addf %y, %z : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fold_as_the_other_summand_lives_in_the_loop
func.func @no_fold_as_the_other_summand_lives_in_the_loop(%x: tensor<?x4xf32>, %w: tensor<4x4xf16>, %n: index) -> tensor<?x4xf32> {
  // CHECK: lm.linear %arg0, %arg1 :
  // CHECK: scf.for
  // CHECK: arith.addf
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %y = lm.linear %x, %w : (tensor<?x4xf32>, tensor<4x4xf16>) -> tensor<?x4xf32>
  %0 = scf.for %i = %zero to %n step %one iter_args(%h = %x) -> tensor<?x4xf32> {
    %sum = arith.addf %h, %y : tensor<?x4xf32>
    scf.yield %sum : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fold_of_other_sums
func.func @no_fold_of_other_sums(%x: tensor<?x4xf32>, %r: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK: arith.addf
  %0 = arith.addf %r, %x : tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
