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

// -----

func.func @adapt_c4_input(%y: tensor<2x8xf32>, %x: tensor<3x4xf32>, %a: tensor<2x4xf32>, %b: tensor<8x2xf32>, %s: f32) {
  // expected-error @below {{expected the base ('tensor<2x8xf32>') and 'tensor<3x4xf32>' to agree in rows}}
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<2x8xf32>, tensor<3x4xf32>, tensor<2x4xf32>, tensor<8x2xf32>, f32) -> tensor<2x8xf32>
  return
}

// -----

func.func @adapt_c4_weights(%y: tensor<2x8xf32>, %x: tensor<?x4xf32>, %a: tensor<2x4xf32>, %b: tensor<8x2xf32>, %s: f32, %w: tensor<3xf32>) {
  // expected-error @below {{expected the base ('tensor<2x8xf32>') and 'tensor<3xf32>' to agree in rows}}
  %0 = lori.adapt %y, %x, %a, %b scale(%s) weights(%w) : (tensor<2x8xf32>, tensor<?x4xf32>, tensor<2x4xf32>, tensor<8x2xf32>, f32, tensor<3xf32>) -> tensor<2x8xf32>
  return
}

// -----

func.func @adapt_by_integers(%y: tensor<?x8xf32>, %x: tensor<?x4xf32>, %a: tensor<2x4xi8>, %b: tensor<8x2xf32>, %s: f32) {
  // expected-error @below {{operand #2 must be static matrix of f32, f16, bf16 or whole blocks}}
  %0 = lori.adapt %y, %x, %a, %b scale(%s) : (tensor<?x8xf32>, tensor<?x4xf32>, tensor<2x4xi8>, tensor<8x2xf32>, f32) -> tensor<?x8xf32>
  return
}

// -----

func.func @mask_of_another_shape(%b: tensor<4x2xf32>, %m: tensor<2x4xi1>) {
  // expected-note @above {{prior use here}}
  // expected-error @below {{expects different type than prior uses: 'tensor<4x2xi1>' vs 'tensor<2x4xi1>'}}
  %0 = lori.mask %b, %m : tensor<4x2xf32>
  return
}

// -----

func.func @fuse_c1(%w: tensor<8x4xf32>, %a: tensor<2x5xf32>, %b: tensor<8x2xf32>, %s: f32) {
  // expected-error @below {{expected A's columns (5) to equal the weight's columns (4)}}
  %0 = lori.fuse %w, %a, %b scale(%s) : (tensor<8x4xf32>, tensor<2x5xf32>, tensor<8x2xf32>, f32) -> tensor<8x4xf32>
  return
}

// -----

func.func @fuse_c2(%w: tensor<8x4xf32>, %a: tensor<2x4xf32>, %b: tensor<7x2xf32>, %s: f32) {
  // expected-error @below {{expected B's rows (7) to equal the weight's rows (8)}}
  %0 = lori.fuse %w, %a, %b scale(%s) : (tensor<8x4xf32>, tensor<2x4xf32>, tensor<7x2xf32>, f32) -> tensor<8x4xf32>
  return
}

// -----

func.func @fuse_c3(%w: tensor<8x4xf32>, %a: tensor<2x4xf32>, %b: tensor<8x3xf32>, %s: f32) {
  // expected-error @below {{expected A's rows (2) to equal B's columns (3)}}
  %0 = lori.fuse %w, %a, %b scale(%s) : (tensor<8x4xf32>, tensor<2x4xf32>, tensor<8x3xf32>, f32) -> tensor<8x4xf32>
  return
}

// -----

// expected-error @below {{expected a type that can be stored: f32, f16, bf16 or whole blocks in a static shape, found 'tensor<?x4xf32>'}}
lori.param @param_c1_shape : tensor<?x4xf32> from <"base", "w", []>

// -----

// expected-error @below {{found 'tensor<4x31x!lori.quant<q8_0>>'}}
lori.param @param_c1_blocks : tensor<4x31x!lori.quant<q8_0>> from <"base", "w", []>

// -----

// expected-error @below {{found 'tensor<!lori.quant<q8_0>>'}}
lori.param @param_c1_scalar : tensor<!lori.quant<q8_0>> from <"base", "w", []>

