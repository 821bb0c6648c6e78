# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A Llama decoder as transformers defines it, with places for LoRI adapters."""
import math

import torch
from torch import nn
from torch.nn import functional as F

SHAPE = {
    "hidden_size": 96, "intermediate_size": 256, "num_hidden_layers": 4,
    "num_attention_heads": 6, "num_key_value_heads": 3, "head_dim": 16,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
}


class Linear(nn.Module):
    """W x, and + s B A x while an adapter {"A", "B", "scale"} is in `adapter`."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(outputs, inputs))
        self.adapter = None

    def forward(self, x):
        y = F.linear(x, self.weight)
        if self.adapter:
            y = y + self.adapter["scale"] * F.linear(F.linear(x, self.adapter["A"]), self.adapter["B"])
        return y


class Norm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.ones(size)), eps

    def forward(self, x):
        return self.weight * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps))


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.heads, self.kv_heads, self.size = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]
        self.q_proj = Linear(c["hidden_size"], self.heads * self.size)
        self.k_proj = Linear(c["hidden_size"], self.kv_heads * self.size)
        self.v_proj = Linear(c["hidden_size"], self.kv_heads * self.size)
        self.o_proj = Linear(self.heads * self.size, c["hidden_size"])

    def forward(self, x, rope):
        b, n, _ = x.shape
        split = lambda y, heads: y.view(b, n, heads, self.size).transpose(1, 2)
        q = rotate(split(self.q_proj(x), self.heads), rope)
        k = rotate(split(self.k_proj(x), self.kv_heads), rope)
        v = split(self.v_proj(x), self.kv_heads)
        group = self.heads // self.kv_heads
        k, v = k.repeat_interleave(group, 1), v.repeat_interleave(group, 1)
        scores = q @ k.transpose(2, 3) / math.sqrt(self.size)
        future = torch.ones(n, n, dtype=torch.bool).triu(1)
        y = scores.masked_fill(future, float("-inf")).softmax(-1) @ v
        return self.o_proj(y.transpose(1, 2).reshape(b, n, -1))


def rotate(x, rope):
    cos, sin = rope
    left, right = x.chunk(2, -1)
    return x * cos + torch.cat((-right, left), -1) * sin


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.gate_proj = Linear(c["hidden_size"], c["intermediate_size"])
        self.up_proj = Linear(c["hidden_size"], c["intermediate_size"])
        self.down_proj = Linear(c["intermediate_size"], c["hidden_size"])

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Layer(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm = Norm(c["hidden_size"], c["rms_norm_eps"])
        self.self_attn = Attention(c)
        self.post_attention_layernorm = Norm(c["hidden_size"], c["rms_norm_eps"])
        self.mlp = MLP(c)

    def forward(self, x, rope):
        x = x + self.self_attn(self.input_layernorm(x), rope)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self, c, vocabulary):
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, c["hidden_size"])
        self.layers = nn.ModuleList(Layer(c) for _ in range(c["num_hidden_layers"]))
        self.norm = Norm(c["hidden_size"], c["rms_norm_eps"])


class Llama(nn.Module):
    """state_dict() has the names of transformers' LlamaForCausalLM, head tied."""

    def __init__(self, vocabulary, seed, c=SHAPE):
        super().__init__()
        self.model = Decoder(c, vocabulary)
        self.c = c
        rng = torch.Generator().manual_seed(seed)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                residual = name.endswith(("o_proj.weight", "down_proj.weight"))
                depth = math.sqrt(2 * c["num_hidden_layers"]) if residual else 1
                with torch.no_grad():
                    p.normal_(0, 1 / math.sqrt(p.shape[1]) / depth, generator=rng)

    def rope(self, n):
        half = torch.arange(0, self.c["head_dim"], 2, dtype=torch.float32) / self.c["head_dim"]
        angle = torch.outer(torch.arange(n, dtype=torch.float32), self.c["rope_theta"] ** -half)
        angle = torch.cat((angle, angle), -1)
        return angle.cos(), angle.sin()

    def forward(self, ids):
        x, rope = self.model.embed_tokens(ids), self.rope(ids.shape[1])
        for layer in self.model.layers:
            x = layer(x, rope)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight)

    def linears(self):
        """Returns {module path: Linear}, in the model's order: what an adapter covers."""
        return {name: m for name, m in self.named_modules() if isinstance(m, Linear)}
