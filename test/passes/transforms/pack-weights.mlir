// RUN: lori-opt %s --lori-pack-weights | FileCheck %s '-D$ROWS=16' --check-prefixes=CHECK,ROWS16
// RUN: lori-opt %s --lori-pack-weights=rows=8 | FileCheck %s '-D$ROWS=8'
// RUN: lori-opt %s --lori-pack-weights --lori-pack-weights | FileCheck %s '-D$ROWS=16' --check-prefixes=CHECK,ROWS16

lori.param @w : tensor<20x64x!lori.quant<q4_0>> from <"base", "w", []>
lori.param @a : tensor<2x64xf32> from <"tiny", "a", []>
lori.param @b : tensor<20x2xbf16> from <"tiny", "b", []>

// CHECK-LABEL: func @weights_and_factors
func.func @weights_and_factors(%x: tensor<?x64xf32>, %s: f32) -> tensor<?x20xf32> {
  // CHECK: %[[W:.+]] = lori.pack %{{.+}} : tensor<20x64x!lori.quant<q4_0>> to tensor<20x64x!lori.quant<q4_0>, #lori.panels<[[$ROWS]]>>
  // CHECK-DAG: %[[A:.+]] = lori.pack %{{.+}} : tensor<2x64xf32> to tensor<2x64xf32, #lori.panels<[[$ROWS]]>>
  // CHECK-DAG: %[[B:.+]] = lori.pack %{{.+}} : tensor<20x2xbf16> to tensor<20x2xbf16, #lori.panels<[[$ROWS]]>>
  // CHECK: %[[Y:.+]] = lm.linear %{{.+}}, %[[W]] :
  // CHECK: lori.adapt %[[Y]], %{{.+}}, %[[A]], %[[B]] scale
  %w = lori.get_param @w : tensor<20x64x!lori.quant<q4_0>>
  %a = lori.get_param @a : tensor<2x64xf32>
  %b = lori.get_param @b : tensor<20x2xbf16>
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<20x64x!lori.quant<q4_0>>) -> tensor<?x20xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x20xf32>, tensor<?x64xf32>, tensor<2x64xf32>, tensor<20x2xbf16>, f32) -> tensor<?x20xf32>
  return %0 : tensor<?x20xf32>
}

// CHECK-LABEL: func @a_tied_table_shares_its_panels
func.func @a_tied_table_shares_its_panels(%ids: tensor<?xi32>) -> tensor<?x20xf32> {
  // CHECK: %[[W:.+]] = lori.pack
  // CHECK-NOT: lori.pack
  // CHECK: lm.embedding %[[W]],
  // CHECK: lm.linear %{{.+}}, %[[W]] :
  %w = lori.get_param @w : tensor<20x64x!lori.quant<q4_0>>
  %x = lm.embedding %w, %ids : (tensor<20x64x!lori.quant<q4_0>>, tensor<?xi32>) -> tensor<?x64xf32>
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<20x64x!lori.quant<q4_0>>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: func @a_converted_weight_is_packed_last
func.func @a_converted_weight_is_packed_last(%x: tensor<?x64xf32>) -> tensor<?x20xf32> {
  // CHECK: %[[C:.+]] = lori.convert
  // CHECK: %[[P:.+]] = lori.pack %[[C]]
  // CHECK: lm.linear %{{.+}}, %[[P]] :
  %w = lori.get_param @w : tensor<20x64x!lori.quant<q4_0>>
  %c = lori.convert %w : tensor<20x64x!lori.quant<q4_0>> to tensor<20x64xf16>
  %y = lm.linear %x, %c : (tensor<?x64xf32>, tensor<20x64xf16>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: func @no_panels_as_the_weight_is_computed_at_run_time
func.func @no_panels_as_the_weight_is_computed_at_run_time(%x: tensor<?x64xf32>, %w: tensor<20x64xf32>, %b: tensor<20x2xf32>, %m: tensor<20x2xi1>, %s: f32) -> tensor<?x20xf32> {
  // CHECK-NOT: lori.pack
  // CHECK: return
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<20x64xf32>) -> tensor<?x20xf32>
  %a = arith.constant dense<1.0> : tensor<2x64xf32>
  %bm = lori.mask %b, %m : tensor<20x2xf32>
  %0 = lori.adapt %y, %x, %a, %bm scale(%s) : (tensor<?x20xf32>, tensor<?x64xf32>, tensor<2x64xf32>, tensor<20x2xf32>, f32) -> tensor<?x20xf32>
  return %0 : tensor<?x20xf32>
}

// CHECK-LABEL: func @no_panels_in_panels
func.func @no_panels_in_panels(%x: tensor<?x64xf32>) -> tensor<?x20xf32> {
  // CHECK: lori.pack {{.*}} #lori.panels<4>
  // CHECK-NOT: lori.pack
  // CHECK: return
  %w = lori.get_param @w : tensor<20x64x!lori.quant<q4_0>>
  %p = lori.pack %w : tensor<20x64x!lori.quant<q4_0>> to tensor<20x64x!lori.quant<q4_0>, #lori.panels<4>>
  %y = lm.linear %x, %p : (tensor<?x64xf32>, tensor<20x64x!lori.quant<q4_0>, #lori.panels<4>>) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}

// CHECK-LABEL: func @panels_that_came_too_late
func.func @panels_that_came_too_late(%x: tensor<?x64xf32>) -> (tensor<?x20xf32>, tensor<?x20xf32>) {
  // ROWS16: %[[P:.+]] = lori.pack
  // ROWS16: lm.linear %arg0, %[[P]] :
  // ROWS16: lm.linear %arg0, %[[P]] :
  %w = lori.get_param @w : tensor<20x64x!lori.quant<q4_0>>
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<20x64x!lori.quant<q4_0>>) -> tensor<?x20xf32>
  %p = lori.pack %w : tensor<20x64x!lori.quant<q4_0>> to tensor<20x64x!lori.quant<q4_0>, #lori.panels<16>>
  %z = lm.linear %x, %p : (tensor<?x64xf32>, tensor<20x64x!lori.quant<q4_0>, #lori.panels<16>>) -> tensor<?x20xf32>
  return %y, %z : tensor<?x20xf32>, tensor<?x20xf32>
}
