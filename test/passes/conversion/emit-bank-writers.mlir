// RUN: lori-opt %s --lori-emit-bank-writers --split-input-file | FileCheck %s

lori.adapter_bank @loaded sites [#lori.site<"lm_head", 64, 96, 0>] panels(16)

// CHECK-LABEL: func @lori_write_f32
// CHECK-SAME: (%[[ROWS:.+]]: index, %[[COLUMNS:.+]]: index, %[[PADDED_ROWS:.+]]: index, %[[PADDED_COLUMNS:.+]]: index,
// CHECK-SAME: %[[FROM:.+]]: memref<{{[0-9]+}}xf32> {llvm.noalias}, %[[TO:.+]]: memref<{{[0-9]+}}xf32> {llvm.noalias})
// CHECK-SAME: llvm.bareptr
// CHECK: scf.for %[[ROW:.+]] = %{{.+}} to %[[PADDED_ROWS]]
// CHECK: scf.for %[[COLUMN:.+]] = %{{.+}} to %[[PADDED_COLUMNS]]
// CHECK: %[[STORED:.+]] = arith.andi
// CHECK: %[[READ:.+]] = memref.load %[[FROM]]
// CHECK: %[[VALUE:.+]] = arith.select %[[STORED]], %[[READ]]
// CHECK: arith.divui %[[ROW]], %c16
// CHECK: memref.store %[[VALUE]], %[[TO]]
// CHECK-LABEL: func @lori_write_f16
// CHECK: arith.extf %{{.+}} : f16 to f32
// CHECK-LABEL: func @lori_write_bf16

// -----

// CHECK-NOT: func @lori_write
func.func @no_bank() {
  return
}
