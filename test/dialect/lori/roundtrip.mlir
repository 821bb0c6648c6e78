// RUN: lori-opt %s --verify-roundtrip | FileCheck %s

// CHECK: lori.param @up_proj : tensor<2x96x64xbf16> from <"base", "model.layers.*.mlp.up_proj.weight", [0, 1]>
lori.param @up_proj : tensor<2x96x64xbf16> from <"base", "model.layers.*.mlp.up_proj.weight", [0, 1]>
// CHECK: lori.param @table : tensor<32x64x!lori.quant<q4_1>> from <"base", "table", []> at 128
lori.param @table : tensor<32x64x!lori.quant<q4_1>> from <"base", "table", []> at 128
lori.param @a : tensor<2x4x64xf32> from <"tiny", "model.layers.*.mlp.up_proj.lora_A.weight", [0, -1]>
lori.param @b : tensor<2x96x4xf32> from <"tiny", "model.layers.*.mlp.up_proj.lora_B.weight", [0, -1]>

// CHECK: lori.adapter @tiny weight(5.000000e-01) [#lori.module<"model.layers.*.mlp.up_proj.weight", @a, @b, [2.000000e+00]>]
lori.adapter @tiny weight(0.5) [#lori.module<"model.layers.*.mlp.up_proj.weight", @a, @b, [2.0]>]

// CHECK: lori.derived_param @packed : tensor<2x96x64xbf16, #lori.panels<16>> {
lori.derived_param @packed : tensor<2x96x64xbf16, #lori.panels<16>> {
// CHECK-NEXT: ^bb0(%[[LAYER:.+]]: index):
^bb0(%layer: index):
  // CHECK-NEXT: %[[W:.+]] = lori.get_param @up_proj[%[[LAYER]]] : tensor<96x64xbf16>
  %w = lori.get_param @up_proj[%layer] : tensor<96x64xbf16>
  // CHECK-NEXT: %[[P:.+]] = lori.pack %[[W]] : tensor<96x64xbf16> to tensor<96x64xbf16, #lori.panels<16>>
  %p = lori.pack %w : tensor<96x64xbf16> to tensor<96x64xbf16, #lori.panels<16>>
  // CHECK-NEXT: lori.yield %[[P]] : tensor<96x64xbf16, #lori.panels<16>>
  lori.yield %p : tensor<96x64xbf16, #lori.panels<16>>
}

// CHECK: lori.derived_param @placed : tensor<32x64xf32> evaluator(@init.0) at 256 {
// CHECK-NEXT: %[[T:.+]] = lori.get_param @table : tensor<32x64x!lori.quant<q4_1>>
lori.derived_param @placed : tensor<32x64xf32> evaluator(@init.0) at 256 {
  %t = lori.get_param @table : tensor<32x64x!lori.quant<q4_1>>
  %f = lori.convert %t : tensor<32x64x!lori.quant<q4_1>> to tensor<32x64xf32>
  lori.yield %f : tensor<32x64xf32>
}

// CHECK-LABEL: func @factors
func.func @factors(%b: tensor<576x32xbf16>, %m: tensor<576x32xi1>) -> tensor<576x32xbf16> {
  // CHECK: lori.frozen_projection seed(42) init(kaiming_uniform) : tensor<32x576xf32>
  %a = lori.frozen_projection seed(42) init(kaiming_uniform) : tensor<32x576xf32>
  // CHECK: lori.frozen_projection seed(7) stream(%{{.*}}) init(normal) : tensor<32x576xf32>
  %three = arith.constant 3 : i64
  %a2 = lori.frozen_projection seed(7) stream(%three) init(normal) : tensor<32x576xf32>
  // CHECK: lori.mask %{{.+}}, %{{.+}} : tensor<576x32xbf16>
  %bm = lori.mask %b, %m : tensor<576x32xbf16>
  return %bm : tensor<576x32xbf16>
}

// CHECK-LABEL: func @hadamard
func.func @hadamard() -> tensor<64x64xf32> {
  // CHECK: lori.hadamard : tensor<64x64xf32>
  %h = lori.hadamard : tensor<64x64xf32>
  return %h : tensor<64x64xf32>
}

