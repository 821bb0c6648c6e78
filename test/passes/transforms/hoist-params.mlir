// RUN: lori-opt %s --split-input-file --lori-hoist-params | FileCheck %s
// RUN: lori-opt %s --split-input-file --lori-hoist-params --lori-hoist-params | FileCheck %s

lori.param @w : tensor<2x20x64xf16> from <"base", "layers.*.w", [0, 1]>
lori.param @head : tensor<20x64xf16> from <"base", "head", []>
// CHECK: lori.derived_param @[[$LAYERS:.+]] : tensor<2x20x64xf16, #lori.panels<16>> {
// CHECK-NEXT: ^bb0(%[[LAYER:.+]]: index):
// CHECK-NEXT: %[[W:.+]] = lori.get_param @w[%[[LAYER]]]
// CHECK-NEXT: %[[P:.+]] = lori.pack %[[W]]
// CHECK-NEXT: lori.yield %[[P]]
// CHECK: lori.derived_param @[[$HEAD:.+]] : tensor<20x64xf16, #lori.panels<16>> {
// CHECK-NEXT: lori.get_param @head
// CHECK-NEXT: lori.pack
// CHECK-NEXT: lori.yield

// CHECK-LABEL: func @one_stack_and_one_matrix
func.func @one_stack_and_one_matrix(%x: tensor<?x64xf32>) -> tensor<?x20xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %y = tensor.empty(%one) : tensor<?x20xf32>
  // CHECK: scf.for %[[I:[^ ]+]] =
  %0 = scf.for %i = %zero to %two step %one iter_args(%h = %y) -> tensor<?x20xf32> {
    // CHECK-NOT: lori.pack
    // CHECK: %[[P:.+]] = lori.get_param @[[$LAYERS]][%[[I]]] : tensor<20x64xf16, #lori.panels<16>>
    // CHECK: lm.linear %{{.+}}, %[[P]]
    %w = lori.get_param @w[%i] : tensor<20x64xf16>
    %p = lori.pack %w : tensor<20x64xf16> to tensor<20x64xf16, #lori.panels<16>>
    %z = lm.linear %x, %p : (tensor<?x64xf32>, tensor<20x64xf16, #lori.panels<16>>) -> tensor<?x20xf32>
    scf.yield %z : tensor<?x20xf32>
  }
  // CHECK: %[[P:.+]] = lori.get_param @[[$HEAD]] : tensor<20x64xf16, #lori.panels<16>>
  // CHECK-NOT: lori.pack
  // CHECK: lm.linear %{{.+}}, %[[P]]
  %w = lori.get_param @head : tensor<20x64xf16>
  %p = lori.pack %w : tensor<20x64xf16> to tensor<20x64xf16, #lori.panels<16>>
  %z = lm.linear %x, %p : (tensor<?x64xf32>, tensor<20x64xf16, #lori.panels<16>>) -> tensor<?x20xf32>
  return %z : tensor<?x20xf32>
}

// -----

lori.param @w : tensor<2x4x64xf16> from <"base", "layers.*.w", [1, 2]>
lori.param @a : tensor<3x2x64xf32> from <"tiny", "layers.*.a", [0, 1, 2]>
lori.param @b : tensor<3x4x2xf32> from <"tiny", "layers.*.b", [0, 1, 2]>

// The whole expression moves, with the scale and the layer it is made of.
// CHECK: lori.derived_param @derived : tensor<2x4x64xf32> {
// CHECK-NEXT: ^bb0(%[[LAYER:.+]]: index):
// CHECK: %[[NEXT:.+]] = arith.addi %[[LAYER]], %{{.+}} : index
// CHECK: %[[SCALE:.+]] = tensor.extract %{{.+}}[%[[NEXT]]]
// CHECK: %[[FUSED:.+]] = lori.fuse {{.*}} scale(%[[SCALE]])
// CHECK-NEXT: lori.yield %[[FUSED]]
// CHECK-NOT: lori.derived_param

// CHECK-LABEL: func @the_longest_expression
func.func @the_longest_expression(%x: tensor<?x64xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %scales = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  // CHECK: scf.for %[[I:[^ ]+]] =
  // CHECK-NOT: lori.fuse
  // CHECK: %[[FUSED:.+]] = lori.get_param @derived[%[[I]]]
  // CHECK-NEXT: lm.linear %{{.+}}, %[[FUSED]] :
  %0 = scf.for %i = %zero to %two step %one iter_args(%h = %y) -> tensor<?x4xf32> {
    %layer = arith.addi %i, %one : index
    %w = lori.get_param @w[%i] : tensor<4x64xf16>
    %a = lori.get_param @a[%layer] : tensor<2x64xf32>
    %b = lori.get_param @b[%layer] : tensor<4x2xf32>
    %s = tensor.extract %scales[%layer] : tensor<3xf32>
    %f = lori.fuse %w, %a, %b scale(%s) : (tensor<4x64xf16>, tensor<2x64xf32>, tensor<4x2xf32>, f32) -> tensor<4x64xf32>
    %z = lm.linear %x, %f : (tensor<?x64xf32>, tensor<4x64xf32>) -> tensor<?x4xf32>
    scf.yield %z : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<4x64xf16> from <"base", "w", []>
lori.param @a : tensor<2x64xf32> from <"tiny", "a", []>
lori.param @b : tensor<4x2xf32> from <"tiny", "b", []>

// The parameters are those of all layers, and yet each has a value of its own.
// CHECK: lori.derived_param @derived : tensor<2x4x64xf32>
// CHECK-LABEL: func @a_scale_that_differs_by_layer
func.func @a_scale_that_differs_by_layer(%x: tensor<?x64xf32>, %y: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %scales = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %w = lori.get_param @w : tensor<4x64xf16>
  %a = lori.get_param @a : tensor<2x64xf32>
  %b = lori.get_param @b : tensor<4x2xf32>
  // CHECK: scf.for %[[I:[^ ]+]] =
  // CHECK-NOT: lori.fuse
  // CHECK: lori.get_param @derived[%[[I]]]
  %0 = scf.for %i = %zero to %two step %one iter_args(%h = %y) -> tensor<?x4xf32> {
    %s = tensor.extract %scales[%i] : tensor<2xf32>
    %f = lori.fuse %w, %a, %b scale(%s) : (tensor<4x64xf16>, tensor<2x64xf32>, tensor<4x2xf32>, f32) -> tensor<4x64xf32>
    %z = lm.linear %x, %f : (tensor<?x64xf32>, tensor<4x64xf32>) -> tensor<?x4xf32>
    scf.yield %z : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// -----

lori.param @w : tensor<4x64xf16> from <"base", "w", []>

// CHECK-NOT: lori.derived_param
// CHECK-LABEL: func @parameters_as_they_are_stored_stay
func.func @parameters_as_they_are_stored_stay(%x: tensor<?x64xf32>) -> tensor<?x4xf32> {
  // CHECK-NEXT: lori.get_param @w
  // CHECK-NEXT: lm.linear
  %w = lori.get_param @w : tensor<4x64xf16>
  %y = lm.linear %x, %w : (tensor<?x64xf32>, tensor<4x64xf16>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// -----

// The layers of a frozen projection differ in their streams.
// CHECK: lori.derived_param @derived : tensor<2x2x64xf32> {
// CHECK-NEXT: ^bb0(%[[LAYER:.+]]: index):
// CHECK: %[[STREAM:.+]] = tensor.extract %{{.+}}[%[[LAYER]]] : tensor<2xi64>
// CHECK: lori.frozen_projection seed(42) stream(%[[STREAM]]) init(kaiming_uniform)
// CHECK-LABEL: func @frozen_projections_of_layers
func.func @frozen_projections_of_layers(%y: tensor<?x4xf32>, %x: tensor<?x64xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  %streams = arith.constant dense<[3, 4]> : tensor<2xi64>
  %begin = arith.constant 0 : index
  %end = arith.constant 2 : index
  %step = arith.constant 1 : index
  // CHECK: scf.for %[[I:[^ ]+]] =
  // CHECK: lori.get_param @derived[%[[I]]] : tensor<2x64xf32>
  // CHECK-NOT: lori.frozen_projection
  %0 = scf.for %layer = %begin to %end step %step iter_args(%sum = %y) -> tensor<?x4xf32> {
    %stream = tensor.extract %streams[%layer] : tensor<2xi64>
    %a = lori.frozen_projection seed(42) stream(%stream) init(kaiming_uniform) : tensor<2x64xf32>
    %1 = lori.adapt %sum, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x64xf32>, tensor<2x64xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
    scf.yield %1 : tensor<?x4xf32>
  }
  return %0 : tensor<?x4xf32>
}

// A stream that only the running program knows is none of a parameter.
// CHECK-LABEL: func @a_stream_of_the_program
// CHECK-NEXT: lori.frozen_projection
func.func @a_stream_of_the_program(%stream: i64) -> tensor<2x64xf32> {
  %a = lori.frozen_projection seed(42) stream(%stream) init(normal) : tensor<2x64xf32>
  return %a : tensor<2x64xf32>
}

// CHECK: lori.derived_param @derived_0 : tensor<2x64xf32> {
// CHECK-NEXT: lori.frozen_projection seed(42) init(kaiming_uniform)
// CHECK-LABEL: func @a_frozen_projection(
func.func @a_frozen_projection(%y: tensor<?x4xf32>, %x: tensor<?x64xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<?x4xf32> {
  // CHECK-NEXT: %[[PARAM:.+]] = lori.get_param @derived_0 : tensor<2x64xf32>
  // CHECK-NEXT: lori.adapt %{{.+}}, %{{.+}}, %[[PARAM]],
  %a = lori.frozen_projection seed(42) init(kaiming_uniform) : tensor<2x64xf32>
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x4xf32>, tensor<?x64xf32>, tensor<2x64xf32>, tensor<4x2xf32>, f32) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @an_expression_of_activations_stays
func.func @an_expression_of_activations_stays(%w: tensor<4x64xf16>) -> tensor<4x64xf32> {
  // CHECK-NEXT: lori.convert %arg0
  %0 = lori.convert %w : tensor<4x64xf16> to tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}

// -----

lori.param @w : tensor<2x4x64xf16> from <"base", "layers.*.w", [0, 1]>

// CHECK-NOT: lori.derived_param
// CHECK-LABEL: func @a_layer_that_the_program_chooses
func.func @a_layer_that_the_program_chooses(%layer: index) -> tensor<4x64xf32> {
  // CHECK: lori.convert
  %w = lori.get_param @w[%layer] : tensor<4x64xf16>
  %0 = lori.convert %w : tensor<4x64xf16> to tensor<4x64xf32>
  return %0 : tensor<4x64xf32>
}
