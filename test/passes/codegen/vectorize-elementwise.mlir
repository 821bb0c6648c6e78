// RUN: lori-opt %s --split-input-file --verify-diagnostics \
// RUN:   --lori-vectorize-elementwise="explain=true parallel=false max-unroll=1" \
// RUN: | FileCheck %s
// RUN: lori-opt %s --split-input-file --lori-vectorize-elementwise \
// RUN: | FileCheck %s --check-prefix=SHARED

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// 20 lanes are two vectors and a half; the row's factor is read once.
// CHECK-LABEL: func.func @scale
//       CHECK:   scf.for
//       CHECK:     %[[FACTOR:.*]] = memref.load
// CHECK-COUNT-2:   vector.store {{.*}} vector<8xf32>
//       CHECK:     vector.store {{.*}} vector<4xf32>
//   CHECK-NOT:   linalg.generic

// Rows are shared if there is enough to do.
// SHARED-LABEL: func.func @scale
//       SHARED:   %[[ENOUGH:.*]] = arith.cmpi uge
//       SHARED:   scf.if %[[ENOUGH]]
//       SHARED:     scf.parallel
//       SHARED:   } else {
//   SHARED-NOT:     scf.parallel
//       SHARED:     scf.for
//       SHARED:   return
func.func @scale(%x: memref<?x20xf32>, %f: memref<?xf32>,
                 %y: memref<?x20xf32>) {
  linalg.generic {indexing_maps = [#id, #row, #id],
      iterator_types = ["parallel", "parallel"]}
    ins(%x, %f : memref<?x20xf32>, memref<?xf32>) outs(%y : memref<?x20xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    linalg.yield %p : f32
  }
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (i)>

// Four chains of sums; the output's old value is added at the end.
// CHECK-LABEL: func.func @squares
//  CHECK-SAME: %[[S:[^ ]*]]: memref<?xf32>)
//       CHECK:   scf.for %[[I:.*]] =
//       CHECK:     scf.for {{.*}} -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>, f32)
//       CHECK:     %[[SUM:.*]] = vector.reduction <add>, %{{.*}} fastmath<reassoc>
//       CHECK:     %[[ALL:.*]] = arith.addf %[[SUM]]
//       CHECK:     %[[OLD:.*]] = memref.load %[[S]][%[[I]]]
//       CHECK:     %[[NEW:.*]] = arith.addf %[[OLD]], %[[ALL]]
//       CHECK:     memref.store %[[NEW]], %[[S]][%[[I]]]
func.func @squares(%x: memref<?x576xf32>, %s: memref<?xf32>) {
  linalg.generic {indexing_maps = [#id, #row],
      iterator_types = ["parallel", "reduction"]}
    ins(%x : memref<?x576xf32>) outs(%s : memref<?xf32>) {
  ^bb0(%v: f32, %acc: f32):
    %sq = arith.mulf %v, %v : f32
    %sum = arith.addf %acc, %sq : f32
    linalg.yield %sum : f32
  }
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>

// What a parallel loop calls is one worker's: it starts no other threads.
// SHARED-LABEL: func.func @part
//   SHARED-NOT:   scf.parallel
//       SHARED:   return
func.func @part(%x: memref<4096x16xf32>) {
  linalg.generic {indexing_maps = [#id],
      iterator_types = ["parallel", "parallel"]}
    outs(%x : memref<4096x16xf32>) {
  ^bb0(%a: f32):
    %p = arith.addf %a, %a : f32
    linalg.yield %p : f32
  }
  return
}
func.func @workers(%x: memref<4096x16xf32>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.parallel (%i) = (%c0) to (%n) step (%c1) {
    func.call @part(%x) : (memref<4096x16xf32>) -> ()
    scf.reduce
  }
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>
#t = affine_map<(i, j) -> (j, i)>

// CHECK-LABEL: func.func @transpose
//   CHECK-NOT:   vector
//       CHECK:   linalg.generic
func.func @transpose(%x: memref<8x16xf32>, %y: memref<16x8xf32>) {
  // expected-remark @+1 {{not vectorised: expected a loop that runs along the last dimension}}
  linalg.generic {indexing_maps = [#id, #t],
      iterator_types = ["parallel", "parallel"]}
    ins(%x : memref<8x16xf32>) outs(%y : memref<16x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}
