// RUN: lori-opt %s --split-input-file --verify-diagnostics

func.func @frozen_projection_c1() {
  // expected-error @below {{expected a static shape, found 'tensor<?x4xf32>'}}
  %0 = lori.frozen_projection seed(1) init(normal) : tensor<?x4xf32>
  return
}

// -----

func.func @adapt_c1(%y: tensor<?x8xf32>, %x: tensor<?x4xf32>, %a: tensor<2x5xf32>, %b: tensor<8x2xf32>, %s: f32) {
  // expected-error @below {{expected A's columns (5) to equal the input's columns (4)}}
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<2x5xf32>, tensor<8x2xf32>, f32) -> tensor<?x8xf32>
  return
}

// -----

func.func @adapt_c2(%y: tensor<?x8xf32>, %x: tensor<?x4xf32>, %a: tensor<2x4xf32>, %b: tensor<9x2xf32>, %s: f32) {
  // expected-error @below {{expected B's rows (9) to equal the base's columns (8)}}
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<2x4xf32>, tensor<9x2xf32>, f32) -> tensor<?x8xf32>
  return
}

// -----

func.func @adapt_c3(%y: tensor<?x8xf32>, %x: tensor<?x4xf32>, %a: tensor<2x4xf32>, %b: tensor<8x3xf32>, %s: f32) {
  // expected-error @below {{expected A's rows (2) to equal B's columns (3)}}
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<2x4xf32>, tensor<8x3xf32>, f32) -> tensor<?x8xf32>
  return
}

// -----

func.func @fuse_c4(%w: tensor<8x4xf32>, %a: tensor<2x4xf32>, %b: tensor<8x2xf32>, %s: f32) {
  // expected-error @below {{to have the weight's shape}}
  %0 = lori.fuse %w, %a, %b scale(%s) : (tensor<8x4xf32>, tensor<2x4xf32>, tensor<8x2xf32>, f32) -> tensor<8x5xf32>
  return
}

// -----

// expected-error @below {{expected the leading dimension (3) to equal the number of layers (2)}}
lori.param @param_c2 : tensor<3x4xf32> from <"base", "layers.*.w", [0, 1]>

// -----

// expected-error @below {{expected layers if and only if the name (w) has a '*'}}
lori.param @source : tensor<3x4xf32> from <"base", "w", [0, 1]>

// -----

lori.param @w : tensor<2x4x4xf32> from <"base", "layers.*.w", [0, 1]>
func.func @get_param_c2() {
  // expected-error @below {{expected a layer index if and only if @w is stacked}}
  %0 = lori.get_param @w : tensor<4x4xf32>
  return
}

// -----

func.func @get_param_c1() {
  // expected-error @below {{expected @none to name a parameter}}
  %0 = lori.get_param @none : tensor<4x4xf32>
  return
}

// -----

func.func @pack_c1(%w: tensor<4x4xf32>) {
  // expected-error @below {{to agree in shape and element type}}
  %0 = lori.pack %w : tensor<4x4xf32> to tensor<4x4xf32>
  return
}

// -----

func.func @storage_c1(%w: tensor<4x32x!lori.quant<q8_0>>) {
  // expected-error @below {{expected the stored form 'tensor<4x1x34xi8>', found 'tensor<4x32xi8>'}}
  %0 = lori.storage %w : tensor<4x32x!lori.quant<q8_0>> to tensor<4x32xi8>
  return
}

// -----

func.func @deinterleave_rows_c1(%w: tensor<6x4xf32>) {
  // expected-error @below {{expected the rows (6) to be a multiple of twice the heads (4)}}
  %0 = lori.deinterleave_rows %w heads(2) : tensor<6x4xf32>
  return
}

// -----

func.func @hadamard_c1_square() {
  // expected-error @below {{expected a square whose size is a power of two, found 'tensor<64x32xf32>'}}
  %h = lori.hadamard : tensor<64x32xf32>
  return
}

// -----

func.func @hadamard_c1_power() {
  // expected-error @below {{expected a square whose size is a power of two, found 'tensor<96x96xf32>'}}
  %h = lori.hadamard : tensor<96x96xf32>
  return
}
