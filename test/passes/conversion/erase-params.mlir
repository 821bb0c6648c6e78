// RUN: lori-opt %s --lori-erase-params | FileCheck %s --implicit-check-not=lori.
// RUN: lori-opt %s --lori-erase-params --lori-erase-params | FileCheck %s --implicit-check-not=lori.

lori.param @a : tensor<2x8xf32> from <"tiny", "w.a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "w.b", []>
lori.adapter @tiny weight(1.0) [#lori.module<"w", @a, @b, [1.0]>]
lori.derived_param @derived : tensor<2x8xf16> {
  %a = lori.get_param @a : tensor<2x8xf32>
  %f = lori.convert %a : tensor<2x8xf32> to tensor<2x8xf16>
  lori.yield %f : tensor<2x8xf16>
}

// CHECK: func @functions_stay
func.func @functions_stay(%x: memref<4xf32>) {
  return
}
