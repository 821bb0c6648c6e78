// RUN: lori-opt %s --convert-lm-to-linalg | FileCheck %s --implicit-check-not='= lm.'
// RUN: lori-opt %s --convert-lm-to-linalg --convert-lm-to-linalg | FileCheck %s --implicit-check-not='= lm.'

// CHECK-LABEL: func @embedding
// CHECK-SAME: (%[[T:.+]]: tensor<512x8xf16>, %[[IDS:.+]]: tensor<?xi32>)
func.func @embedding(%table: tensor<512x8xf16>, %ids: tensor<?xi32>) -> tensor<?x8xf32> {
  // CHECK: linalg.generic {{.*}} ins(%[[IDS]] :
  // CHECK: ^bb0(%[[ID:.+]]: i32, %{{.+}}: f32):
  // CHECK: %[[ROW:.+]] = arith.index_cast %[[ID]]
  // CHECK: %[[COLUMN:.+]] = linalg.index 1
  // CHECK: %[[ENTRY:.+]] = tensor.extract %[[T]][%[[ROW]], %[[COLUMN]]]
  // CHECK: arith.extf %[[ENTRY]] : f16 to f32
  %0 = lm.embedding %table, %ids : (tensor<512x8xf16>, tensor<?xi32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func @embedding_in_panels_of_blocks
func.func @embedding_in_panels_of_blocks(%table: tensor<20x32x!lori.quant<q4_0>, #lori.panels<16>>, %ids: tensor<?xi32>) -> tensor<?x32xf32> {
  // CHECK: %[[BYTES:.+]] = lori.storage {{.*}} to tensor<2x1x18x16xi8>
  // CHECK: linalg.generic
  // CHECK: tensor.extract %[[BYTES]]
  %0 = lm.embedding %table, %ids : (tensor<20x32x!lori.quant<q4_0>, #lori.panels<16>>, tensor<?xi32>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// CHECK-LABEL: func @select_rows
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[ROWS:.+]]: tensor<3xi32>)
func.func @select_rows(%x: tensor<?x8xf32>, %rows: tensor<3xi32>) -> tensor<3x8xf32> {
  // CHECK: linalg.generic {{.*}} ins(%[[ROWS]] : {{.*}} outs(%{{.+}} : tensor<3x8xf32>)
  // CHECK: tensor.extract %[[X]]
  %0 = lm.select_rows %x, %rows : (tensor<?x8xf32>, tensor<3xi32>) -> tensor<3x8xf32>
  return %0 : tensor<3x8xf32>
}

// CHECK-LABEL: func @rms_norm_of_rows
func.func @rms_norm_of_rows(%x: tensor<?x8xf32>, %g: tensor<8xbf16>) -> tensor<?x8xf32> {
  // CHECK: %[[SUMS:.+]] = linalg.generic {{.*}}iterator_types = ["parallel", "reduction"]{{.*}} outs(%{{.+}} : tensor<?xf32>)
  // CHECK: linalg.generic {{.*}} ins(%arg0, %[[SUMS]], %arg1 :
  // CHECK-DAG: arith.constant 8.000000e+00 : f32
  // CHECK-DAG: arith.constant 9.99999974E-6 : f32
  // CHECK: math.rsqrt
  // CHECK: arith.extf %{{.+}} : bf16 to f32
  %0 = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x8xf32>, tensor<8xbf16>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func @rms_norm_of_heads
func.func @rms_norm_of_heads(%x: tensor<?x8xf32>, %g: tensor<4xf32>) -> tensor<?x8xf32> {
  // CHECK: tensor.expand_shape %arg0 {{\[}}[0], [1, 2]{{\]}} {{.*}} into tensor<?x2x4xf32>
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]{{.*}} outs(%{{.+}} : tensor<?x2xf32>)
  // CHECK: arith.constant 4.000000e+00 : f32
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x8xf32>
  %0 = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x8xf32>, tensor<4xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func @linear_into_the_residual
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[W:.+]]: tensor<4x8xf16>, %[[R:.+]]: tensor<?x4xf32>)
func.func @linear_into_the_residual(%x: tensor<?x8xf32>, %w: tensor<4x8xf16>, %r: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]{{.*}} ins(%[[X]], %[[W]] : {{.*}} outs(%[[R]] :
  %0 = lm.linear %x, %w residual(%r) : (tensor<?x8xf32>, tensor<4x8xf16>, tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @linear_from_the_bias
func.func @linear_from_the_bias(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>, %b: tensor<4xf16>) -> tensor<?x4xf32> {
  // CHECK-NOT: linalg.fill
  // CHECK: %[[START:.+]] = linalg.generic {{.*}} ins(%arg2 : tensor<4xf16>)
  // CHECK: arith.extf
  // CHECK: linalg.generic {{.*}} outs(%[[START]] :
  %0 = lm.linear %x, %w bias(%b) : (tensor<?x8xf32>, tensor<4x8xf32>, tensor<4xf16>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// (row, panel, lane, k)
// CHECK-LABEL: func @linear_in_panels_of_floats
func.func @linear_in_panels_of_floats(%x: tensor<?x8xf32>, %w: tensor<32x8xbf16, #lori.panels<16>>) -> tensor<?x32xf32> {
  // CHECK: %[[S:.+]] = lori.storage {{.*}} to tensor<2x8x16xbf16>
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction"]{{.*}} ins(%arg0, %[[S]] : {{.*}} outs(%{{.+}} : tensor<?x2x16xf32>)
  // CHECK: tensor.collapse_shape {{.*}} into tensor<?x32xf32>
  // CHECK-NOT: tensor.extract_slice
  %0 = lm.linear %x, %w : (tensor<?x8xf32>, tensor<32x8xbf16, #lori.panels<16>>) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// The lanes past the last row have no place in the result.
// CHECK-LABEL: func @linear_in_a_panel_that_is_not_full
func.func @linear_in_a_panel_that_is_not_full(%x: tensor<?x8xf32>, %w: tensor<20x8xf32, #lori.panels<16>>, %r: tensor<?x20xf32>) -> tensor<?x20xf32> {
  // CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<?x2x16xf32>)
  // CHECK: %[[ALL:.+]] = tensor.collapse_shape {{.*}} into tensor<?x32xf32>
  // CHECK: %[[SOME:.+]] = tensor.extract_slice %[[ALL]][0, 0] [%{{.+}}, 20] [1, 1]
  // CHECK: linalg.generic {{.*}} ins(%[[SOME]] : {{.*}} outs(%arg2 :
  %0 = lm.linear %x, %w residual(%r) : (tensor<?x8xf32>, tensor<20x8xf32, #lori.panels<16>>, tensor<?x20xf32>) -> tensor<?x20xf32>
  return %0 : tensor<?x20xf32>
}

// (row, panel, lane, block, entry)
// CHECK-LABEL: func @linear_in_panels_of_q8_0
func.func @linear_in_panels_of_q8_0(%x: tensor<?x64xf32>, %w: tensor<16x64x!lori.quant<q8_0>, #lori.panels<16>>) -> tensor<?x16xf32> {
  // CHECK: lori.storage {{.*}} to tensor<1x2x34x16xi8>
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]
  // CHECK: arith.bitcast %{{.+}} : i16 to f16
  // CHECK: arith.sitofp
  %0 = lm.linear %x, %w : (tensor<?x64xf32>, tensor<16x64x!lori.quant<q8_0>, #lori.panels<16>>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// (row, panel, lane, block, half, byte)
// CHECK-LABEL: func @linear_in_panels_of_q4
func.func @linear_in_panels_of_q4(%x: tensor<?x64xf32>, %v: tensor<16x64x!lori.quant<q4_0>, #lori.panels<16>>, %w: tensor<16x64x!lori.quant<q4_1>, #lori.panels<16>>) -> (tensor<?x16xf32>, tensor<?x16xf32>) {
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
  // q4_0 is symmetric: its zero is 8.
  // CHECK: arith.constant 8 : i32
  // CHECK: arith.subi
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
  // q4_1 adds a minimum.
  // CHECK-COUNT-2: arith.bitcast %{{.+}} : i16 to f16
  // CHECK-NOT: arith.subi
  // CHECK: return
  %0 = lm.linear %x, %v : (tensor<?x64xf32>, tensor<16x64x!lori.quant<q4_0>, #lori.panels<16>>) -> tensor<?x16xf32>
  %1 = lm.linear %x, %w : (tensor<?x64xf32>, tensor<16x64x!lori.quant<q4_1>, #lori.panels<16>>) -> tensor<?x16xf32>
  return %0, %1 : tensor<?x16xf32>, tensor<?x16xf32>
}

// No kernel decodes the K formats: they are read entry by entry.
// CHECK-LABEL: func @linear_in_panels_of_a_k_format
func.func @linear_in_panels_of_a_k_format(%x: tensor<?x256xf32>, %w: tensor<16x256x!lori.quant<q4_k>, #lori.panels<16>>) -> tensor<?x16xf32> {
  // CHECK: %[[BYTES:.+]] = lori.storage {{.*}} to tensor<1x1x144x16xi8>
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel", "reduction"]{{.*}} ins(%arg0 :
  // CHECK: tensor.extract %[[BYTES]]
  %0 = lm.linear %x, %w : (tensor<?x256xf32>, tensor<16x256x!lori.quant<q4_k>, #lori.panels<16>>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}

// CHECK-LABEL: func @gated_activation
func.func @gated_activation(%g: tensor<?x8xf32>, %u: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: linalg.generic {{.*}} ins(%arg1 : {{.*}} outs(%arg0 :
  // CHECK: ^bb0(%[[UP:.+]]: f32, %[[GATE:.+]]: f32):
  // CHECK: %[[NEG:.+]] = arith.negf %[[GATE]]
  // CHECK: %[[EXP:.+]] = math.exp %[[NEG]]
  // CHECK: %[[SUM:.+]] = arith.addf %[[EXP]]
  // CHECK: %[[SILU:.+]] = arith.divf %[[GATE]], %[[SUM]]
  // CHECK: arith.mulf %[[SILU]], %[[UP]]
  %0 = lm.gated_activation %g, %u : tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// CHECK-LABEL: func @rotary_table
func.func @rotary_table(%positions: tensor<?xi32>) -> tensor<?x2x2xf32> {
  // CHECK: arith.constant dense<[1.000000e+00, 1.000000e-01]> : tensor<2xf32>
  // CHECK: tensor.extract_slice {{.*}}[0, 0, 0] [%{{.+}}, 1, 2]
  // CHECK: math.cos
  // CHECK: tensor.extract_slice {{.*}}[0, 1, 0] [%{{.+}}, 1, 2]
  // CHECK: math.sin
  %0 = lm.rotary_table %positions frequencies([1.0, 0.1]) : (tensor<?xi32>) -> tensor<?x2x2xf32>
  return %0 : tensor<?x2x2xf32>
}

// (a, b) -> (a cos - b sin, b cos + a sin)
// CHECK-LABEL: func @rope
func.func @rope(%x: tensor<?x16xf32>, %t: tensor<?x2x4xf32>) -> tensor<?x16xf32> {
  // CHECK: tensor.expand_shape %arg0 {{.*}} into tensor<?x2x2x4xf32>
  // CHECK: linalg.generic
  // CHECK: ^bb0(%[[A:.+]]: f32, %[[B:.+]]: f32, %[[COS:.+]]: f32, %[[SIN:.+]]: f32, %{{.+}}: f32):
  // CHECK: %[[L:.+]] = arith.mulf %[[A]], %[[COS]]
  // CHECK: %[[R:.+]] = arith.mulf %[[B]], %[[SIN]]
  // CHECK: arith.subf %[[L]], %[[R]]
  // CHECK: linalg.generic
  // CHECK: ^bb0(%[[A:.+]]: f32, %[[B:.+]]: f32, %[[COS:.+]]: f32, %[[SIN:.+]]: f32, %{{.+}}: f32):
  // CHECK: %[[L:.+]] = arith.mulf %[[B]], %[[COS]]
  // CHECK: %[[R:.+]] = arith.mulf %[[A]], %[[SIN]]
  // CHECK: arith.addf %[[L]], %[[R]]
  // CHECK: tensor.collapse_shape
  %0 = lm.rope %x, %t : tensor<?x16xf32>, tensor<?x2x4xf32>
  return %0 : tensor<?x16xf32>
}

// CHECK-LABEL: func @sums_of_tensors
func.func @sums_of_tensors(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>, %u: tensor<8xf32>, %v: tensor<8xf32>, %s: f32) -> (tensor<?x8xf32>, tensor<8xf32>, f32) {
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]{{.*}} ins(%arg1 : {{.*}} outs(%arg0 :
  // CHECK: linalg.generic {{.*}}iterator_types = ["parallel"]{{.*}} ins(%arg3 : {{.*}} outs(%arg2 :
  // CHECK: arith.addf %arg4, %arg4 : f32
  %0 = arith.addf %x, %y : tensor<?x8xf32>
  %1 = arith.addf %u, %v : tensor<8xf32>
  %2 = arith.addf %s, %s : f32
  return %0, %1, %2 : tensor<?x8xf32>, tensor<8xf32>, f32
}
