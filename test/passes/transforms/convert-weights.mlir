// RUN: lori-opt %s --lori-convert-weights | FileCheck %s --check-prefixes=CHECK,AUTO
// RUN: lori-opt %s --lori-convert-weights=type=q8_0 | FileCheck %s --check-prefixes=CHECK,Q8
// RUN: lori-opt %s --lori-convert-weights=type=bf16 | FileCheck %s --check-prefixes=CHECK,BF16
// RUN: lori-opt %s --lori-convert-weights=type=q8_0 --lori-convert-weights=type=q8_0 | FileCheck %s --check-prefixes=CHECK,Q8

lori.param @plain : tensor<4x64xf16> from <"base", "plain", []>
lori.param @odd : tensor<4x48xf32> from <"base", "odd", []>
lori.param @k : tensor<4x256x!lori.quant<q6_k>> from <"base", "k", []>
lori.param @a : tensor<2x64xf32> from <"tiny", "a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "b", []>
lori.param @norm : tensor<64xf32> from <"base", "norm", []>

// CHECK-LABEL: func @a_weight_that_kernels_read
func.func @a_weight_that_kernels_read(%x: tensor<?x64xf32>) -> tensor<?x4xf32> {
  // AUTO-NOT: lori.convert
  // Q8: %[[W:.+]] = lori.convert %{{.+}} : tensor<4x64xf16> to tensor<4x64x!lori.quant<q8_0>>
  // BF16: %[[W:.+]] = lori.convert %{{.+}} : tensor<4x64xf16> to tensor<4x64xbf16>
  // CHECK: lm.linear
  %w = lori.get_param @plain : tensor<4x64xf16>
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<4x64xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @a_format_that_no_kernel_reads
func.func @a_format_that_no_kernel_reads(%x: tensor<?x256xf32>) -> tensor<?x4xf32> {
  // AUTO: lori.convert %{{.+}} : tensor<4x256x!lori.quant<q6_k>> to tensor<4x256xf16>
  // Q8: lori.convert %{{.+}} : tensor<4x256x!lori.quant<q6_k>> to tensor<4x256x!lori.quant<q8_0>>
  // BF16: lori.convert %{{.+}} : tensor<4x256x!lori.quant<q6_k>> to tensor<4x256xbf16>
  %w = lori.get_param @k : tensor<4x256x!lori.quant<q6_k>>
  %y = lm.linear %x, %w : (tensor<?x256xf32>, tensor<4x256x!lori.quant<q6_k>>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @rows_that_are_no_whole_blocks
func.func @rows_that_are_no_whole_blocks(%x: tensor<?x48xf32>) -> tensor<?x4xf32> {
  // AUTO-NOT: lori.convert
  // Q8: lori.convert %{{.+}} : tensor<4x48xf32> to tensor<4x48xf16>
  // CHECK: lm.linear
  %w = lori.get_param @odd : tensor<4x48xf32>
  %y = lm.linear %x, %w : (tensor<?x48xf32>, tensor<4x48xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @a_tied_table_is_converted_once
func.func @a_tied_table_is_converted_once(%ids: tensor<?xi32>) -> tensor<?x4xf32> {
  // Q8: %[[W:.+]] = lori.convert
  // Q8-NOT: lori.convert
  // Q8: lm.embedding %[[W]],
  // Q8: lm.linear %{{.+}}, %[[W]] :
  %w = lori.get_param @plain : tensor<4x64xf16>
  %x = lm.embedding %w, %ids : (tensor<4x64xf16>, tensor<?xi32>) -> tensor<?x64xf32>
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<4x64xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_conversion_of_norms_and_factors
func.func @no_conversion_of_norms_and_factors(%x: tensor<?x64xf32>, %s: f32) -> tensor<?x64xf32> {
  // CHECK-NOT: lori.convert
  // CHECK: return
  %g = lori.get_param @norm : tensor<64xf32>
  %a = lori.get_param @plain : tensor<4x64xf16>
  %h = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x64xf32>, tensor<64xf32>
  %e = arith.constant dense<1.0> : tensor<64x4xf32>
  %y = lori.adapt %h, %x, %a, %e scale(%s) : (tensor<?x64xf32>, tensor<?x64xf32>, tensor<4x64xf16>, tensor<64x4xf32>, f32) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: func @no_conversion_of_a_fused_weight
func.func @no_conversion_of_a_fused_weight(%x: tensor<?x64xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK-NOT: lori.convert
  // CHECK: return
  %w = lori.get_param @plain : tensor<4x64xf16>
  %a = lori.get_param @a : tensor<2x64xf32>
  %b = lori.get_param @b : tensor<4x2xf32>
  %f = lori.fuse %w, %a, %b scale(%s) : (tensor<4x64xf16>, tensor<2x64xf32>, tensor<4x2xf32>, f32) -> tensor<4x64xf32>
  %y = lm.linear %x, %f : (tensor<?x64xf32>, tensor<4x64xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_conversion_as_the_weight_is_computed_at_run_time
func.func @no_conversion_as_the_weight_is_computed_at_run_time(%x: tensor<?x64xf32>, %w: tensor<4x64xf16>) -> tensor<?x4xf32> {
  // CHECK-NOT: lori.convert
  // CHECK: return
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<4x64xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @no_conversion_as_the_weight_is_laid_out
func.func @no_conversion_as_the_weight_is_laid_out(%x: tensor<?x64xf32>) -> tensor<?x4xf32> {
  // CHECK-NOT: lori.convert
  // CHECK: return
  %w = lori.get_param @plain : tensor<4x64xf16>
  %p = lori.pack %w : tensor<4x64xf16> to tensor<4x64xf16, #lori.panels<16>>
  %y = lm.linear %x, %p : (tensor<?x64xf32>, tensor<4x64xf16, #lori.panels<16>>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// CHECK-LABEL: func @a_conversion_that_came_too_late
func.func @a_conversion_that_came_too_late(%x: tensor<?x64xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // Q8: %[[C:.+]] = lori.convert {{.*}}q8_0
  // Q8: lm.linear %arg0, %[[C]] :
  // Q8: lm.linear %arg0, %[[C]] :
  %w = lori.get_param @plain : tensor<4x64xf16>
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<4x64xf16>) -> tensor<?x4xf32>
  %c = lori.convert %w : tensor<4x64xf16> to tensor<4x64x!lori.quant<q8_0>>
  %z = lm.linear %x, %c : (tensor<?x64xf32>, tensor<4x64x!lori.quant<q8_0>>) -> tensor<?x4xf32>
  return %y, %z : tensor<?x4xf32>, tensor<?x4xf32>
}
