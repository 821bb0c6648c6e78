// RUN: lori-opt %s --lori-fuse-adapters | FileCheck %s --check-prefixes=CHECK,F32
// RUN: lori-opt %s --lori-fuse-adapters=type=bf16 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: lori-opt %s --lori-fuse-adapters --lori-fuse-adapters | FileCheck %s --check-prefixes=CHECK,F32

// adapt(linear(x, w), x, A, B, s) -> linear(x, fuse(w, A, B, s))
// CHECK-LABEL: func @fuse_into_the_weight
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[W:.+]]: tensor<4x8x{{.*}}>, %[[A:.+]]: tensor<2x8xf32>, %[[B:.+]]: tensor<4x2xf32>, %[[S:.+]]: f32)
func.func @fuse_into_the_weight(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // F32-NEXT: %[[FUSED:.+]] = lori.fuse %[[W]], %[[A]], %[[B]] scale(%[[S]]) : {{.*}} -> tensor<4x8xf32>
  // BF16-NEXT: %[[FUSED:.+]] = lori.fuse %[[W]], %[[A]], %[[B]] scale(%[[S]]) : {{.*}} -> tensor<4x8xbf16>
  // CHECK-NEXT: %[[Y:.+]] = lm.linear %[[X]], %[[FUSED]] :
  // CHECK-NEXT: return %[[Y]]
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @bias_and_residual_stay
func.func @bias_and_residual_stay(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %bias: tensor<4xf16>, %r: tensor<?x4xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK: %[[FUSED:.+]] = lori.fuse
  // CHECK: lm.linear %{{.+}}, %[[FUSED]] bias(%arg2) residual(%arg3)
  %y = lm.linear %x, %w bias(%bias) residual(%r) : (tensor<?x8xf32>, tensor<4x8xf16>, tensor<4xf16>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// The sum of several updates is rounded once.
// CHECK-LABEL: func @two_adapters_are_one_sum
func.func @two_adapters_are_one_sum(%x: tensor<?x32xf32>, %w: tensor<4x32x!lori.quant<q8_0>>, %a: tensor<2x32xf32>, %b: tensor<4x2xf32>, %s: f32, %t: f32) -> tensor<?x4xf32> {
  // CHECK: %[[ONE:.+]] = lori.fuse %{{.+}}, %{{.+}}, %{{.+}} scale(%arg4) : (tensor<4x32x!lori.quant<q8_0>>, {{.*}} -> tensor<4x32xf32>
  // F32: %[[TWO:.+]] = lori.fuse %[[ONE]], {{.*}} scale(%arg5) : {{.*}} -> tensor<4x32xf32>
  // BF16: %[[TWO:.+]] = lori.fuse %[[ONE]], {{.*}} scale(%arg5) : {{.*}} -> tensor<4x32xbf16>
  // CHECK-NEXT: lm.linear %{{.+}}, %[[TWO]] :
  // CHECK-NEXT: return
  %y = lm.linear %x, %w : (tensor<?x32xf32>, tensor<4x32x!lori.quant<q8_0>>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x32xf32>, tensor<2x32xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  %1 = lori.adapt %0, %x, %a, %b scale(%t) : (tensor<?x4xf32>, tensor<?x32xf32>, tensor<2x32xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fusion_as_rows_choose_their_weight
func.func @no_fusion_as_rows_choose_their_weight(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32, %weights: tensor<?xf32>) -> tensor<?x4xf32> {
  // CHECK-NOT: lori.fuse
  // CHECK: lori.adapt
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) weights(%weights) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32, tensor<?xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fusion_as_the_base_has_two_users
func.func @no_fusion_as_the_base_has_two_users(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK-NOT: lori.fuse
  // CHECK: lori.adapt
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0, %y : tensor<?x4xf32>, tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fusion_as_the_inputs_differ
func.func @no_fusion_as_the_inputs_differ(%x: tensor<?x8xf32>, %z: tensor<?x8xf32>, %w: tensor<4x8xf16>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK-NOT: lori.fuse
  // CHECK: lori.adapt
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %z, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fusion_as_the_base_is_no_linear_layer
func.func @no_fusion_as_the_base_is_no_linear_layer(%y: tensor<?x4xf32>, %x: tensor<?x8xf32>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK-NOT: lori.fuse
  // CHECK: lori.adapt
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_fusion_as_the_weight_is_laid_out
func.func @no_fusion_as_the_weight_is_laid_out(%x: tensor<?x8xf32>, %w: tensor<4x8xf16, #lori.panels<16>>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK-NOT: lori.fuse
  // CHECK: lori.adapt
  %y = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf16, #lori.panels<16>>) -> tensor<?x4xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x8xf32>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
