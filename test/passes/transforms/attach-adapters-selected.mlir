// RUN: lori-opt %s --lori-attach-adapters --lori-attach-bank | FileCheck %s

// The rows of the output projection are some of the batch's: weights are those
// rows' weights, and a loaded adapter counts its rows among them.
lori.param @head : tensor<40x8xf32> from <"base", "lm_head.weight", []>
lori.param @up : tensor<8x8xf32> from <"base", "up.weight", []>
lori.param @a : tensor<2x8xf32> from <"tiny", "lm_head.a", []>
lori.param @b : tensor<40x2xf32> from <"tiny", "lm_head.b", []>
lori.adapter @tiny weight(1.0) [#lori.module<"lm_head.weight", @a, @b, [2.0]>]

// CHECK-LABEL: func @output
// CHECK-SAME: %[[X:.+]]: tensor<?x8xf32>, %[[ROWS:.+]]: tensor<?xi32>
func.func @output(%x: tensor<?x8xf32>, %rows: tensor<?xi32>, %norm: tensor<8xf32>) -> tensor<?x40xf32> {
  // CHECK: %[[ALL:.+]] = lori.adapter_weights @tiny
  // CHECK: lori.adapt_routed %{{.+}}, %{{.+}}, @loaded site(0) :
  %up = lori.get_param @up : tensor<8x8xf32>
  %h = lm.linear %x, %up : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32>
  %y = lm.select_rows %h, %rows : (tensor<?x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  %n = lm.rms_norm %y, %norm epsilon(1.0e-05) : tensor<?x8xf32>, tensor<8xf32>
  %w = lori.get_param @head : tensor<40x8xf32>
  // CHECK: %[[COLUMN:.+]] = tensor.expand_shape %[[ALL]]
  // CHECK: %[[SELECTED:.+]] = lm.select_rows %[[COLUMN]], %[[ROWS]]
  // CHECK: %[[WEIGHTS:.+]] = tensor.collapse_shape %[[SELECTED]]
  // CHECK: %[[Y:.+]] = lori.adapt {{.+}} weights(%[[WEIGHTS]])
  // CHECK: lori.adapt_routed %[[Y]], %{{.+}}, @loaded site(1) selected :
  %0 = lm.linear %n, %w : (tensor<?x8xf32>, tensor<40x8xf32>) -> tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}
