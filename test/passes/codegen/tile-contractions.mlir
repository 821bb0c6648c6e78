// RUN: lori-opt %s --split-input-file --verify-diagnostics \
// RUN:   --lori-tile-contractions="explain=true vector-bits=256 registers=16" \
// RUN: | FileCheck %s
// RUN: lori-opt %s --split-input-file --lori-tile-contractions="parallel=false" \
// RUN: | FileCheck %s --check-prefix=ALONE

#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>

// A worker takes one stretch of the panels, if there is enough to do.
// CHECK-LABEL: func.func @any_rows
//       CHECK:   %[[PANELS:.*]] = arith.constant 40 : index
//       CHECK:   %[[ENOUGH:.*]] = arith.cmpi uge
//       CHECK:   scf.if %[[ENOUGH]]
//       CHECK:     call @omp_get_max_threads()
//       CHECK:     scf.parallel (%[[WORKER:.*]]) =
//       CHECK:       func.call @any_rows_panels(
//       CHECK:   } else {
//       CHECK:     func.call @any_rows_panels(%{{.*}}, %[[PANELS]],
//
// Many rows: rows in a buffer, then for few panels the sums, and in steps the
// weights as f32, which the rows are multiplied with.
// CHECK-LABEL: func.func private @any_rows_panels
//       CHECK:   scf.if
//       CHECK:     %[[ROWS:.*]] = memref.alloca() {alignment = 32 : i64} : memref<{{.*}}xf32>
//       CHECK:     %[[LANES:.*]] = memref.alloca() {alignment = 32 : i64} : memref<1x{{.*}}x16xf32>
//       CHECK:     %[[SUMS:.*]] = memref.alloca() {alignment = 32 : i64} : memref<{{.*}}x1x16xf32>
//       CHECK:     scf.for
//       CHECK:       scf.for
//       CHECK:         memref.reinterpret_cast %[[ROWS]]
//       CHECK:         linalg.generic
//       CHECK:         scf.for
//       CHECK:           linalg.copy
//       CHECK:           scf.for
//       CHECK:             linalg.generic
//       CHECK:               arith.extf
//       CHECK:             linalg.generic
//  CHECK-SAME:               "parallel", "parallel", "reduction", "parallel"
//   CHECK-NOT:               arith.extf
//       CHECK:           linalg.copy
//
// Few rows: the fewer, the more panels at once; first in fours, then in twos.
//       CHECK:   } else {
//       CHECK:     scf.index_switch
//       CHECK:     case 1 {
//       CHECK:       linalg.generic {{.*}} ins({{.*}}memref<4x?x16xf16{{.*}}outs({{.*}}memref<1x4x16xf32
//       CHECK:       linalg.generic {{.*}} outs({{.*}}memref<1x2x16xf32
//       CHECK:     case 2 {
//       CHECK:       linalg.generic {{.*}} outs({{.*}}memref<2x2x16xf32
//       CHECK:     default {
//       CHECK:     scf.for
//       CHECK:       linalg.generic {{.*}} outs({{.*}}memref<?x1x16xf32

