// RUN: lori-opt %s --lori-lower-initializers | FileCheck %s

// The error of a rounding to blocks: each row is encoded, decoded, and compared
// with the exact one; sums are in f64.
lori.param @w : tensor<4x32xf16> from <"base", "w", []>
// CHECK: lori.derived_param @error : tensor<1xf32> evaluator(@[[INIT:.+]]) {
lori.derived_param @error : tensor<1xf32> {
  %w = lori.get_param @w : tensor<4x32xf16>
  %q = lori.convert %w : tensor<4x32xf16> to tensor<4x32x!lori.quant<q8_0>>
  %e = lori.rounding_error %q, %w : (tensor<4x32x!lori.quant<q8_0>>, tensor<4x32xf16>) -> tensor<1xf32>
  lori.yield %e : tensor<1xf32>
}
// CHECK: func.func @[[INIT]](%{{.+}}: index, %[[W:.+]]: memref<4x32xf16> {{.*}}, %[[OUT:.+]]: memref<1xf32>
// CHECK-DAG: %[[BLOCK:.+]] = memref.alloca() : memref<34xi8>
// CHECK-DAG: %[[SUMS:.+]] = memref.alloca() : memref<2xf64>
// CHECK-DAG: %[[ROUNDED:.+]] = memref.alloca() : memref<32xf32>
// CHECK: memref.store %{{.+}}, %[[BLOCK]]
// CHECK: memref.load %[[BLOCK]]
// CHECK: arith.subf
// CHECK: memref.store %{{.+}}, %[[SUMS]]
// CHECK: %[[QUOTIENT:.+]] = arith.divf %{{.+}}, %{{.+}} : f64
// CHECK: %[[NORM:.+]] = math.sqrt %[[QUOTIENT]] : f64
// CHECK: %[[ERROR:.+]] = arith.select %{{.+}}, %{{.+}}, %[[NORM]] : f64
// CHECK: %[[RESULT:.+]] = arith.truncf %[[ERROR]] : f64 to f32
// CHECK: memref.store %[[RESULT]], %[[OUT]]
