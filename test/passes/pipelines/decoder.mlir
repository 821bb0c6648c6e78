// A decoder of two layers with one adapter, from the model graph to LLVM.

// RUN: lori-opt %s --lori-model | FileCheck %s --check-prefix=MODEL
// RUN: lori-opt %s --lori-model="live=false fuse-type=f16 weights-type=bf16" \
// RUN:   | FileCheck %s --check-prefix=FUSED --implicit-check-not='= lori.adapt %'
// RUN: lori-opt %s --lori-model --lori-lowering -o %t.lowered
// RUN: FileCheck %s --check-prefix=LOWERED --implicit-check-not='= lm.' < %t.lowered
// RUN: lori-opt %s --lori-model --lori-lowering=panel-rows=0 \
// RUN:   | FileCheck %s --check-prefix=PLAIN --implicit-check-not='#lori.panels'
// RUN: lori-opt %t.lowered --lori-erase-params --lori-bufferize -o %t.buffers
// RUN: FileCheck %s --check-prefix=BUFFERS --implicit-check-not=lori. --implicit-check-not=tensor. \
// RUN:   --implicit-check-not=memref.copy '--implicit-check-not=memref.alloc{{.*}}f16' < %t.buffers
// RUN: lori-opt %t.buffers --lori-reference-codegen \
// RUN:   | FileCheck %s --check-prefix=LLVM '--implicit-check-not={{ (arith|func|linalg|math|memref|scf|vector)[.]}}'

// Without an adapter that rows choose, the update is part of the weight.
// RUN: lori-opt %s --pass-pipeline='builtin.module(lori-model{live=false},lori-lowering,lori-erase-params,lori-bufferize,lori-reference-codegen)' \
// RUN:   | FileCheck %s --check-prefix=LLVM

