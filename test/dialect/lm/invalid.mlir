// RUN: lori-opt %s --split-input-file --verify-diagnostics

func.func @embedding_c1(%t: tensor<8x4xf32>, %i: tensor<?xi32>) {
  // expected-error @below {{expected the result's columns (5) to equal the source's columns (4)}}
  %0 = lm.embedding %t, %i : (tensor<8x4xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  return
}

// -----

func.func @embedding_c2(%t: tensor<8x4xf32>, %i: tensor<3xi32>) {
  // expected-error @below {{expected the result ('tensor<?x4xf32>') to have the rows of 'tensor<3xi32>'}}
  %0 = lm.embedding %t, %i : (tensor<8x4xf32>, tensor<3xi32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @embedding_of_integers(%t: tensor<8x4xi8>, %i: tensor<?xi32>) {
  // expected-error @below {{operand #0 must be static matrix of f32, f16, bf16 or whole blocks}}
  %0 = lm.embedding %t, %i : (tensor<8x4xi8>, tensor<?xi32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @embedding_of_broken_blocks(%t: tensor<8x33x!lori.quant<q8_0>>, %i: tensor<?xi32>) {
  // expected-error @below {{operand #0 must be static matrix of f32, f16, bf16 or whole blocks}}
  %0 = lm.embedding %t, %i : (tensor<8x33x!lori.quant<q8_0>>, tensor<?xi32>) -> tensor<?x33xf32>
  return
}

// -----

func.func @embedding_of_unknown_size(%t: tensor<?x4xf32>, %i: tensor<?xi32>) {
  // expected-error @below {{operand #0 must be static matrix of f32, f16, bf16 or whole blocks}}
  %0 = lm.embedding %t, %i : (tensor<?x4xf32>, tensor<?xi32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @embedding_of_an_unknown_encoding(%t: tensor<8x4xf32, "columns">, %i: tensor<?xi32>) {
  // expected-error @below {{operand #0 must be static matrix of f32, f16, bf16 or whole blocks}}
  %0 = lm.embedding %t, %i : (tensor<8x4xf32, "columns">, tensor<?xi32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @select_rows_c1(%x: tensor<?x4xf32>, %r: tensor<?xi32>) {
  // expected-error @below {{expected the result's columns (5) to equal the source's columns (4)}}
  %0 = lm.select_rows %x, %r : (tensor<?x4xf32>, tensor<?xi32>) -> tensor<?x5xf32>
  return
}

// -----

func.func @select_rows_c2(%x: tensor<?x4xf32>, %r: tensor<?xi32>) {
  // expected-error @below {{expected the result ('tensor<2x4xf32>') to have the rows of 'tensor<?xi32>'}}
  %0 = lm.select_rows %x, %r : (tensor<?x4xf32>, tensor<?xi32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @select_rows_of_unknown_columns(%x: tensor<?x?xf32>, %r: tensor<?xi32>) {
  // expected-error @below {{operand #0 must be 2D tensor (static but for the rows)}}
  %0 = lm.select_rows %x, %r : (tensor<?x?xf32>, tensor<?xi32>) -> tensor<?x?xf32>
  return
}

// -----

func.func @rms_norm_c1(%x: tensor<?x6xf32>, %g: tensor<4xf32>) {
  // expected-error @below {{expected the columns (6) to be a multiple of the weight's entries (4)}}
  %0 = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x6xf32>, tensor<4xf32>
  return
}

// -----

func.func @rms_norm_c1_without_entries(%x: tensor<?x6xf32>, %g: tensor<0xf32>) {
  // expected-error @below {{expected the columns (6) to be a multiple of the weight's entries (0)}}
  %0 = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x6xf32>, tensor<0xf32>
  return
}

// -----

func.func @rms_norm_by_a_weight_of_unknown_size(%x: tensor<?x6xf32>, %g: tensor<?xf32>) {
  // expected-error @below {{operand #1 must be 1D static tensor}}
  %0 = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x6xf32>, tensor<?xf32>
  return
}

// -----

func.func @rms_norm_in_another_type(%x: tensor<?x6xf32>, %g: tensor<6xf64>) {
  // expected-error @below {{operand #1 must be 1D static tensor}}
  %0 = lm.rms_norm %x, %g epsilon(1.0e-5) : tensor<?x6xf32>, tensor<6xf64>
  return
}

// -----

func.func @linear_c1(%x: tensor<?x8xf32>, %w: tensor<4x7xf32>) {
  // expected-error @below {{expected the weight's columns (7) to equal the input's columns (8)}}
  %0 = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x7xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @linear_c2(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>) {
  // expected-error @below {{expected the weight's rows (4) to equal the result's columns (5)}}
  %0 = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<?x5xf32>
  return
}

// -----

func.func @linear_c3(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>, %b: tensor<8xf32>) {
  // expected-error @below {{expected the bias's entries (8) to equal the result's columns (4)}}
  %0 = lm.linear %x, %w bias(%b) : (tensor<?x8xf32>, tensor<4x8xf32>, tensor<8xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @linear_c4(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>, %r: tensor<?x8xf32>) {
  // expected-error @below {{expected the residual ('tensor<?x8xf32>') to have the result's type ('tensor<?x4xf32>')}}
  %0 = lm.linear %x, %w residual(%r) : (tensor<?x8xf32>, tensor<4x8xf32>, tensor<?x8xf32>) -> tensor<?x4xf32>
  return
}

// -----

func.func @linear_c5(%x: tensor<?x8xf32>, %w: tensor<4x8xf32>) {
  // expected-error @below {{expected the result ('tensor<2x4xf32>') to have the rows of 'tensor<?x8xf32>'}}
  %0 = lm.linear %x, %w : (tensor<?x8xf32>, tensor<4x8xf32>) -> tensor<2x4xf32>
  return
}

// -----

func.func @linear_with_broken_blocks(%x: tensor<?x48xf32>, %w: tensor<4x48x!lori.quant<q4_0>>) {
  // expected-error @below {{operand #1 must be static matrix of f32, f16, bf16 or whole blocks}}
  %0 = lm.linear %x, %w : (tensor<?x48xf32>, tensor<4x48x!lori.quant<q4_0>>) -> tensor<?x4xf32>
  return
}

// -----

func.func @gated_activation_of_two_shapes(%g: tensor<?x8xf32>, %u: tensor<?x4xf32>) {
  // expected-note @above {{prior use here}}
  // expected-error @below {{expects different type than prior uses: 'tensor<?x8xf32>' vs 'tensor<?x4xf32>'}}
  %0 = lm.gated_activation %g, %u : tensor<?x8xf32>
  return
}

// -----

func.func @rotary_table_c1(%p: tensor<?xi32>) {
  // expected-error @below {{expected a result of 'tensor<?x2x2xf32>', found 'tensor<?x2x3xf32>'}}
  %0 = lm.rotary_table %p frequencies([1.0, 0.5]) : (tensor<?xi32>) -> tensor<?x2x3xf32>
  return
}

// -----

func.func @rotary_table_c2(%p: tensor<?xi32>) {
  // expected-error @below {{expected at least one frequency}}
  %0 = lm.rotary_table %p frequencies([]) : (tensor<?xi32>) -> tensor<?x2x0xf32>
  return
}

// -----

func.func @rope_c1(%x: tensor<?x12xf32>, %t: tensor<?x2x4xf32>) {
  // expected-error @below {{expected the columns (12) to be a multiple of the head's entries (8)}}
  %0 = lm.rope %x, %t : tensor<?x12xf32>, tensor<?x2x4xf32>
  return
}

// -----

func.func @rope_c2(%x: tensor<?x8xf32>, %t: tensor<?x3x4xf32>) {
  // expected-error @below {{expected a table of a cosine and a sine for each pair, found 'tensor<?x3x4xf32>'}}
  %0 = lm.rope %x, %t : tensor<?x8xf32>, tensor<?x3x4xf32>
  return
}

// -----

func.func @rope_c2_without_pairs(%x: tensor<?x8xf32>, %t: tensor<?x2x0xf32>) {
  // expected-error @below {{expected a table of a cosine and a sine for each pair, found 'tensor<?x2x0xf32>'}}
  %0 = lm.rope %x, %t : tensor<?x8xf32>, tensor<?x2x0xf32>
  return
}

// -----

func.func @rope_c3(%x: tensor<2x8xf32>, %t: tensor<3x2x4xf32>) {
  // expected-error @below {{expected 'tensor<2x8xf32>' and 'tensor<3x2x4xf32>' to agree in rows}}
  %0 = lm.rope %x, %t : tensor<2x8xf32>, tensor<3x2x4xf32>
  return
}

// -----

func.func @rope_by_a_table_of_unknown_size(%x: tensor<?x8xf32>, %t: tensor<?x2x?xf32>) {
  // expected-error @below {{operand #1 must be 3D tensor (static but for the rows)}}
  %0 = lm.rope %x, %t : tensor<?x8xf32>, tensor<?x2x?xf32>
  return
}

// -----

func.func @cache_append_c1_page(%keys: tensor<8x2x2x4x8xf16>, %values: tensor<8x2x2x8x4xf16>, %layer: index, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{expected keys [page, layer, head, head_dim, 16] and values [page, layer, head, 16, head_dim] that agree, found 'tensor<8x2x2x4x8xf16>' and 'tensor<8x2x2x8x4xf16>'}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x4x8xf16>, tensor<8x2x2x8x4xf16>, index, tensor<?x8xf32>, tensor<?x8xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<8x2x2x4x8xf16>, tensor<8x2x2x8x4xf16>)
  return
}

// -----

func.func @cache_append_c1_order(%keys: tensor<8x2x2x16x4xf16>, %values: tensor<8x2x2x16x4xf16>, %layer: index, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{that agree, found 'tensor<8x2x2x16x4xf16>' and 'tensor<8x2x2x16x4xf16>'}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x16x4xf16>, tensor<8x2x2x16x4xf16>, index, tensor<?x8xf32>, tensor<?x8xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<8x2x2x16x4xf16>, tensor<8x2x2x16x4xf16>)
  return
}

// -----

func.func @cache_append_c1_type(%keys: tensor<8x2x2x4x16xf32>, %values: tensor<8x2x2x16x4xf16>, %layer: index, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{that agree, found 'tensor<8x2x2x4x16xf32>' and 'tensor<8x2x2x16x4xf16>'}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x4x16xf32>, tensor<8x2x2x16x4xf16>, index, tensor<?x8xf32>, tensor<?x8xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<8x2x2x4x16xf32>, tensor<8x2x2x16x4xf16>)
  return
}

// -----

func.func @cache_append_c1_heads(%keys: tensor<8x2x0x4x16xf16>, %values: tensor<8x2x0x16x4xf16>, %layer: index, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{expected caches with entries, found 'tensor<8x2x0x16x4xf16>'}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x0x4x16xf16>, tensor<8x2x0x16x4xf16>, index, tensor<?x8xf32>, tensor<?x8xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<8x2x0x4x16xf16>, tensor<8x2x0x16x4xf16>)
  return
}

// -----

func.func @cache_append_c2_k(%keys: tensor<8x2x2x4x16xf16>, %values: tensor<8x2x2x16x4xf16>, %layer: index, %k: tensor<?x6xf32>, %v: tensor<?x8xf32>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{expected rows of 8 entries, found 6}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>, index, tensor<?x6xf32>, tensor<?x8xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>)
  return
}

// -----

func.func @cache_append_c2_v(%keys: tensor<8x2x2x4x16xf16>, %values: tensor<8x2x2x16x4xf16>, %layer: index, %k: tensor<?x8xf32>, %v: tensor<?x4xf32>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{expected rows of 8 entries, found 4}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>, index, tensor<?x8xf32>, tensor<?x4xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>)
  return
}

// -----

func.func @cache_append_c3(%keys: tensor<8x2x2x4x16xf16>, %values: tensor<8x2x2x16x4xf16>, %layer: index, %k: tensor<3x8xf32>, %v: tensor<?x8xf32>,
    %positions: tensor<2xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{expected 'tensor<3x8xf32>' and 'tensor<2xi32>' to agree in rows}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>, index, tensor<3x8xf32>, tensor<?x8xf32>,
       tensor<2xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>)
  return
}

// -----

func.func @cache_append_to_another_cache(%keys: tensor<8x2x2x4x16xf16>, %values: tensor<8x2x2x16x4xf16>, %layer: index, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{failed to verify that all of {keys, new_keys} have same type}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>, index, tensor<?x8xf32>, tensor<?x8xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<9x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>)
  return
}

// -----

func.func @cache_append_to_pages_of_unknown_number(%keys: tensor<?x2x2x4x16xf16>, %values: tensor<?x2x2x16x4xf16>, %layer: index, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>) {
  // expected-error @below {{operand #0 must be cache of keys or values}}
  %0:2 = lm.cache_append %keys, %values[%layer], %k, %v at(%positions, %sequences, %pages)
    : (tensor<?x2x2x4x16xf16>, tensor<?x2x2x16x4xf16>, index, tensor<?x8xf32>, tensor<?x8xf32>,
       tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<?x2x2x4x16xf16>, tensor<?x2x2x16x4xf16>)
  return
}

// -----

func.func @attention_c1(%q: tensor<?x12xf32>, %keys: tensor<8x2x2x4x16xf16>, %values: tensor<8x2x2x16x4xf16>, %layer: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>, %window: index) {
  // expected-error @below {{expected the query's columns (12) to be a multiple of 8}}
  %0 = lm.attention %q, %keys, %values[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.5)
    : (tensor<?x12xf32>, tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>, index, tensor<?xi32>,
       tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x12xf32>
  return
}

// -----

func.func @attention_c2(%q: tensor<?x16xf32>, %keys: tensor<8x2x2x4x16xf16>, %values: tensor<8x3x2x16x4xf16>, %layer: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>, %window: index) {
  // expected-error @below {{that agree, found 'tensor<8x2x2x4x16xf16>' and 'tensor<8x3x2x16x4xf16>'}}
  %0 = lm.attention %q, %keys, %values[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.5)
    : (tensor<?x16xf32>, tensor<8x2x2x4x16xf16>, tensor<8x3x2x16x4xf16>, index, tensor<?xi32>,
       tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x16xf32>
  return
}

// -----

func.func @attention_c2_head_dim(%q: tensor<?x16xf32>, %keys: tensor<8x2x2x0x16xf16>, %values: tensor<8x2x2x16x0xf16>, %layer: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>, %window: index) {
  // expected-error @below {{expected caches with entries, found 'tensor<8x2x2x16x0xf16>'}}
  %0 = lm.attention %q, %keys, %values[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.5)
    : (tensor<?x16xf32>, tensor<8x2x2x0x16xf16>, tensor<8x2x2x16x0xf16>, index, tensor<?xi32>,
       tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x16xf32>
  return
}

// -----

func.func @attention_c3(%q: tensor<3x16xf32>, %keys: tensor<8x2x2x4x16xf16>, %values: tensor<8x2x2x16x4xf16>, %layer: index,
    %positions: tensor<?xi32>, %sequences: tensor<4xi32>, %pages: tensor<4x2xi32>, %window: index) {
  // expected-error @below {{expected 'tensor<3x16xf32>' and 'tensor<4xi32>' to agree in rows}}
  %0 = lm.attention %q, %keys, %values[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.5)
    : (tensor<3x16xf32>, tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>, index, tensor<?xi32>,
       tensor<4xi32>, tensor<4x2xi32>, index) -> tensor<3x16xf32>
  return
}

// -----

func.func @attention_of_other_columns(%q: tensor<?x16xf32>, %keys: tensor<8x2x2x4x16xf16>, %values: tensor<8x2x2x16x4xf16>, %layer: index,
    %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %pages: tensor<4x2xi32>, %window: index) {
  // expected-error @below {{failed to verify that all of {q, result} have same type}}
  %0 = lm.attention %q, %keys, %values[%layer] at(%positions, %sequences, %pages) window(%window) scale(0.5)
    : (tensor<?x16xf32>, tensor<8x2x2x4x16xf16>, tensor<8x2x2x16x4xf16>, index, tensor<?xi32>,
       tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x8xf32>
  return
}
