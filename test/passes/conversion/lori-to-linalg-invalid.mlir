// RUN: lori-opt %s --split-input-file --verify-diagnostics --convert-lori-to-linalg

func.func @a_conversion_when_the_program_runs(%w: tensor<4x8xf16>) -> tensor<4x8xf32> {
  // expected-error @below {{failed to legalize operation 'lori.convert' that was explicitly marked illegal}}
  %0 = lori.convert %w : tensor<4x8xf16> to tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

func.func @a_fusion_when_the_program_runs(%w: tensor<4x8xf16>, %a: tensor<2x8xf32>, %b: tensor<4x2xf32>, %s: f32) -> tensor<4x8xf32> {
  // expected-error @below {{failed to legalize operation 'lori.fuse' that was explicitly marked illegal}}
  %0 = lori.fuse %w, %a, %b scale(%s) : (tensor<4x8xf16>, tensor<2x8xf32>, tensor<4x2xf32>, f32) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
