// RUN: lori-opt %s --convert-lori-to-linalg | FileCheck %s
// RUN: lori-opt %s --convert-lori-to-linalg --convert-lori-to-linalg | FileCheck %s

// CHECK: #[[$X:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK: #[[$W:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK: #[[$Y:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// base + scale * (x * A^T) * B^T
// CHECK-LABEL: func @an_adapter_that_is_always_on
// CHECK-SAME: (%[[BASE:.+]]: tensor<?x4xf32>, %[[X:.+]]: tensor<?x8xf32>, %[[A:.+]]: tensor<2x8xf32>, %[[B:.+]]: tensor<4x2xbf16>, %[[S:.+]]: f32)
func.func @an_adapter_that_is_always_on(%base: tensor<?x4xf32>, %x: tensor<?x8xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xbf16>, %s: f32) -> tensor<?x4xf32> {
  // CHECK-NOT: scf.if
  // CHECK: %[[ZERO:.+]] = linalg.fill {{.*}} -> tensor<?x2xf32>
  // CHECK: %[[SHRUNK:.+]] = linalg.generic {indexing_maps = [#[[$X]], #[[$W]], #[[$Y]]]{{.*}} ins(%[[X]], %[[A]] : {{.*}} outs(%[[ZERO]]
  // CHECK: %[[SCALED:.+]] = linalg.generic {{.*}} outs(%[[SHRUNK]]
  // CHECK: arith.mulf %{{.+}}, %[[S]]
  // The update is summed into the base itself, in f32 whatever the storage.
  // CHECK: %[[Z:.+]] = linalg.generic {indexing_maps = [#[[$X]], #[[$W]], #[[$Y]]]{{.*}} ins(%[[SCALED]], %[[B]] : {{.*}} outs(%[[BASE]]
  // CHECK: arith.extf %{{.+}} : bf16 to f32
  // CHECK: return %[[Z]]
  %0 = lori.adapt %base, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xbf16>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @an_adapter_that_no_row_may_take
// CHECK-SAME: (%[[BASE:[^:]+]]:
func.func @an_adapter_that_no_row_may_take(%base: tensor<?x4xf32>, %x: tensor<?x8xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32, %w: tensor<?xf32>) -> tensor<?x4xf32> {
  // CHECK: %[[ACTIVE:.+]] = scf.for {{.*}} -> (i1)
  // CHECK: %[[Z:.+]] = scf.if %[[ACTIVE]] -> (tensor<?x4xf32>) {
  // CHECK: linalg.generic
  // CHECK: } else {
  // CHECK-NEXT: scf.yield %[[BASE]]
  // CHECK: return %[[Z]]
  %0 = lori.adapt %base, %x, %a, %b scale(%s) weights(%w) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32, tensor<?xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

lori.param @a : tensor<2x2x8xf32> from <"tiny", "layers.*.a", [0, 1]>
lori.param @b : tensor<2x4x2xf32> from <"tiny", "layers.*.b", [0, 1]>
lori.adapter @tiny weight(1.0) [#lori.module<"layers.*.w", @a, @b, [1.0]>]

// Whether any row takes part is asked once, ahead of the layers.
// CHECK-LABEL: func @an_adapter_inside_the_loop_over_layers
func.func @an_adapter_inside_the_loop_over_layers(%base: tensor<?x4xf32>, %x: tensor<?x8xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK: %[[W:.+]] = lori.adapter_weights @tiny
  // CHECK: %[[ACTIVE:.+]] = scf.for {{.*}} -> (i1)
  // CHECK: scf.for
  // CHECK: lori.get_param @a
  // CHECK: lori.get_param @b
  // CHECK: scf.if %[[ACTIVE]]
  %w = lori.adapter_weights @tiny : tensor<?xf32>
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %0 = scf.for %i = %zero to %two step %one iter_args(%h = %base) -> tensor<?x4xf32> {
    %a = lori.get_param @a[%i] : tensor<2x8xf32>
    %b = lori.get_param @b[%i] : tensor<4x2xf32>
    %1 = lori.adapt %h, %x, %a, %b scale(%s) weights(%w) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32, tensor<?xf32>) -> tensor<?x4xf32>
    scf.yield %1 : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// Initializers are lowered by lori-lower-initializers.
// CHECK: lori.derived_param @derived
// CHECK: lori.convert
lori.derived_param @derived : tensor<4x8xf32> {
  %w = lori.get_param @w : tensor<4x8xf16>
  %f = lori.convert %w : tensor<4x8xf16> to tensor<4x8xf32>
  lori.yield %f : tensor<4x8xf32>
}
lori.param @w : tensor<4x8xf16> from <"base", "w", []>
