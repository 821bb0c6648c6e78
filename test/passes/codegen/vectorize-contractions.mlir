// RUN: lori-opt %s --split-input-file --verify-diagnostics \
// RUN:   --lori-vectorize-contractions="explain=true vector-bits=256 registers=8 max-unroll=2 prefetch-bytes=256" \
// RUN: | FileCheck %s
// RUN: lori-opt %s --split-input-file \
// RUN:   --lori-vectorize-contractions="vector-bits=512 registers=32 max-unroll=2" \
// RUN: | FileCheck %s --check-prefix=WIDE

#x = affine_map<(m, n, k, l) -> (m, k)>
#w = affine_map<(m, n, k, l) -> (n, k, l)>
#y = affine_map<(m, n, k, l) -> (m, n, l)>

// Two rows of 16 lanes stay in four vectors; each weight is widened once.
// CHECK-LABEL: func.func @two_rows
//  CHECK-SAME: (%[[X:.*]]: memref<2x64xf32>, %[[W:.*]]: memref<1x64x16xf16>, %[[Y:.*]]: memref<2x1x16xf32>)
// CHECK-COUNT-4: vector.load %[[Y]]{{.*}} vector<8xf32>
//       CHECK:   %[[SUMS:.*]]:4 = scf.for {{.*}} iter_args(%[[S0:[^ ]*]] = {{.*}}, %[[S1:[^ ]*]] = {{.*}}, %[[S2:[^ ]*]] = {{.*}}, %[[S3:[^ ]*]] =
//       CHECK:     %[[H0:.*]] = vector.load %[[W]]{{.*}} vector<8xf16>
//       CHECK:     %[[W0:.*]] = arith.extf %[[H0]]
//       CHECK:     %[[W1:.*]] = arith.extf
//       CHECK:     memref.prefetch %[[W]]
//       CHECK:     %[[X0:.*]] = vector.broadcast %{{.*}} : f32 to vector<8xf32>
//       CHECK:     vector.fma %[[X0]], %[[W0]], %[[S0]]
//       CHECK:     vector.fma %[[X0]], %[[W1]], %[[S1]]
//       CHECK:     %[[X1:.*]] = vector.broadcast
//       CHECK:     vector.fma %[[X1]], %[[W0]], %[[S2]]
//       CHECK:     vector.fma %[[X1]], %[[W1]], %[[S3]]
//       CHECK:     scf.yield
// CHECK-COUNT-4: vector.store {{.*}}, %[[Y]]
//   CHECK-NOT:   linalg.generic

// WIDE-LABEL: func.func @two_rows
//       WIDE:   scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>)
func.func @two_rows(%x: memref<2x64xf32>, %w: memref<1x64x16xf16>,
                    %y: memref<2x1x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
    ins(%x, %w : memref<2x64xf32>, memref<1x64x16xf16>)
    outs(%y : memref<2x1x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#x = affine_map<(m, n, k, l) -> (m, k)>
#w = affine_map<(m, n, k, l) -> (n, k, l)>
#y = affine_map<(m, n, k, l) -> (m, n, l)>

// With eight registers two rows fit: blocks of two, which find the weights in
// a cache, then one row, which does not.
// CHECK-LABEL: func.func @any_rows
//       CHECK:   scf.for %[[ROW:.*]] = %{{.*}} to %[[END:.*]] step
//       CHECK:     scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
//   CHECK-NOT:       memref.prefetch
//       CHECK:   scf.index_switch
//       CHECK:   case 1 {
//       CHECK:     scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>)
//       CHECK:       memref.prefetch
//       CHECK:   default {
func.func @any_rows(%x: memref<?x64xf32>, %w: memref<1x64x16xf16>,
                    %y: memref<?x1x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
    ins(%x, %w : memref<?x64xf32>, memref<1x64x16xf16>)
    outs(%y : memref<?x1x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#x = affine_map<(m, n, b, k, l) -> (m, b, k)>
#d = affine_map<(m, n, b, k, l) -> (n, b, l)>
#w = affine_map<(m, n, b, k, l) -> (n, b, k, l)>
#y = affine_map<(m, n, b, k, l) -> (m, n, l)>

// The scale of a block is read before the loop over its entries.
// CHECK-LABEL: func.func @blocks
//  CHECK-SAME: %[[D:[^ ]*]]: memref<1x2x8xf32>, %[[Q:[^ ]*]]: memref<1x2x32x8xi8>
//       CHECK:   scf.for
//       CHECK:     %[[SCALE:.*]] = vector.load %[[D]]{{.*}} vector<8xf32>
//       CHECK:     scf.for
//   CHECK-NOT:       vector.load %[[D]]
//       CHECK:       vector.load %[[Q]]{{.*}} vector<8xi8>
//       CHECK:       arith.mulf %{{.*}}, %[[SCALE]]
//       CHECK:       vector.fma
func.func @blocks(%x: memref<1x2x32xf32>, %d: memref<1x2x8xf32>,
                  %q: memref<1x2x32x8xi8>, %y: memref<1x1x8xf32>) {
  linalg.generic {indexing_maps = [#x, #d, #w, #y], iterator_types =
      ["parallel", "parallel", "reduction", "reduction", "parallel"]}
    ins(%x, %d, %q : memref<1x2x32xf32>, memref<1x2x8xf32>, memref<1x2x32x8xi8>)
    outs(%y : memref<1x1x8xf32>) {
  ^bb0(%a: f32, %scale: f32, %b: i8, %c: f32):
    %e = arith.sitofp %b : i8 to f32
    %v = arith.mulf %e, %scale : f32
    %p = arith.mulf %a, %v : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#x = affine_map<(m, n, k, l) -> (m, k)>
#w = affine_map<(m, n, k, l) -> (n, k, l)>
#y = affine_map<(m, n, k, l) -> (m, n, l)>

// CHECK-LABEL: func.func @any_panels
//   CHECK-NOT:   vector
//       CHECK:   linalg.generic
func.func @any_panels(%x: memref<2x64xf32>, %w: memref<?x64x16xf16>,
                      %y: memref<2x?x16xf32>) {
  // expected-remark @+1 {{not vectorised: expected panels whose accumulators fit in registers}}
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "reduction", "parallel"]}
    ins(%x, %w : memref<2x64xf32>, memref<?x64x16xf16>)
    outs(%y : memref<2x?x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}
