// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The decoder of Llama, Mistral, Qwen2 and Qwen3, in the words of their
// checkpoints.

#include "dialect/lm/ModelBuilder.h"
#include "tools/import/Import.h"

using mlir::Value;

void lori::buildDecoder(mlir::lm::ModelBuilder &m, const ModelConfig &config) {
  double epsilon = config.normEpsilon;
  int64_t queryHeads = config.interleavedRope ? config.heads : 0;
  int64_t keyHeads = config.interleavedRope ? config.kvHeads : 0;
  m.rotaryFrequencies(rotaryFrequencies(config));

  auto attention = [&](Value x) {
    Value h = m.rmsNorm(x, "input_layernorm", epsilon);
    Value q = m.linear(h, "self_attn.q_proj", queryHeads);
    Value k = m.linear(h, "self_attn.k_proj", keyHeads);
    Value v = m.linear(h, "self_attn.v_proj");
    if (config.qkNorm) {
      q = m.rmsNorm(q, "self_attn.q_norm", epsilon);
      k = m.rmsNorm(k, "self_attn.k_norm", epsilon);
    }
    Value o = m.attention(m.rope(q), m.rope(k), v, config.windows);
    return m.add(x, m.linear(o, "self_attn.o_proj"));
  };
  auto mlp = [&](Value x) {
    Value h = m.rmsNorm(x, "post_attention_layernorm", epsilon);
    Value gate = m.linear(h, "mlp.gate_proj");
    Value up = m.linear(h, "mlp.up_proj");
    return m.add(x, m.linear(m.gatedActivation(gate, up), "mlp.down_proj"));
  };

  Value x = m.embedding("model.embed_tokens");
  x = m.layers("model.layers", x, [&](Value x) { return mlp(attention(x)); });
  x = m.rmsNorm(m.selectRows(x), "model.norm", epsilon);
  m.finish(
      m.linear(x, config.tiedEmbeddings ? "model.embed_tokens" : "lm_head"));
}
