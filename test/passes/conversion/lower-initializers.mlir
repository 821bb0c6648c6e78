// RUN: lori-opt %s --split-input-file --lori-lower-initializers | FileCheck %s
// RUN: lori-opt %s --split-input-file --lori-lower-initializers --lori-lower-initializers | FileCheck %s

lori.param @w : tensor<2x20x8xf16> from <"base", "layers.*.w", [0, 1]>
lori.param @v : tensor<2x20x8xf16> from <"base", "layers.*.v", [0, 1]>

// Equal initializers of other parameters share one function; the region stays,
// since it names the leaves.
// CHECK: lori.derived_param @packed : {{.*}} evaluator(@init.0) {
// CHECK: lori.get_param @w
// CHECK: lori.derived_param @twin : {{.*}} evaluator(@init.0) {
// CHECK: lori.get_param @v
lori.derived_param @packed : tensor<2x20x8xf16, #lori.panels<16>> {
^bb0(%layer: index):
  %w = lori.get_param @w[%layer] : tensor<20x8xf16>
  %p = lori.pack %w : tensor<20x8xf16> to tensor<20x8xf16, #lori.panels<16>>
  lori.yield %p : tensor<20x8xf16, #lori.panels<16>>
}
lori.derived_param @twin : tensor<2x20x8xf16, #lori.panels<16>> {
^bb0(%layer: index):
  %v = lori.get_param @v[%layer] : tensor<20x8xf16>
  %p = lori.pack %v : tensor<20x8xf16> to tensor<20x8xf16, #lori.panels<16>>
  lori.yield %p : tensor<20x8xf16, #lori.panels<16>>
}

// CHECK-NOT: func.func
// CHECK: func.func @init.0(%{{.+}}: index, %[[LEAF:.+]]: memref<20x8xf16> {llvm.noalias}, %[[OUT:.+]]: memref<2x8x16xf16> {llvm.noalias}) attributes {llvm.bareptr} {
// The scratch is one row, whatever the size of the parameter.
// CHECK: memref.alloca() : memref<8xf32>
// Twelve rows of zeros fill the last panel.
// CHECK: %[[ZERO:.+]] = arith.constant 0.000000e+00 : f32
// CHECK: arith.constant 12 : index
// CHECK: scf.for
// CHECK: arith.truncf %[[ZERO]]
// CHECK: memref.store %{{.+}}, %[[OUT]]
// CHECK: arith.constant 20 : index
// CHECK: scf.for
// CHECK: memref.load %[[LEAF]]
// CHECK: arith.divui
// CHECK: arith.remui
// CHECK: memref.store %{{.+}}, %[[OUT]]
// CHECK: return
// CHECK-NOT: func.func

// -----
// CHECK: // -----

lori.param @w : tensor<2x4x8xbf16> from <"base", "layers.*.w", [1, 2]>
lori.param @a : tensor<3x2x8xf32> from <"tiny", "layers.*.a", [0, 1, 2]>
lori.param @b : tensor<3x4x2xf32> from <"tiny", "layers.*.b", [0, 1, 2]>
lori.derived_param @fused : tensor<2x4x8xf16> {
^bb0(%layer: index):
  %one = arith.constant 1 : index
  %scales = arith.constant dense<[1.0, 2.0, 4.0]> : tensor<3xf32>
  %next = arith.addi %layer, %one : index
  %w = lori.get_param @w[%layer] : tensor<4x8xbf16>
  %a = lori.get_param @a[%next] : tensor<2x8xf32>
  %b = lori.get_param @b[%next] : tensor<4x2xf32>
  %s = tensor.extract %scales[%next] : tensor<3xf32>
  %f = lori.fuse %w, %a, %b scale(%s) : (tensor<4x8xbf16>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<4x8xf16>
  lori.yield %f : tensor<4x8xf16>
}

// weight + scale * (B[row, :] A), in f32, rounded once.
// CHECK: func.func @init.0(%[[LAYER:.+]]: index, %[[W:.+]]: memref<4x8xbf16>{{.*}}, %[[A:.+]]: memref<2x8xf32>{{.*}}, %[[B:.+]]: memref<4x2xf32>{{.*}}, %[[OUT:.+]]: memref<4x8xf16>
// CHECK: %[[NEXT:.+]] = arith.addi %[[LAYER]]
// CHECK: %[[SCALE:.+]] = tensor.extract %{{.+}}[%[[NEXT]]]
// CHECK: memref.load %[[W]]
// CHECK: memref.load %[[B]]
// CHECK: memref.load %[[A]]
// CHECK: arith.mulf %[[SCALE]]
// CHECK: arith.truncf %{{.+}} : f32 to f16
// CHECK: memref.store %{{.+}}, %[[OUT]]

// -----
// CHECK: // -----

lori.param @w : tensor<8x64x!lori.quant<q8_0>> from <"base", "w", []>
// A change of order alone copies blocks: nothing is decoded, nothing rounded.
lori.derived_param @ordered : tensor<8x64x!lori.quant<q8_0>, #lori.panels<16>> {
  %w = lori.get_param @w : tensor<8x64x!lori.quant<q8_0>>
  %o = lori.deinterleave_rows %w heads(2) : tensor<8x64x!lori.quant<q8_0>>
  %p = lori.pack %o : tensor<8x64x!lori.quant<q8_0>> to tensor<8x64x!lori.quant<q8_0>, #lori.panels<16>>
  lori.yield %p : tensor<8x64x!lori.quant<q8_0>, #lori.panels<16>>
}

