// RUN: lori-opt %s --split-input-file --verify-diagnostics --lori-bind-step

// No step at all.
// expected-error @below {{expected a function @step as ModelBuilder makes it: (tokens, positions, sequences, output rows, pages, keys, values) -> (logits, keys, values)}}
module {
}

// -----

// A declaration has no body.
// expected-error @below {{expected a function @step as ModelBuilder makes it: (tokens, positions, sequences, output rows, pages, keys, values) -> (logits, keys, values)}}
module {
  func.func private @step(tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
      -> (tensor<?x4xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
}

// -----

// Too few arguments.
// expected-error @below {{expected a function @step as ModelBuilder makes it: (tokens, positions, sequences, output rows, pages, keys, values) -> (logits, keys, values)}}
module {
  func.func private @step(tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>)
      -> (tensor<?x4xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
}

// -----

// Tokens of another type.
// expected-error @below {{expected a function @step as ModelBuilder makes it: (tokens, positions, sequences, output rows, pages, keys, values) -> (logits, keys, values)}}
module {
  func.func private @step(tensor<?xi64>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
      -> (tensor<?x4xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
}

// -----

// A page table of unknown size.
// expected-error @below {{expected a function @step as ModelBuilder makes it: (tokens, positions, sequences, output rows, pages, keys, values) -> (logits, keys, values)}}
module {
  func.func private @step(tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?x2xi32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
      -> (tensor<?x4xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
}

// -----

// Logits of unknown columns.
// expected-error @below {{expected a function @step as ModelBuilder makes it: (tokens, positions, sequences, output rows, pages, keys, values) -> (logits, keys, values)}}
module {
  func.func private @step(tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
      -> (tensor<?x?xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
}

// -----

// Another cache comes out than went in.
// expected-error @below {{expected a function @step as ModelBuilder makes it: (tokens, positions, sequences, output rows, pages, keys, values) -> (logits, keys, values)}}
module {
  func.func private @step(tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>)
      -> (tensor<?x4xf32>, tensor<8x2x1x16x2xf16>, tensor<8x2x1x2x16xf16>)
}

// -----

lori.param @w : tensor<8x32x!lori.quant<q8_0>> from <"base", "w", []>
func.func @step(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %outputs: tensor<?xi32>,
    %pages: tensor<4x2xi32>, %keys: tensor<8x2x1x2x16xf16>, %values: tensor<8x2x1x16x2xf16>)
    -> (tensor<?x32xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>) {
  // expected-error @below {{expected its users to read the storage of 'tensor<8x32x!lori.quant<q8_0>>'; lower them to linalg first}}
  %w = lori.get_param @w : tensor<8x32x!lori.quant<q8_0>>
  %x = lm.embedding %w, %tokens : (tensor<8x32x!lori.quant<q8_0>>, tensor<?xi32>) -> tensor<?x32xf32>
  return %x, %keys, %values : tensor<?x32xf32>, tensor<8x2x1x2x16xf16>, tensor<8x2x1x16x2xf16>
}
