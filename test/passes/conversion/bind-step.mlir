// RUN: lori-opt %s --allow-unregistered-dialect --lori-bind-step | FileCheck %s

// Offsets are multiples of 64 in the order of first use; those of an earlier
// run, and of parameters that are no longer read, do not count.
// CHECK-DAG: lori.param @unused : tensor<64xf32> from <"base", "unused", []>{{$}}
// CHECK-DAG: lori.param @norm : tensor<3xf32> from <"base", "norm", []> at 512{{$}}
// CHECK-DAG: lori.param @stack : tensor<2x3x4xf32> from <"base", "layers.*.w", [0, 1]> at 576{{$}}
// CHECK-DAG: lori.derived_param @panels : tensor<8x8xf32, #lori.panels<16>> at 0 {
lori.param @unused : tensor<64xf32> from <"base", "unused", []> at 64
lori.param @norm : tensor<3xf32> from <"base", "norm", []> at 0
lori.param @stack : tensor<2x3x4xf32> from <"base", "layers.*.w", [0, 1]>
lori.param @w : tensor<8x8xf32> from <"base", "w", []>
lori.derived_param @panels : tensor<8x8xf32, #lori.panels<16>> {
  %w = lori.get_param @w : tensor<8x8xf32>
  %p = lori.pack %w : tensor<8x8xf32> to tensor<8x8xf32, #lori.panels<16>>
  lori.yield %p : tensor<8x8xf32, #lori.panels<16>>
}
lori.param @a : tensor<2x4xf32> from <"tiny", "a", []>
lori.adapter @one weight(1.0) [#lori.module<"w", @a, @a, [1.0]>]
lori.adapter @two weight(1.0) [#lori.module<"w", @a, @a, [1.0]>]

// The arguments of runtime/engine/StepAbi.h: rows, outputs, tokens, positions,
// sequences, output rows, adapter scales, pages, parameters, keys, values, logits.
// CHECK-LABEL: func.func @lori_step
// CHECK-SAME: (%[[ROWS:[^ ]+]]: index, %[[OUTPUTS:[^ ]+]]: index,
// CHECK-SAME: %[[TOKENS:[^ ]+]]: memref<16777216xi32> {llvm.noalias}, %[[POSITIONS:[^ ]+]]: memref<16777216xi32> {llvm.noalias},
// CHECK-SAME: %[[SEQUENCES:[^ ]+]]: memref<16777216xi32> {llvm.noalias}, %{{[^ ]+}}: memref<16777216xi32> {llvm.noalias},
// CHECK-SAME: %[[SCALES:[^ ]+]]: memref<16777216x2xf32> {llvm.noalias}, %[[PAGES:[^ ]+]]: memref<4x2xi32> {llvm.noalias},
// CHECK-SAME: %[[PARAMS:[^ ]+]]: memref<704xi8> {llvm.noalias},
// CHECK-SAME: %[[KEYS:[^ ]+]]: memref<8x2x1x2x16xf16> {llvm.noalias}, %[[VALUES:[^ ]+]]: memref<8x2x1x16x2xf16> {llvm.noalias},
// CHECK-SAME: %[[LOGITS:[^ ]+]]: memref<16777216x4xf32> {llvm.noalias}) attributes {llvm.bareptr}
func.func @step(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %outputs: tensor<?xi32>,
    %pages: tensor<4x2xi32>, %keys: tensor<8x2x1x2x16xf16>, %values: tensor<8x2x1x16x2xf16>)
    -> (tensor<?x4xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>) {
  // CHECK-DAG: memref.subview %[[TOKENS]][0] [%[[ROWS]]] [1]
  // CHECK-DAG: bufferization.to_tensor %[[PAGES]] restrict :
  // CHECK-DAG: %[[K:.+]] = bufferization.to_tensor %[[KEYS]] restrict writable
  // CHECK-DAG: %[[V:.+]] = bufferization.to_tensor %[[VALUES]] restrict writable
  // CHECK-DAG: memref.subview %[[SCALES]][0, 0] [%[[ROWS]], 2] [1, 1]
  // CHECK: %[[COLUMN:.+]] = tensor.extract_slice %{{.+}}[0, 1] [%[[ROWS]], 1] [1, 1] : tensor<?x2xf32> to tensor<?xf32>
  // CHECK: memref.view %[[PARAMS]][%{{.+}}][] : memref<704xi8> to memref<1x8x16xf32>
  // CHECK: %[[STACK:.+]] = bufferization.to_tensor {{.*}} to tensor<2x3x4xf32>
  %p = lori.get_param @panels : tensor<8x8xf32, #lori.panels<16>>
  %storage = lori.storage %p : tensor<8x8xf32, #lori.panels<16>> to tensor<1x8x16xf32>
  %g = lori.get_param @norm : tensor<3xf32>
  // CHECK: "test.use"(%{{.+}}) : (tensor<1x8x16xf32>)
  "test.use"(%storage) : (tensor<1x8x16xf32>) -> ()
  "test.use"(%g) : (tensor<3xf32>) -> ()
  // CHECK: "test.use"(%[[COLUMN]])
  %s = lori.adapter_weights @two : tensor<?xf32>
  "test.use"(%s) : (tensor<?xf32>) -> ()
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  // CHECK: scf.for %[[I:[^ ]+]] =
  scf.for %i = %zero to %two step %one {
    // CHECK: tensor.extract_slice %[[STACK]][%[[I]], 0, 0] [1, 3, 4] [1, 1, 1] : tensor<2x3x4xf32> to tensor<3x4xf32>
    %w = lori.get_param @stack[%i] : tensor<3x4xf32>
    "test.use"(%w) : (tensor<3x4xf32>) -> ()
  }
  // CHECK: %[[RESULT:.+]] = "test.logits"
  // CHECK: %[[OUT:.+]] = memref.subview %[[LOGITS]][0, 0] [%[[OUTPUTS]], 4] [1, 1]
  // CHECK: bufferization.materialize_in_destination %[[RESULT]] in restrict writable %[[OUT]]
  // CHECK: bufferization.materialize_in_destination %[[K]] in restrict writable %[[KEYS]]
  // CHECK: bufferization.materialize_in_destination %[[V]] in restrict writable %[[VALUES]]
  // CHECK: return{{$}}
  %logits = "test.logits"(%tokens) : (tensor<?xi32>) -> tensor<?x4xf32>
  return %logits, %keys, %values : tensor<?x4xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>
}
// CHECK-NOT: @step
