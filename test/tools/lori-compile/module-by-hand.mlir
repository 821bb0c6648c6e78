// A model written by hand, with a safetensors file and no checkpoint: one layer
// that hands its attention on. It runs on token ids.
//
// RUN: rm -rf %t && mkdir %t && cp %s %t/by-hand.mlir && cd %t && %tiny-model model m && mv m/model.safetensors weights.safetensors
// RUN: %tiny-model adapter a --modules v_proj && mv a/adapter_model.safetensors factors.safetensors
// RUN: lori-compile by-hand.mlir -o p --quiet
// RUN: ./p --tokens 3,14,15 -n 4 --ignore-eos --print-tokens | FileCheck %s --check-prefix=TOKENS
// TOKENS: {{^[0-9]+,[0-9]+,[0-9]+,[0-9]+$}}
// RUN: ./p --info | FileCheck %s --check-prefix=INFO
// INFO: "name": "by-hand"
// INFO: "adapters": [{{.*}}"name":"task"
// RUN: lori-compile by-hand.mlir -o q --quiet --pipeline=reference
// RUN: ./p --tokens 3,14,15 -n 0 --logits p.npy --adapter task && ./q --tokens 3,14,15 -n 0 --logits q.npy --adapter task
// RUN: %tiny-model compare p.npy q.npy --within 1e-4
//
// Its adapter is a choice of the command line's still.
//
// RUN: lori-compile by-hand.mlir -o f --quiet --mode=fuse && ./f --tokens 3,14,15 -n 0 --logits f.npy
// RUN: %tiny-model compare p.npy f.npy --within 1e-4
// RUN: ./q --tokens 3,14,15 -n 0 --logits q.npy && %tiny-model compare p.npy q.npy --beyond 1e-3
//
// RUN: not ./p -p text 2>&1 | FileCheck %s --check-prefix=TEXT
// TEXT: error: -p: {{.*}}--tokens
// RUN: rm weights.safetensors && not lori-compile by-hand.mlir -o p 2>&1 | FileCheck %s --check-prefix=GONE
// GONE: lori-compile: error: by-hand.mlir: takes 'base' from weights.safetensors, which does not exist

!cache = tensor<16777216x1x2x16x16xf32>

module attributes {lori.files = [
    #lori.file<"base", "weights.safetensors", "">,
    #lori.file<"task", "factors.safetensors", "">]} {
  lori.param @embed : tensor<80x64xf32> from <"base", "model.embed_tokens.weight", []>
  lori.param @q : tensor<1x64x64xf32> from <"base", "model.layers.*.self_attn.q_proj.weight", [1]>
  lori.param @k : tensor<1x32x64xf32> from <"base", "model.layers.*.self_attn.k_proj.weight", [1]>
  lori.param @v : tensor<1x32x64xf32> from <"base", "model.layers.*.self_attn.v_proj.weight", [1]>
  lori.param @head : tensor<80x64xf32> from <"base", "lm_head.weight", []>
  lori.param @a : tensor<2x4x64xf32> from <"task", "base_model.model.model.layers.*.self_attn.v_proj.lora_A.weight", [0, 1]>
  lori.param @b : tensor<2x32x4xf32> from <"task", "base_model.model.model.layers.*.self_attn.v_proj.lora_B.weight", [0, 1]>
  lori.adapter @task weight(1.0) [
    #lori.module<"model.layers.*.self_attn.v_proj.weight", @a, @b, [2.0]>]

  func.func @step(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>,
                  %outputs: tensor<?xi32>, %pages: tensor<4x2xi32>,
                  %keys: !cache, %values: !cache)
      -> (tensor<?x80xf32>, !cache, !cache) {
    %zero = arith.constant 0 : index
    %one = arith.constant 1 : index
    %e = lori.get_param @embed : tensor<80x64xf32>
    %x = lm.embedding %e, %tokens : (tensor<80x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
    %r:3 = scf.for %i = %zero to %one step %one iter_args(%h = %x, %ks = %keys, %vs = %values)
        -> (tensor<?x64xf32>, !cache, !cache) {
      %wq = lori.get_param @q[%i] : tensor<64x64xf32>
      %wk = lori.get_param @k[%i] : tensor<32x64xf32>
      %wv = lori.get_param @v[%i] : tensor<32x64xf32>
      %q = lm.linear %h, %wq : (tensor<?x64xf32>, tensor<64x64xf32>) -> tensor<?x64xf32>
      %k = lm.linear %h, %wk : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
      %v = lm.linear %h, %wv : (tensor<?x64xf32>, tensor<32x64xf32>) -> tensor<?x32xf32>
      %nk, %nv = lm.cache_append %ks, %vs[%zero], %k, %v at(%positions, %sequences, %pages)
        : (!cache, !cache, index, tensor<?x32xf32>, tensor<?x32xf32>, tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>)
        -> (!cache, !cache)
      %y = lm.attention %q, %nk, %nv[%zero] at(%positions, %sequences, %pages) window(%zero) scale(2.5e-01)
        : (tensor<?x64xf32>, !cache, !cache, index, tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>, index)
        -> tensor<?x64xf32>
      %s = arith.addf %h, %y : tensor<?x64xf32>
      scf.yield %s, %nk, %nv : tensor<?x64xf32>, !cache, !cache
    }
    %sel = lm.select_rows %r#0, %outputs : (tensor<?x64xf32>, tensor<?xi32>) -> tensor<?x64xf32>
    %wh = lori.get_param @head : tensor<80x64xf32>
    %logits = lm.linear %sel, %wh : (tensor<?x64xf32>, tensor<80x64xf32>) -> tensor<?x80xf32>
    return %logits, %r#1, %r#2 : tensor<?x80xf32>, !cache, !cache
  }
}
