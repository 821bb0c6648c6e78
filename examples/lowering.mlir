// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The smallest model with a linear layer and a LoRI adapter: it looks a token
// up and maps it to logits. docs/lowering.md follows it down to LLVM.

lori.param @embed : tensor<80x64xf16> from <"base", "model.embed_tokens.weight", []>
lori.param @head : tensor<80x64xf16> from <"base", "lm_head.weight", []>
lori.param @a : tensor<8x64xf32> from <"task", "lm_head.lora_A.weight", []>
lori.param @b : tensor<80x8xf32> from <"task", "lm_head.lora_B.weight", []>
lori.adapter @task weight(1.0) [#lori.module<"lm_head.weight", @a, @b, [2.0]>]

func.func @step(%tokens: tensor<?xi32>, %positions: tensor<?xi32>, %sequences: tensor<?xi32>,
                %outputs: tensor<?xi32>, %pages: tensor<4x2xi32>,
                %keys: tensor<8x1x1x2x16xf16>, %values: tensor<8x1x1x16x2xf16>)
    -> (tensor<?x80xf32>, tensor<8x1x1x2x16xf16>, tensor<8x1x1x16x2xf16>) {
  %embed = lori.get_param @embed : tensor<80x64xf16>
  %x = lm.embedding %embed, %tokens : (tensor<80x64xf16>, tensor<?xi32>) -> tensor<?x64xf32>
  %head = lori.get_param @head : tensor<80x64xf16>
  %y = lm.linear %x, %head : (tensor<?x64xf32>, tensor<80x64xf16>) -> tensor<?x80xf32>
  %logits = lm.select_rows %y, %outputs : (tensor<?x80xf32>, tensor<?xi32>) -> tensor<?x80xf32>
  return %logits, %keys, %values : tensor<?x80xf32>, tensor<8x1x1x2x16xf16>, tensor<8x1x1x16x2xf16>
}