lori.param @table : tensor<40x8xf16> from <"base", "embed.weight", []>
lori.param @norm : tensor<2x8xf32> from <"base", "layers.*.norm.weight", [0, 1]>
lori.param @q : tensor<2x8x8xf16> from <"base", "layers.*.q.weight", [0, 1]>
lori.param @k : tensor<2x4x8xf16> from <"base", "layers.*.k.weight", [0, 1]>
lori.param @v : tensor<2x4x8xf16> from <"base", "layers.*.v.weight", [0, 1]>
lori.param @o : tensor<2x8x8xf16> from <"base", "layers.*.o.weight", [0, 1]>
lori.param @gate : tensor<2x32x8xf16> from <"base", "layers.*.gate.weight", [0, 1]>
lori.param @up : tensor<2x32x8xf16> from <"base", "layers.*.up.weight", [0, 1]>
lori.param @down : tensor<2x8x32xf16> from <"base", "layers.*.down.weight", [0, 1]>
lori.param @a : tensor<2x2x32xf32> from <"tiny", "layers.*.down.a", [0, 1]>
lori.param @b : tensor<2x8x2xf32> from <"tiny", "layers.*.down.b", [0, 1]>
lori.adapter @tiny weight(0.5) [#lori.module<"layers.*.down.weight", @a, @b, [2.0]>]

// The residual stream needs no addition, and the updates of adapters neither.
// MODEL-LABEL: func.func @step
// MODEL: %[[WEIGHTS:.+]] = lori.adapter_weights @tiny
// MODEL: scf.for %{{.+}} iter_args(%[[H:[^ ]+]] =
// MODEL: %[[H1:.+]] = lm.linear {{.*}} residual(%[[H]])
// MODEL: %[[R1:.+]] = lori.adapt_routed %[[H1]],
// MODEL: %[[H2:.+]] = lm.linear {{.*}} residual(%[[R1]])
// MODEL: %[[H3:.+]] = lori.adapt %[[H2]], {{.*}} weights(%[[WEIGHTS]])
// MODEL: %[[R3:.+]] = lori.adapt_routed %[[H3]],
// MODEL: scf.yield %[[R3]],
// MODEL-NOT: arith.addf

// FUSED-LABEL: func.func @step
// FUSED: %[[TABLE:.+]] = lori.convert %{{.+}} : tensor<40x8xf16> to tensor<40x8xbf16>
// FUSED: lm.embedding %[[TABLE]],
// FUSED: %[[DOWN:.+]] = lori.fuse {{.*}} -> tensor<8x32xf16>
// FUSED: lm.linear %{{.+}}, %[[DOWN]] residual
// FUSED: lm.linear %{{.+}}, %[[TABLE]] :

// Each weight is stored in panels, one piece a layer; equal shapes share a function.
// LOWERED: lori.derived_param @{{.+}} : tensor<40x8xf16, #lori.panels<16>> evaluator(@init.0) at 0 {
// LOWERED-COUNT-9: lori.derived_param @{{.+}} : tensor<2x{{.+}}, #lori.panels<16>> evaluator(@init.{{[0-9]}}) at {{[0-9]+}} {
// LOWERED-LABEL: func.func @lori_step
// LOWERED: scf.for {{.*}} -> (tensor<?x8xf32>, tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>)
// LOWERED: scf.forall
// LOWERED: scf.if
// LOWERED-NOT: scf.for {{.*}} -> (tensor<?x8xf32>, tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>)
// LOWERED: func.func @init.0

// Plain matrices are read from where the checkpoint's bytes are copied to.
// PLAIN: lori.param @table : {{.*}} at 0
// PLAIN-LABEL: func.func @lori_step
// PLAIN: memref.view %{{.+}} to memref<2x8x32xf16>

// BUFFERS-LABEL: func.func @lori_step
// BUFFERS: scf.for %{{.+}} = %c0 to %c2 step %c1 {
// BUFFERS-NOT: scf.for %{{.+}} = %c0 to %c2 step %c1 {
// BUFFERS: func.func @init.0

// LLVM: llvm.func @lori_step(%arg0: i64, %arg1: i64, %arg2: !llvm.ptr {llvm.noalias}
// LLVM: llvm.func @init.0(%arg0: i64, %arg1: !llvm.ptr

func.func @step(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>, %outputs: tensor<?xi32>,
    %pages: tensor<4x2xi32>, %keys: tensor<8x2x1x4x16xf16>, %values: tensor<8x2x1x16x4xf16>)
    -> (tensor<?x40xf32>, tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>) {
  %zero = arith.constant 0 : index
  %one = arith.constant 1 : index
  %two = arith.constant 2 : index
  %table = lori.get_param @table : tensor<40x8xf16>
  %x = lm.embedding %table, %tokens : (tensor<40x8xf16>, tensor<?xi32>) -> tensor<?x8xf32>
  %angles = lm.rotary_table %positions frequencies([1.0, 0.1]) : (tensor<?xi32>) -> tensor<?x2x2xf32>
  %y:3 = scf.for %i = %zero to %two step %one iter_args(%h = %x, %k0 = %keys, %v0 = %values)
      -> (tensor<?x8xf32>, tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>) {
    %norm = lori.get_param @norm[%i] : tensor<8xf32>
    %wq = lori.get_param @q[%i] : tensor<8x8xf16>
    %wk = lori.get_param @k[%i] : tensor<4x8xf16>
    %wv = lori.get_param @v[%i] : tensor<4x8xf16>
    %wo = lori.get_param @o[%i] : tensor<8x8xf16>
    %wg = lori.get_param @gate[%i] : tensor<32x8xf16>
    %wu = lori.get_param @up[%i] : tensor<32x8xf16>
    %wd = lori.get_param @down[%i] : tensor<8x32xf16>
    %n = lm.rms_norm %h, %norm epsilon(1.0e-5) : tensor<?x8xf32>, tensor<8xf32>
    %q = lm.linear %n, %wq : (tensor<?x8xf32>, tensor<8x8xf16>) -> tensor<?x8xf32>
    %k = lm.linear %n, %wk : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
    %v = lm.linear %n, %wv : (tensor<?x8xf32>, tensor<4x8xf16>) -> tensor<?x4xf32>
    %qr = lm.rope %q, %angles : tensor<?x8xf32>, tensor<?x2x2xf32>
    %kr = lm.rope %k, %angles : tensor<?x4xf32>, tensor<?x2x2xf32>
    %k1, %v1 = lm.cache_append %k0, %v0[%i], %kr, %v at(%positions, %sequences, %pages)
      : (tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>, index, tensor<?x4xf32>, tensor<?x4xf32>,
         tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>) -> (tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>)
    %s = lm.attention %qr, %k1, %v1[%i] at(%positions, %sequences, %pages) window(%zero) scale(0.5)
      : (tensor<?x8xf32>, tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>, index,
         tensor<?xi32>, tensor<?xi32>, tensor<4x2xi32>, index) -> tensor<?x8xf32>
    %o = lm.linear %s, %wo : (tensor<?x8xf32>, tensor<8x8xf16>) -> tensor<?x8xf32>
    %h1 = arith.addf %h, %o : tensor<?x8xf32>
    %g = lm.linear %h1, %wg : (tensor<?x8xf32>, tensor<32x8xf16>) -> tensor<?x32xf32>
    %u = lm.linear %h1, %wu : (tensor<?x8xf32>, tensor<32x8xf16>) -> tensor<?x32xf32>
    %m = lm.gated_activation %g, %u : tensor<?x32xf32>
    %d = lm.linear %m, %wd : (tensor<?x32xf32>, tensor<8x32xf16>) -> tensor<?x8xf32>
    %h2 = arith.addf %h1, %d : tensor<?x8xf32>
    scf.yield %h2, %k1, %v1 : tensor<?x8xf32>, tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>
  }
  %last = lm.select_rows %y#0, %outputs : (tensor<?x8xf32>, tensor<?xi32>) -> tensor<?x8xf32>
  %logits = lm.linear %last, %table : (tensor<?x8xf32>, tensor<40x8xf16>) -> tensor<?x40xf32>
  return %logits, %y#1, %y#2 : tensor<?x40xf32>, tensor<8x2x1x4x16xf16>, tensor<8x2x1x16x4xf16>
}
