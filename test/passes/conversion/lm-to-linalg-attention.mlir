// RUN: lori-opt %s --convert-lm-to-linalg | FileCheck %s --implicit-check-not='= lm.'

// CHECK-LABEL: func @cache_append
// CHECK-SAME: (%[[KEYS:[^:]+]]: {{[^,]+}}, %[[VALUES:[^:]+]]: {{[^,]+}}, %[[LAYER:[^:]+]]: index,
// CHECK-SAME: %[[K:[^:]+]]: tensor<?x16xf32>, %[[V:[^:]+]]: tensor<?x16xf32>, %[[POSITIONS:[^:]+]]: {{[^,]+}}, %[[SEQUENCES:[^:]+]]: {{[^,]+}}, %[[PAGES:[^:]+]]:
func.func @cache_append(%keys: tensor<8x2x2x8x16xf16>, %values: tensor<8x2x2x16x8xf16>, %layer: index,
    %k: tensor<?x16xf32>, %v: tensor<?x16xf32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>,
    %pages: tensor<4x2xi32>) -> (tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>) {
  // Position p lies in block p / 16 of its sequence, slot p mod 16.
  // CHECK: scf.for %[[ROW:.+]] = {{.*}} iter_args(%[[K0:.+]] = %[[KEYS]], %[[V0:.+]] = %[[VALUES]])
  // CHECK: tensor.extract %[[POSITIONS]][%[[ROW]]]
  // CHECK: tensor.extract %[[SEQUENCES]][%[[ROW]]]
  // CHECK: %[[BLOCK:.+]] = arith.divui
  // CHECK: %[[SLOT:.+]] = arith.remui
  // CHECK: tensor.extract %[[PAGES]][%{{.+}}, %[[BLOCK]]]
  // CHECK: %[[PAGE:.+]] = arith.index_cast
  // CHECK: tensor.extract_slice %[[K]][%[[ROW]], 0] [1, 16] [1, 1]
  // CHECK: tensor.extract_slice %[[K0]][%[[PAGE]], %[[LAYER]], 0, 0, %[[SLOT]]] [1, 1, 2, 8, 1]
  // CHECK: arith.truncf %{{.+}} : f32 to f16
  // CHECK: tensor.insert_slice {{.*}} into %[[K0]][%[[PAGE]], %[[LAYER]], 0, 0, %[[SLOT]]] [1, 1, 2, 8, 1]
  // CHECK: tensor.extract_slice %[[V]][%[[ROW]], 0] [1, 16] [1, 1]
  // CHECK: tensor.extract_slice %[[V0]][%[[PAGE]], %[[LAYER]], 0, %[[SLOT]], 0] [1, 1, 2, 1, 8]
  // CHECK: tensor.insert_slice {{.*}} into %[[V0]][%[[PAGE]], %[[LAYER]], 0, %[[SLOT]], 0] [1, 1, 2, 1, 8]
  %0, %1 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>, index, tensor<?x16xf32>, tensor<?x16xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>)
    -> (tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>)
  return %0, %1 : tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>
}

// CHECK-LABEL: func @attention
// CHECK-SAME: (%[[Q:[^:]+]]: tensor<?x32xf32>, %[[KEYS:[^:]+]]: {{[^,]+}}, %[[VALUES:[^:]+]]: {{[^,]+}}, %[[LAYER:[^:]+]]: index
func.func @attention(%q: tensor<?x32xf32>, %keys: tensor<8x2x2x8x16xf16>, %values: tensor<8x2x2x16x8xf16>, %layer: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>, %window: index) -> tensor<?x32xf32> {
  // Four query heads share two key heads: row by row, those of a key head
  // together.
  // Steps take the first and the last rows in turns.
  // CHECK: scf.forall (%[[STEP:.+]], %[[SET:.+]]) in (%{{.+}}, 2)
  // CHECK: %[[HALF:.+]] = arith.divui %[[STEP]]
  // CHECK: %[[FROM_LAST:.+]] = arith.subi %{{.+}}, %[[HALF]]
  // CHECK: %[[ROW:.+]] = arith.select %{{.+}}, %[[FROM_LAST]], %[[HALF]]
  // CHECK: %[[SETS:.+]] = arith.constant 1 : index
  // CHECK: %[[KVHEAD:.+]] = arith.divui %[[SET]], %[[SETS]]
  // The state of the online softmax of two heads: largest score, sum, output.
  // CHECK: scf.for {{.*}} -> (f32, f32, vector<8xf32>, f32, f32, vector<8xf32>)
  // Positions that are seen, the same for both.
  // CHECK: vector.step
  // CHECK: arith.constant 0xFF800000 : f32
  // Two chains of scores for each head; an entry of the keys is read once.
  // CHECK: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
  // CHECK: %[[KEY:.+]] = vector.transfer_read %[[KEYS]][%{{.+}}, %[[LAYER]], %[[KVHEAD]], %{{.+}}, %{{.+}}]{{.*}} vector<16xf16>
  // CHECK: %[[WIDE:.+]] = arith.extf %[[KEY]]
  // CHECK: tensor.extract %[[Q]][%[[ROW]],
  // CHECK: vector.fma %{{.+}}, %[[WIDE]], %
  // CHECK: vector.fma %{{.+}}, %[[WIDE]], %
  // The largest score, by halves.
  // CHECK: arith.maxnumf %{{.+}} : vector<8xf32>
  // CHECK: arith.maxnumf %{{.+}} : vector<4xf32>
  // CHECK: vector.reduction <add>, %{{.+}} fastmath<reassoc>
  // CHECK: vector.reduction <add>
  // CHECK-COUNT-16: vector.transfer_read %[[VALUES]][%{{.+}}, %[[LAYER]], %[[KVHEAD]], %{{.+}}, %{{.+}}]{{.*}} vector<8xf16>
  // CHECK-NOT: vector.transfer_read
  // CHECK: arith.divf
  // CHECK: scf.forall.in_parallel
  // CHECK-NEXT: tensor.parallel_insert_slice
  %0 = lm.attention %q, %keys, %values[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.35)
    : (tensor<?x32xf32>, tensor<8x2x2x8x16xf16>, tensor<8x2x2x16x8xf16>, index, tensor<?xi32>,
       tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x32xf32>
  return %0 : tensor<?x32xf32>
}

// An odd head is summed in one chain and in vectors of one entry.
// CHECK-LABEL: func @attention_of_an_odd_head
func.func @attention_of_an_odd_head(%q: tensor<?x3xf32>, %keys: tensor<8x2x1x3x16xf32>, %values: tensor<8x2x1x16x3xf32>, %layer: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>, %window: index) -> tensor<?x3xf32> {
  // CHECK: scf.for {{.*}} -> (f32, f32, vector<1xf32>, vector<1xf32>, vector<1xf32>)
  // CHECK: scf.for {{.*}} -> (vector<16xf32>) {
  // CHECK-NOT: arith.extf
  %0 = lm.attention %q, %keys, %values[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.35)
    : (tensor<?x3xf32>, tensor<8x2x1x3x16xf32>, tensor<8x2x1x16x3xf32>, index, tensor<?xi32>,
       tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
