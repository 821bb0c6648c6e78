// RUN: lori-opt %s --verify-diagnostics --lori-fuse-adapters=type=q8_0

// expected-error @below {{expected a fused type of f32, f16, bf16 or base, found 'q8_0'}}
module {
}
