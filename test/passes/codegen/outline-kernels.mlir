// RUN: lori-opt %s --split-input-file --lori-outline-kernels | FileCheck %s

#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>
#plain_w = affine_map<(m, n, k) -> (n, k)>
#plain_x = affine_map<(m, n, k) -> (m, k)>
#plain_y = affine_map<(m, n, k) -> (m, n)>

// Equal contractions share one function; the body's constant moves along.
// CHECK-LABEL: func.func @equal
//  CHECK-SAME: (%[[X:.*]]: memref<?x64xf32>, %[[W:.*]]: memref<3x64x16xf16>, %[[Y:.*]]: memref<?x3x16xf32>, %[[Z:.*]]: memref<?x3x16xf32>)
//       CHECK:   call @kernel_f16_3x64x16(%[[X]], %[[W]], %[[Y]])
//       CHECK:   call @kernel_f16_3x64x16(%[[X]], %[[W]], %[[Z]])
//   CHECK-NOT:   linalg.generic
//       CHECK:   return
func.func @equal(%x: memref<?x64xf32>, %w: memref<3x64x16xf16>,
                 %y: memref<?x3x16xf32>, %z: memref<?x3x16xf32>) {
  %two = arith.constant 2.0 : f32
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<?x64xf32>, memref<3x64x16xf16>)
    outs(%y : memref<?x3x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %d = arith.mulf %e, %two : f32
    %p = arith.mulf %a, %d : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<?x64xf32>, memref<3x64x16xf16>)
    outs(%z : memref<?x3x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %d = arith.mulf %e, %two : f32
    %p = arith.mulf %a, %d : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// Weights that do not lie in panels make no kernel.
// CHECK-LABEL: func.func @plain
//   CHECK-NOT:   call
//       CHECK:   linalg.generic
func.func @plain(%x: memref<?x64xf32>, %w: memref<48x64xf16>,
                 %y: memref<?x48xf32>) {
  linalg.generic {indexing_maps = [#plain_x, #plain_w, #plain_y],
      iterator_types = ["parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<?x64xf32>, memref<48x64xf16>)
    outs(%y : memref<?x48xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// CHECK: func.func private @kernel_f16_3x64x16(%{{.*}}: memref<?x64xf32>, %{{.*}}: memref<3x64x16xf16>, %{{.*}}: memref<?x3x16xf32>)
// CHECK:   arith.constant 2.0{{.*}} : f32
// CHECK:   linalg.generic
// CHECK-NOT: func.func private

// -----

#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>

// What sets the output to zero goes along.
// CHECK-LABEL: func.func @from_zero
//       CHECK:   call @kernel_f16_3x64x16(
//   CHECK-NOT:   linalg
//       CHECK:   return
// CHECK-LABEL: func.func private @kernel_f16_3x64x16
//       CHECK:   %[[ZERO:.*]] = arith.constant 0.0
//       CHECK:   linalg.fill ins(%[[ZERO]] : f32) outs(%[[OUT:.*]] : memref<?x3x16xf32>)
//       CHECK:   linalg.generic {{.*}} outs(%[[OUT]] :
func.func @from_zero(%x: memref<?x64xf32>, %w: memref<3x64x16xf16>,
                     %y: memref<?x3x16xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x3x16xf32>)
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<?x64xf32>, memref<3x64x16xf16>)
    outs(%y : memref<?x3x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}