// ALONE-LABEL: func.func @any_rows
//   ALONE-NOT:   scf.parallel
//       ALONE:   call @any_rows_panels
func.func @any_rows(%x: memref<?x64xf32>, %w: memref<40x64x16xf16>,
                    %y: memref<?x40x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<?x64xf32>, memref<40x64x16xf16>)
    outs(%y : memref<?x40x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>

// The largest product of a row is no sum of products.
// CHECK-LABEL: func.func @no_sum
//   CHECK-NOT:   call
//       CHECK:   linalg.generic
//   CHECK-NOT: func.func
func.func @no_sum(%x: memref<?x64xf32>, %w: memref<40x64x16xf16>,
                  %y: memref<?x40x16xf32>) {
  // expected-remark @+1 {{not tiled: expected the body to add to an f32 output}}
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<?x64xf32>, memref<40x64x16xf16>)
    outs(%y : memref<?x40x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.maximumf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>

// Sums start at zero where the output does: many rows in the block's buffer, in
// the first stretch of the reduction only, few rows in the output.
// CHECK-LABEL: func.func @from_zero
//   CHECK-NOT:   linalg.fill
// CHECK-LABEL: func.func private @from_zero_panels
// CHECK-SAME:    (%[[PANEL:.*]]: index, %[[PANELS_END:.*]]: index, %[[ROW:.*]]: index, %[[ROWS_END:.*]]: index,
//   CHECK-NOT:   linalg.fill
//       CHECK:   scf.if
//       CHECK:     %[[SUMS:.*]] = memref.alloca() {{.*}} memref<{{.*}}x1x16xf32>
//       CHECK:     scf.for %{{.*}} = %[[ROW]] to %[[ROWS_END]]
//       CHECK:       scf.for %[[START:.*]] =
//       CHECK:         scf.for %{{.*}} = %[[PANEL]]
//       CHECK:           %[[FIRST:.*]] = arith.cmpi eq, %[[START]]
//       CHECK:           scf.if %[[FIRST]] {
//       CHECK:             %[[VIEW:.*]] = memref.reinterpret_cast %[[SUMS]]
//       CHECK:             linalg.fill ins(%{{.*}} : f32) outs(%[[VIEW]]
//       CHECK:           } else {
//       CHECK:             linalg.copy
//       CHECK:   } else {
//       CHECK:     linalg.fill
//       CHECK:     scf.index_switch
func.func @from_zero(%x: memref<?x64xf32>, %w: memref<40x64x16xf16>,
                     %y: memref<?x40x16xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x40x16xf32>)
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<?x64xf32>, memref<40x64x16xf16>)
    outs(%y : memref<?x40x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>

// A reduction of unknown length may have no first stretch.
// CHECK-LABEL: func.func private @any_depth_from_zero_panels
//       CHECK:   scf.if
//       CHECK:     linalg.fill ins(%{{.*}} : f32) outs(%{{.*}} : memref<?x?x16xf32
//       CHECK:     scf.for
//   CHECK-NOT:     linalg.fill
//       CHECK:     linalg.copy
//       CHECK:   } else {
func.func @any_depth_from_zero(%x: memref<?x?xf32>, %w: memref<40x?x16xf16>,
                               %y: memref<?x40x16xf32>) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%y : memref<?x40x16xf32>)
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<?x?xf32>, memref<40x?x16xf16>)
    outs(%y : memref<?x40x16xf32>) {
  ^bb0(%a: f32, %b: f16, %c: f32):
    %e = arith.extf %b : f16 to f32
    %p = arith.mulf %a, %e : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>

// Another start, another buffer, or a reader in between: the fill stays.
// CHECK-LABEL: func.func @other_fills
//       CHECK:   linalg.fill
//       CHECK:   call @other_fills_panels
//       CHECK:   linalg.fill
//       CHECK:   call @other_fills_panels_0
//       CHECK:   linalg.fill
//       CHECK:   memref.copy
//       CHECK:   call @other_fills_panels_1
func.func @other_fills(%x: memref<1x64xf32>, %w: memref<2x64x16xf32>,
                       %y: memref<1x2x16xf32>, %z: memref<1x2x16xf32>) {
  %one = arith.constant 1.0 : f32
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%one : f32) outs(%y : memref<1x2x16xf32>)
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<1x64xf32>, memref<2x64x16xf32>)
    outs(%y : memref<1x2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  linalg.fill ins(%zero : f32) outs(%z : memref<1x2x16xf32>)
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<1x64xf32>, memref<2x64x16xf32>)
    outs(%y : memref<1x2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  linalg.fill ins(%zero : f32) outs(%y : memref<1x2x16xf32>)
  memref.copy %y, %z : memref<1x2x16xf32> to memref<1x2x16xf32>
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<1x64xf32>, memref<2x64x16xf32>)
    outs(%y : memref<1x2x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}

// -----

#x = affine_map<(m, n, l, k) -> (m, k)>
#w = affine_map<(m, n, l, k) -> (n, k, l)>
#y = affine_map<(m, n, l, k) -> (m, n, l)>

// 400 rows are parts enough for two workers, which then take all panels.
// CHECK-LABEL: func.func @many_rows
//       CHECK:   %[[PARTS:.*]] = arith.divui
//       CHECK:   arith.minui
//       CHECK:   %[[PANEL_PARTS:.*]] = arith.ceildivui
//       CHECK:   %[[ROW_PARTS:.*]] = arith.divui %{{.*}}, %[[PANEL_PARTS]]
//       CHECK:   scf.parallel (%{{.*}}, %{{.*}}) = {{.*}} to (%[[ROW_PARTS]], %[[PANEL_PARTS]])
// CHECK-LABEL: func.func @some_rows
//       CHECK:   %[[ONE:.*]] = arith.constant 1 : index
//       CHECK:   scf.parallel (%{{.*}}, %{{.*}}) = {{.*}} to (%[[ONE]], %
func.func @many_rows(%x: memref<400x64xf32>, %w: memref<40x64x16xf32>,
                     %y: memref<400x40x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<400x64xf32>, memref<40x64x16xf32>)
    outs(%y : memref<400x40x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}
func.func @some_rows(%x: memref<300x64xf32>, %w: memref<40x64x16xf32>,
                     %y: memref<300x40x16xf32>) {
  linalg.generic {indexing_maps = [#x, #w, #y],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
    ins(%x, %w : memref<300x64xf32>, memref<40x64x16xf32>)
    outs(%y : memref<300x40x16xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %p = arith.mulf %a, %b : f32
    %s = arith.addf %c, %p : f32
    linalg.yield %s : f32
  }
  return
}