// CHECK: func.func @init.0(%{{.+}}: index, %[[W:.+]]: memref<8x2x34xi8>{{.*}}, %[[OUT:.+]]: memref<1x2x34x16xi8>
// CHECK-NOT: arith.sitofp
// CHECK: memref.load %[[W]]
// CHECK: memref.store %{{.+}}, %[[OUT]]
// CHECK: return

// -----
// CHECK: // -----

lori.param @k : tensor<4x256x!lori.quant<q5_k>> from <"base", "k", []>
lori.derived_param @halves : tensor<4x256xf16> {
  %k = lori.get_param @k : tensor<4x256x!lori.quant<q5_k>>
  %f = lori.convert %k : tensor<4x256x!lori.quant<q5_k>> to tensor<4x256xf16>
  lori.yield %f : tensor<4x256xf16>
}
lori.derived_param @blocks : tensor<4x256x!lori.quant<q4_1>> {
  %k = lori.get_param @k : tensor<4x256x!lori.quant<q5_k>>
  %f = lori.convert %k : tensor<4x256x!lori.quant<q5_k>> to tensor<4x256x!lori.quant<q4_1>>
  lori.yield %f : tensor<4x256x!lori.quant<q4_1>>
}

// CHECK: func.func @init.0({{.*}}memref<4x1x176xi8>
// CHECK: arith.truncf %{{.+}} : f32 to f16
// CHECK: func.func @init.1({{.*}}memref<4x8x20xi8>
// CHECK: memref.store %{{.+}} : memref<4x8x20xi8>

// -----
// CHECK: // -----

lori.param @bias : tensor<8xbf16> from <"base", "bias", []>
lori.derived_param @ordered : tensor<8xbf16> {
  %b = lori.get_param @bias : tensor<8xbf16>
  %o = lori.deinterleave_rows %b heads(2) : tensor<8xbf16>
  lori.yield %o : tensor<8xbf16>
}

// CHECK: func.func @init.0(%{{.+}}: index, %[[B:.+]]: memref<8xbf16>{{.*}}, %[[OUT:.+]]: memref<8xbf16>
// CHECK: arith.select
// CHECK: memref.load %[[B]]
// CHECK: memref.store %{{.+}}, %[[OUT]]

// -----
// CHECK: // -----

// A function of the user's that has the name already.
lori.param @w : tensor<4x8xf16> from <"base", "w", []>
func.func private @init.0()
// CHECK: evaluator(@init.0_0)
lori.derived_param @derived : tensor<4x8xf32> {
  %w = lori.get_param @w : tensor<4x8xf16>
  %f = lori.convert %w : tensor<4x8xf16> to tensor<4x8xf32>
  lori.yield %f : tensor<4x8xf32>
}
// CHECK: func.func @init.0_0(
