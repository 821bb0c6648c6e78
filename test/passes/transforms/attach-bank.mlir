// RUN: lori-opt %s --lori-attach-bank --split-input-file | FileCheck %s
// RUN: lori-opt %s --lori-attach-bank --lori-attach-bank --split-input-file | FileCheck %s

// A stack that is read in two runs is one site; sites count layers from the
// first of all.
// CHECK: lori.adapter_bank @loaded sites [
// CHECK-SAME: #lori.site<"model.layers.*.mlp.up_proj", 64, 96, 3>,
// CHECK-SAME: #lori.site<"lm_head", 96, 64, 0>]
lori.param @first : tensor<2x96x64xf16> from <"base", "model.layers.*.mlp.up_proj.weight", [0, 1]>
lori.param @last : tensor<1x96x64xf32> from <"base", "model.layers.*.mlp.up_proj.weight", [2]>
lori.param @table : tensor<64x96xf32> from <"base", "model.embed_tokens.weight", []>

// CHECK-LABEL: func @projections
func.func @projections(%x: tensor<?x64xf32>, %layer: index) -> tensor<?x64xf32> {
  %w0 = lori.get_param @first[%layer] : tensor<96x64xf16>
  // CHECK: %[[Y0:.+]] = lm.linear %[[X:.+]], %{{.+}} :
  // CHECK: lori.adapt_routed %[[Y0]], %[[X]], @loaded site(0) [%[[LAYER:.+]]] :
  %0 = lm.linear %x, %w0 : (tensor<?x64xf32>, tensor<96x64xf16>) -> tensor<?x96xf32>
  %w1 = lori.get_param @last[%layer] : tensor<96x64xf32>
  // CHECK: %[[Y1:.+]] = lm.linear
  // CHECK: %[[TWO:.+]] = arith.constant 2 : index
  // CHECK: %[[GLOBAL:.+]] = arith.addi %{{.+}}, %[[TWO]]
  // CHECK: lori.adapt_routed %[[Y1]], %{{.+}}, @loaded site(0) [%[[GLOBAL]]] :
  %1 = lm.linear %x, %w1 : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  %2 = arith.addf %0, %1 : tensor<?x96xf32>
  // A tied output projection is the module lm_head.
  // CHECK: %[[Y2:.+]] = lm.linear
  // CHECK: %[[R2:.+]] = lori.adapt_routed %[[Y2]], %{{.+}}, @loaded site(1) :
  %table = lori.get_param @table : tensor<64x96xf32>
  %3 = lm.linear %2, %table : (tensor<?x96xf32>, tensor<64x96xf32>) -> tensor<?x64xf32>
  // CHECK: return %[[R2]]
  return %3 : tensor<?x64xf32>
}

// -----

// Weights that no file of the base holds cannot be updated.
// CHECK-NOT: lori.adapter_bank
// CHECK-LABEL: func @other_weights
func.func @other_weights(%x: tensor<?x64xf32>) -> tensor<?x64xf32> {
  %h = lori.hadamard : tensor<64x64xf32>
  // CHECK-NOT: lori.adapt_routed
  %0 = lm.linear %x, %h : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
  return %0 : tensor<?x64xf32>
}

// -----

// Layers that differ in shape are no site; adapters that update them stay refused.
// CHECK: lori.adapter_bank @loaded sites [#lori.site<"lm_head", 64, 96, 0>]
lori.param @narrow : tensor<1x48x64xf32> from <"base", "layers.*.up.weight", [0]>
lori.param @wide : tensor<2x96x64xf32> from <"base", "layers.*.up.weight", [1, 2]>
lori.param @head : tensor<96x64xf32> from <"base", "lm_head.weight", []>

// CHECK-LABEL: func @layers_of_two_widths
func.func @layers_of_two_widths(%x: tensor<?x64xf32>, %layer: index)
    -> (tensor<?x48xf32>, tensor<?x96xf32>, tensor<?x96xf32>) {
  %w0 = lori.get_param @narrow[%layer] : tensor<48x64xf32>
  %w1 = lori.get_param @wide[%layer] : tensor<96x64xf32>
  %w2 = lori.get_param @head : tensor<96x64xf32>
  // CHECK: %[[Y0:.+]] = lm.linear
  %0 = lm.linear %x, %w0 : (tensor<?x64xf32>, tensor<48x64xf32>) -> tensor<?x48xf32>
  // CHECK: %[[Y1:.+]] = lm.linear
  %1 = lm.linear %x, %w1 : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  // CHECK: %[[Y2:.+]] = lm.linear
  // CHECK: %[[R2:.+]] = lori.adapt_routed %[[Y2]], %{{.+}}, @loaded site(0) :
  %2 = lm.linear %x, %w2 : (tensor<?x64xf32>, tensor<96x64xf32>) -> tensor<?x96xf32>
  // CHECK: return %[[Y0]], %[[Y1]], %[[R2]]
  return %0, %1, %2 : tensor<?x48xf32>, tensor<?x96xf32>, tensor<?x96xf32>
}
