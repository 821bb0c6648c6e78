// RUN: lori-opt %s --convert-copy-to-linalg | FileCheck %s
// RUN: lori-opt %s --convert-copy-to-linalg --convert-copy-to-linalg | FileCheck %s

// CHECK-LABEL: func @copy_of_a_column
func.func @copy_of_a_column(%from: memref<4xf32, strided<[8]>>, %to: memref<4xf32>) {
  // CHECK-NEXT: linalg.generic {{.*}}iterator_types = ["parallel"]{{.*}} ins(%arg0 : {{.*}} outs(%arg1 :
  // CHECK-NEXT: ^bb0(%[[IN:.+]]: f32, %{{.+}}: f32):
  // CHECK-NEXT: linalg.yield %[[IN]]
  // CHECK-NOT: memref.copy
  memref.copy %from, %to : memref<4xf32, strided<[8]>> to memref<4xf32>
  return
}

// CHECK-LABEL: func @copy_into_a_view
func.func @copy_into_a_view(%from: memref<2x?xf16>, %to: memref<2x?xf16, strided<[?, 1], offset: ?>>) {
  // CHECK-NEXT: linalg.generic {{.*}}iterator_types = ["parallel", "parallel"]
  memref.copy %from, %to : memref<2x?xf16> to memref<2x?xf16, strided<[?, 1], offset: ?>>
  return
}

// CHECK-LABEL: func @copy_of_one_entry
func.func @copy_of_one_entry(%from: memref<f32, strided<[], offset: ?>>, %to: memref<f32>) {
  // CHECK-NEXT: linalg.generic {{.*}}iterator_types = []
  memref.copy %from, %to : memref<f32, strided<[], offset: ?>> to memref<f32>
  return
}

// CHECK-LABEL: func @a_contiguous_copy_stays
func.func @a_contiguous_copy_stays(%from: memref<2x?xf32>, %to: memref<2x?xf32>) {
  // CHECK-NEXT: memref.copy
  memref.copy %from, %to : memref<2x?xf32> to memref<2x?xf32>
  return
}

// CHECK-LABEL: func @a_copy_of_unknown_rank_stays
func.func @a_copy_of_unknown_rank_stays(%from: memref<*xf32>, %to: memref<4xf32, strided<[2]>>) {
  // CHECK-NEXT: memref.copy
  memref.copy %from, %to : memref<*xf32> to memref<4xf32, strided<[2]>>
  return
}
