// RUN: lori-opt %s --verify-diagnostics --lori-convert-weights=type=q4_k

// The K formats are read, but never written.
// expected-error @below {{expected a weight type of auto, f32, f16, bf16, q8_0, q4_0 or q4_1, found 'q4_k'}}
module {
}