// CHECK-LABEL: func @uses
func.func @uses(%base: tensor<?x96xf32>, %x: tensor<?x64xf32>, %a: tensor<4x64xf32>,
                %b: tensor<96x4xf32>, %w: tensor<96x64xbf16>, %s: f32) -> tensor<?x96xf32> {
  // CHECK: lori.adapter_weights @tiny : tensor<?xf32>
  %weights = lori.adapter_weights @tiny : tensor<?xf32>
  // CHECK: lori.adapt %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} scale(%{{.+}}) :
  %0 = lori.adapt %base, %x, %a, %b scale(%s)
    : (tensor<?x96xf32>, tensor<?x64xf32>, tensor<4x64xf32>, tensor<96x4xf32>, f32) -> tensor<?x96xf32>
  // CHECK: lori.adapt {{.*}} weights(%{{.+}}) :
  %1 = lori.adapt %0, %x, %a, %b scale(%s) weights(%weights)
    : (tensor<?x96xf32>, tensor<?x64xf32>, tensor<4x64xf32>, tensor<96x4xf32>, f32, tensor<?xf32>) -> tensor<?x96xf32>
  // CHECK: lori.fuse {{.*}} -> tensor<96x64xf32>
  %2 = lori.fuse %w, %a, %b scale(%s)
    : (tensor<96x64xbf16>, tensor<4x64xf32>, tensor<96x4xf32>, f32) -> tensor<96x64xf32>
  // CHECK: lori.fuse {{.*}} scale(%{{.+}}) rounded_update : {{.*}} -> tensor<96x64xbf16>
  %3 = lori.fuse %w, %a, %b scale(%s) rounded_update
    : (tensor<96x64xbf16>, tensor<4x64xf32>, tensor<96x4xf32>, f32) -> tensor<96x64xbf16>
  // CHECK: lori.rounding_error %{{.+}}, %{{.+}} : (tensor<96x64xbf16>, tensor<96x64xf32>) -> tensor<1xf32>
  %e = lori.rounding_error %3, %2 : (tensor<96x64xbf16>, tensor<96x64xf32>) -> tensor<1xf32>
  return %1 : tensor<?x96xf32>
}

// CHECK-LABEL: func @parameters
func.func @parameters() -> tensor<2x2x20x16xi8> {
  %0 = lori.get_param @table : tensor<32x64x!lori.quant<q4_1>>
  // CHECK: lori.convert %{{.+}} : tensor<32x64x!lori.quant<q4_1>> to tensor<32x64xf16>
  %1 = lori.convert %0 : tensor<32x64x!lori.quant<q4_1>> to tensor<32x64xf16>
  // CHECK: lori.deinterleave_rows %{{.+}} heads(4) : tensor<32x64x!lori.quant<q4_1>>
  %2 = lori.deinterleave_rows %0 heads(4) : tensor<32x64x!lori.quant<q4_1>>
  %3 = lori.pack %2 : tensor<32x64x!lori.quant<q4_1>> to tensor<32x64x!lori.quant<q4_1>, #lori.panels<16>>
  // CHECK: lori.storage %{{.+}} : tensor<32x64x!lori.quant<q4_1>, #lori.panels<16>> to tensor<2x2x20x16xi8>
  %4 = lori.storage %3 : tensor<32x64x!lori.quant<q4_1>, #lori.panels<16>> to tensor<2x2x20x16xi8>
  return %4 : tensor<2x2x20x16xi8>
}

// CHECK: lori.adapter_bank @plain_bank sites [#lori.site<"lm_head", 64, 96, 0>]
lori.adapter_bank @plain_bank sites [#lori.site<"lm_head", 64, 96, 0>]
// CHECK: lori.adapter_bank @bank sites [#lori.site<"model.layers.*.mlp.up_proj", 64, 96, 2>] panels(16)
lori.adapter_bank @bank sites [#lori.site<"model.layers.*.mlp.up_proj", 64, 96, 2>] panels(16)

// CHECK-LABEL: func @routed
func.func @routed(%y: tensor<?x96xf32>, %x: tensor<?x64xf32>, %layer: index) -> tensor<?x96xf32> {
  // CHECK: lori.adapt_routed %{{.+}}, %{{.+}}, @plain_bank site(0) :
  %0 = lori.adapt_routed %y, %x, @plain_bank site(0)
    : (tensor<?x96xf32>, tensor<?x64xf32>) -> tensor<?x96xf32>
  // CHECK: lori.adapt_routed %{{.+}}, %{{.+}}, @bank site(0) [%{{.+}}] :
  %1 = lori.adapt_routed %0, %x, @bank site(0) [%layer]
    : (tensor<?x96xf32>, tensor<?x64xf32>, index) -> tensor<?x96xf32>
  // CHECK: %[[USES:.+]] = lori.bank_size @bank
  %uses = lori.bank_size @bank
  // CHECK: lori.bank_use @bank site(0) [%[[USES]], %{{.+}}] : f32, tensor<?x64xf32, #lori.panels<16>>, tensor<96x?xf32, #lori.panels<16>>
  %first, %rows, %scale, %a, %b = lori.bank_use @bank site(0) [%uses, %layer]
    : f32, tensor<?x64xf32, #lori.panels<16>>, tensor<96x?xf32, #lori.panels<16>>
  return %1 : tensor<?x96xf32>
}

// Every float of a list comes back as it was: scales in f64, frequencies in f32.
// CHECK: #lori.module<"w", @exact_a, @exact_b, [2.8284271247461903]>
lori.adapter @exact weight(1.0) [#lori.module<"w", @exact_a, @exact_b, [2.8284271247461903]>]
lori.param @exact_a : tensor<2x8xf32> from <"tiny", "a", []>
lori.param @exact_b : tensor<4x2xf32> from <"tiny", "b", []>

// What a module file says of itself.
// CHECK: module @files attributes {lori.context = 40 : i64, lori.files = [#lori.file<"base", "../tiny", "">], lori.resolved}
module @files attributes {lori.context = 40 : i64, lori.files = [#lori.file<"base", "../tiny", "">], lori.resolved} {}