// -----

// expected-error @below {{found 'tensor<4x4xi32>'}}
lori.param @param_c1_integers : tensor<4x4xi32> from <"base", "w", []>

// -----

// expected-error @below {{expected a stack of vectors or matrices, found 'tensor<2xf32>'}}
lori.param @param_c2_scalars : tensor<2xf32> from <"base", "layers.*.w", [0, 1]>

// -----

// expected-error @below {{expected a stack of vectors or matrices, found 'tensor<2x16xf32, #lori.panels<16>>'}}
lori.param @param_c2_panels : tensor<2x16xf32, #lori.panels<16>> from <"base", "layers.*.w", [0, 1]>

// -----

// expected-error @below {{expected layers if and only if the name (layers.*.w) has a '*'}}
lori.param @source_without_layers : tensor<3x4xf32> from <"base", "layers.*.w", []>

// -----

// expected-error @below {{expected layer numbers of at least -1}}
lori.param @source_layers : tensor<2x4xf32> from <"base", "layers.*.w", [0, -2]>

// -----

// expected-error @below {{expected a positive number of rows, found 0}}
func.func private @panels_without_rows(tensor<4x4xf32, #lori.panels<0>>)

// -----

// expected-error @below {{expected a matrix or a stack of matrices in panels}}
func.func private @panels_of_a_vector(tensor<4xf32, #lori.panels<16>>)

// -----

// expected-error @below {{expected no argument, or one of index type}}
lori.derived_param @derived_param_c1 : tensor<2x4xf32> {
^bb0(%layer: i32):
  %w = lori.get_param @w : tensor<4xf32>
  lori.yield %w : tensor<4xf32>
}
lori.param @w : tensor<4xf32> from <"base", "w", []>

// -----

// expected-error @below {{expected the initializer to yield 'tensor<4xf32>', found 'tensor<2x4xf32>'}}
lori.derived_param @derived_param_c2 : tensor<2x4xf32> {
^bb0(%layer: index):
  %w = lori.get_param @w : tensor<2x4xf32>
  lori.yield %w : tensor<2x4xf32>
}
lori.param @w : tensor<2x4xf32> from <"base", "w", []>

// -----

// expected-error @below {{expected the initializer to yield one value}}
lori.derived_param @derived_param_c2_without_value : tensor<4xf32> {
  lori.yield
}

// -----

// expected-error @below {{expected a type that can be stored: f32, f16, bf16 or whole blocks in a static shape, found 'tensor<?xf32>'}}
lori.derived_param @derived_param_c3 : tensor<?xf32> {
  %n = arith.constant 4 : index
  %w = tensor.empty(%n) : tensor<?xf32>
  lori.yield %w : tensor<?xf32>
}

// -----

lori.param @w : tensor<2x4x4xf32> from <"base", "layers.*.w", [0, 1]>
func.func @get_param_c2_with_layer(%layer: index) {
  // expected-error @below {{expected a layer index if and only if @v is stacked}}
  %0 = lori.get_param @v[%layer] : tensor<4xf32>
  return
}
lori.param @v : tensor<4xf32> from <"base", "v", []>

// -----

lori.param @w : tensor<2x4x4xf32> from <"base", "layers.*.w", [0, 1]>
func.func @get_param_c3(%layer: index) {
  // expected-error @below {{expected a result of type 'tensor<4x4xf32>', found 'tensor<2x4x4xf32>'}}
  %0 = lori.get_param @w[%layer] : tensor<2x4x4xf32>
  return
}

// -----

lori.param @b : tensor<4x2xf32> from <"tiny", "b", []>
// expected-error @below {{expected @a to name a parameter}}
lori.adapter @adapter_c1 weight(1.0) [#lori.module<"w", @a, @b, [2.0]>]

// -----

lori.param @a : tensor<2x2x4xf32> from <"tiny", "layers.*.a", [0, 1]>
lori.param @b : tensor<2x4x2xf32> from <"tiny", "layers.*.b", [0, 1]>
// expected-error @below {{expected one scale or one for each of 2 layers of "layers.*.w", found 3}}
lori.adapter @adapter_c2 weight(1.0) [#lori.module<"layers.*.w", @a, @b, [2.0, 2.0, 2.0]>]

// -----

lori.param @w : tensor<4xf32> from <"base", "w", []>
func.func @adapter_weights_c1() {
  // expected-error @below {{expected @w to name an adapter}}
  %0 = lori.adapter_weights @w : tensor<?xf32>
  return
}

// -----

func.func @convert_c1_shape(%w: tensor<4x4xf32>) {
  // expected-error @below {{expected types of one shape and without encoding, found 'tensor<4x4xf32>' and 'tensor<4x5xf16>'}}
  %0 = lori.convert %w : tensor<4x4xf32> to tensor<4x5xf16>
  return
}

// -----

func.func @convert_c1_encoding(%w: tensor<4x4xf32, #lori.panels<16>>) {
  // expected-error @below {{expected types of one shape and without encoding}}
  %0 = lori.convert %w : tensor<4x4xf32, #lori.panels<16>> to tensor<4x4xf16, #lori.panels<16>>
  return
}

// -----

func.func @convert_c2(%w: tensor<4x256xf32>) {
  // expected-error @below {{expected a result of floats, q8_0, q4_0 or q4_1, found 'tensor<4x256x!lori.quant<q4_k>>'}}
  %0 = lori.convert %w : tensor<4x256xf32> to tensor<4x256x!lori.quant<q4_k>>
  return
}

// -----

func.func @convert_to_broken_blocks(%w: tensor<4x48xf32>) {
  // expected-error @below {{result #0 must be static tensor of f32, f16, bf16 or whole blocks}}
  %0 = lori.convert %w : tensor<4x48xf32> to tensor<4x48x!lori.quant<q8_0>>
  return
}

// -----

func.func @deinterleave_rows_without_heads(%w: tensor<4x4xf32>) {
  // expected-error @below {{attribute 'heads' failed to satisfy constraint: 64-bit signless integer attribute whose value is positive}}
  %0 = lori.deinterleave_rows %w heads(0) : tensor<4x4xf32>
  return
}

// -----

func.func @deinterleave_rows_of_a_scalar(%w: tensor<f32>) {
  // expected-error @below {{operand #0 must be static tensor of f32, f16, bf16 or whole blocks}}
  %0 = lori.deinterleave_rows %w heads(1) : tensor<f32>
  return
}

// -----

func.func @pack_c1_type(%w: tensor<4x4xf32>) {
  // expected-error @below {{to agree in shape and element type}}
  %0 = lori.pack %w : tensor<4x4xf32> to tensor<4x4xf16, #lori.panels<16>>
  return
}

// -----

func.func @pack_c1_twice(%w: tensor<4x4xf32, #lori.panels<8>>) {
  // expected-error @below {{to agree in shape and element type}}
  %0 = lori.pack %w : tensor<4x4xf32, #lori.panels<8>> to tensor<4x4xf32, #lori.panels<16>>
  return
}

// -----

func.func @storage_of_a_scalar(%w: tensor<!lori.quant<q8_0>>) {
  // expected-error @below {{operand #0 must be tensor of f32, f16, bf16 or whole blocks}}
  %0 = lori.storage %w : tensor<!lori.quant<q8_0>> to tensor<34xi8>
  return
}

// -----

lori.adapter_bank @loaded sites [#lori.site<"lm_head", 64, 96, 0>, #lori.site<"model.layers.*.mlp.up_proj", 64, 96, 2>]

func.func @adapt_routed_c1_bank(%y: tensor<?x96xf32>, %x: tensor<?x64xf32>, %l: index) -> tensor<?x96xf32> {
  // expected-error @below {{expected a lori.adapter_bank called 'other'}}
  %0 = lori.adapt_routed %y, %x, @other site(0) : (tensor<?x96xf32>, tensor<?x64xf32>) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// -----

lori.adapter_bank @loaded sites [#lori.site<"lm_head", 64, 96, 0>, #lori.site<"model.layers.*.mlp.up_proj", 64, 96, 2>]

func.func @adapt_routed_c1_site(%y: tensor<?x96xf32>, %x: tensor<?x64xf32>, %l: index) -> tensor<?x96xf32> {
  // expected-error @below {{expected a site below 2, found 2}}
  %0 = lori.adapt_routed %y, %x, @loaded site(2) : (tensor<?x96xf32>, tensor<?x64xf32>) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// -----

lori.adapter_bank @loaded sites [#lori.site<"lm_head", 64, 96, 0>, #lori.site<"model.layers.*.mlp.up_proj", 64, 96, 2>]

func.func @adapt_routed_c2(%y: tensor<?x96xf32>, %x: tensor<?x64xf32>, %l: index) -> tensor<?x96xf32> {
  // expected-error @below {{expected an input of 64 and a base of 96 columns, found 96 and 96}}
  %0 = lori.adapt_routed %y, %y, @loaded site(0) : (tensor<?x96xf32>, tensor<?x96xf32>) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// -----

lori.adapter_bank @loaded sites [#lori.site<"lm_head", 64, 96, 0>, #lori.site<"model.layers.*.mlp.up_proj", 64, 96, 2>]

func.func @adapt_routed_c3_layer(%y: tensor<?x96xf32>, %x: tensor<?x64xf32>, %l: index) -> tensor<?x96xf32> {
  // expected-error @below {{expected a layer for a site in the layers, and only there}}
  %0 = lori.adapt_routed %y, %x, @loaded site(0)[%l] : (tensor<?x96xf32>, tensor<?x64xf32>, index) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// -----

lori.adapter_bank @loaded sites [#lori.site<"lm_head", 64, 96, 0>, #lori.site<"model.layers.*.mlp.up_proj", 64, 96, 2>]

func.func @adapt_routed_c3_no_layer(%y: tensor<?x96xf32>, %x: tensor<?x64xf32>, %l: index) -> tensor<?x96xf32> {
  // expected-error @below {{expected a layer for a site in the layers, and only there}}
  %0 = lori.adapt_routed %y, %x, @loaded site(1) : (tensor<?x96xf32>, tensor<?x64xf32>) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// -----

func.func @fuse_c5(%w: tensor<8x32xf32>, %a: tensor<2x32xf32>, %b: tensor<8x2xf32>, %s: f32) {
  // expected-error @below {{expected floats where the update is rounded, found 'tensor<8x32x!lori.quant<q8_0>>'}}
  %0 = lori.fuse %w, %a, %b scale(%s) rounded_update : (tensor<8x32xf32>, tensor<2x32xf32>, tensor<8x2xf32>, f32) -> tensor<8x32x!lori.quant<q8_0>>
  return
}

// -----

func.func @rounding_error_c1(%a: tensor<8x4xf16>, %b: tensor<8x5xf32>) {
  // expected-error @below {{expected the rounded matrix ('tensor<8x4xf16>') to have the exact one's shape ('tensor<8x5xf32>')}}
  %0 = lori.rounding_error %a, %b : (tensor<8x4xf16>, tensor<8x5xf32>) -> tensor<1xf32>
  return
}

// -----

func.func @rounding_error_c2(%a: tensor<8x4xf16>, %b: tensor<8x4xf32>) {
  // expected-error @below {{expected one error, found 'tensor<2xf32>'}}
  %0 = lori.rounding_error %a, %b : (tensor<8x4xf16>, tensor<8x4xf32>) -> tensor<2xf32>
  return
}

// -----

// expected-error @below {{expected 'lori.files' to be an array of #lori.file}}
module attributes {lori.files = "base"} {}

// -----

// expected-error @below {{expected 'lori.files' to name "base" once}}
module attributes {lori.files = [#lori.file<"base", "a", "">, #lori.file<"base", "b", "">]} {}

// -----

// expected-error @below {{expected a name and a path}}
module attributes {lori.files = [#lori.file<"base", "", "">]} {}

// -----

// expected-error @below {{expected 'lori.context' to be a positive i64, found 0 : i64}}
module attributes {lori.context = 0 : i64} {}

// -----

// expected-error @below {{expected 'lori.resolved' without a value}}
module attributes {lori.resolved = true} {}

// -----

// expected-error @below {{expected 'lori.resolved' on a module only}}
func.func private @elsewhere() attributes {lori.resolved}
