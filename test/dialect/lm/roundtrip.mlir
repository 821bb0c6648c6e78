// RUN: lori-opt %s --verify-roundtrip | FileCheck %s

// CHECK-LABEL: func @rows_in_and_out
func.func @rows_in_and_out(%table: tensor<512x64xf16>, %ids: tensor<?xi32>, %rows: tensor<?xi32>) -> tensor<?x64xf32> {
  // CHECK: lm.embedding %{{.+}}, %{{.+}} : (tensor<512x64xf16>, tensor<?xi32>) -> tensor<?x64xf32>
  %x = lm.embedding %table, %ids : (tensor<512x64xf16>, tensor<?xi32>) -> tensor<?x64xf32>
  // CHECK: lm.select_rows %{{.+}}, %{{.+}} : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
  %y = lm.select_rows %x, %rows : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}

// CHECK-LABEL: func @a_table_in_any_storage
func.func @a_table_in_any_storage(%blocks: tensor<512x64x!lori.quant<q4_1>>,
    %panels: tensor<512x256x!lori.quant<q6_k>, #lori.panels<16>>, %ids: tensor<3xi32>) {
  // CHECK: lm.embedding {{.*}} (tensor<512x64x!lori.quant<q4_1>>, tensor<3xi32>) -> tensor<3x64xf32>
  %0 = lm.embedding %blocks, %ids : (tensor<512x64x!lori.quant<q4_1>>, tensor<3xi32>) -> tensor<3x64xf32>
  // CHECK: lm.embedding {{.*}} (tensor<512x256x!lori.quant<q6_k>, #lori.panels<16>>, tensor<3xi32>) -> tensor<3x256xf32>
  %1 = lm.embedding %panels, %ids : (tensor<512x256x!lori.quant<q6_k>, #lori.panels<16>>, tensor<3xi32>) -> tensor<3x256xf32>
  return
}

// CHECK-LABEL: func @rms_norm
func.func @rms_norm(%x: tensor<?x64xf32>, %g: tensor<64xf32>, %head: tensor<16xbf16>) {
  // CHECK: lm.rms_norm %{{.+}}, %{{.+}} epsilon(1.000000e-05) : tensor<?x64xf32>, tensor<64xf32>
  %h = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x64xf32>, tensor<64xf32>
  // One run a head.
  // CHECK: lm.rms_norm {{.*}} : tensor<?x64xf32>, tensor<16xbf16>
  %q = lm.rms_norm %x, %head epsilon(1.0e-6) : tensor<?x64xf32>, tensor<16xbf16>
  return
}

// CHECK-LABEL: func @linear
func.func @linear(%x: tensor<?x172xf32>, %w: tensor<64x172xf16>, %b: tensor<64xf16>, %r: tensor<?x64xf32>) {
  // CHECK: lm.linear %[[X:.+]], %[[W:[^ ]+]] : (tensor<?x172xf32>, tensor<64x172xf16>) -> tensor<?x64xf32>
  %0 = lm.linear %x, %w : (tensor<?x172xf32>, tensor<64x172xf16>) -> tensor<?x64xf32>
  // CHECK: lm.linear %[[X]], %[[W]] bias(%[[B:.+]]) : (tensor<?x172xf32>, tensor<64x172xf16>, tensor<64xf16>) -> tensor<?x64xf32>
  %1 = lm.linear %x, %w bias(%b)
    : (tensor<?x172xf32>, tensor<64x172xf16>, tensor<64xf16>) -> tensor<?x64xf32>
  // CHECK: lm.linear %[[X]], %[[W]] residual(%[[R:.+]]) : (tensor<?x172xf32>, tensor<64x172xf16>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %y = lm.linear %x, %w residual(%r)
    : (tensor<?x172xf32>, tensor<64x172xf16>, tensor<?x64xf32>) -> tensor<?x64xf32>
  // CHECK: lm.linear %[[X]], %[[W]] bias(%[[B]]) residual(%[[R]]) : (tensor<?x172xf32>, tensor<64x172xf16>, tensor<64xf16>, tensor<?x64xf32>) -> tensor<?x64xf32>
  %3 = lm.linear %x, %w bias(%b) residual(%r)
    : (tensor<?x172xf32>, tensor<64x172xf16>, tensor<64xf16>, tensor<?x64xf32>) -> tensor<?x64xf32>
  return
}

// CHECK-LABEL: func @a_weight_in_blocks_and_panels
func.func @a_weight_in_blocks_and_panels(%x: tensor<?x64xf32>, %w: tensor<20x64x!lori.quant<q8_0>, #lori.panels<16>>) {
  // CHECK: lm.linear {{.*}} tensor<20x64x!lori.quant<q8_0>, #lori.panels<16>>) -> tensor<?x20xf32>
  %0 = lm.linear %x, %w : (tensor<?x64xf32>, tensor<20x64x!lori.quant<q8_0>, #lori.panels<16>>) -> tensor<?x20xf32>
  return
}

// CHECK-LABEL: func @gated_activation
func.func @gated_activation(%g: tensor<?x172xf32>, %u: tensor<?x172xf32>) {
  // CHECK: lm.gated_activation %{{.+}}, %{{.+}} : tensor<?x172xf32>
  %a = lm.gated_activation %g, %u : tensor<?x172xf32>
  return
}

// CHECK-LABEL: func @rotary_positions
func.func @rotary_positions(%positions: tensor<?xi32>, %x: tensor<?x64xf32>) {
  // CHECK: lm.rotary_table %{{.+}} frequencies([1.000000e+00, 1.000000e-01]) : (tensor<?xi32>) -> tensor<?x2x2xf32>
  %t = lm.rotary_table %positions frequencies([1.0, 0.1]) : (tensor<?xi32>) -> tensor<?x2x2xf32>
  // CHECK: lm.rope %{{.+}}, %{{.+}} : tensor<?x64xf32>, tensor<?x2x2xf32>
  %q = lm.rope %x, %t : tensor<?x64xf32>, tensor<?x2x2xf32>
  return
}

// CHECK-LABEL: func @attention_over_a_paged_cache
func.func @attention_over_a_paged_cache(%q: tensor<?x32xf32>, %k: tensor<?x16xf32>, %v: tensor<?x16xf32>,
    %k0: tensor<8x2x2x8x16xf16>, %v0: tensor<8x2x2x16x8xf16>, %layer: index, %window: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) -> tensor<?x32xf32> {
  // CHECK: %[[K:.+]], %[[V:.+]] = lm.cache_append %{{.+}}, %{{.+}}[%[[LAYER:.+]]], %{{.+}}, %{{.+}} at(%[[POSITIONS:.+]], %[[SEQUENCES:.+]], %[[PAGES:.+]]) :
  %k1, %v1 = lm.cache_append %k0, %v0[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>, index, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>)
    -> (tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>)
  // CHECK: lm.attention %{{.+}}, %[[K]], %[[V]][%[[LAYER]]] at(%[[POSITIONS]], %[[SEQUENCES]], %[[PAGES]]) window(%{{.+}}) scale(3.500000e-01) :
  %y = lm.attention %q, %k1, %v1[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.35)
    : (tensor<?x32xf32>, tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>, index, tensor<?xi32>,
       tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
