// RUN: lori-opt %s --verify-diagnostics --lori-erase-params

lori.param @w : tensor<4x8xf32> from <"base", "w", []>
func.func @a_parameter_that_is_still_read() -> tensor<4x8xf32> {
  // expected-error @below {{expected @w to name a parameter}}
  %w = lori.get_param @w : tensor<4x8xf32>
  return %w : tensor<4x8xf32>
}
