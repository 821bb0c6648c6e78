# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checkpoints and adapters of SmolLM2's shape, for what the numbers in them do
not matter to.
"""

import array
import json
import random
import struct

HIDDEN, HEADS, KV_HEADS, FEED_FORWARD, VOCABULARY, LAYERS = 576, 9, 3, 1536, 49152, 30
KV = HIDDEN // HEADS * KV_HEADS
# Outputs and inputs.
PROJECTIONS = {
    "self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (KV, HIDDEN),
    "self_attn.v_proj": (KV, HIDDEN), "self_attn.o_proj": (HIDDEN, HIDDEN),
    "mlp.gate_proj": (FEED_FORWARD, HIDDEN), "mlp.up_proj": (FEED_FORWARD, HIDDEN),
    "mlp.down_proj": (HIDDEN, FEED_FORWARD),
}
NORMS = ("input_layernorm", "post_attention_layernorm")
LAYER_ENTRIES = sum(rows * columns for rows, columns in PROJECTIONS.values())
EMBEDDING_ENTRIES = VOCABULARY * HIDDEN
NORM_ENTRIES = HIDDEN * (2 * LAYERS + 1)


def write_safetensors(path, shapes, kind, data=None):
    """Writes tensors of `kind` (F16 or F32); without `data` zeros that take no
    room on the disk."""
    header, offset = {}, 0
    for name, shape in shapes.items():
        size = {"F16": 2, "F32": 4}[kind]
        for extent in shape:
            size *= extent
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for part in data or ():
            file.write(part)
        file.truncate(8 + len(text) + offset)


def write_model(folder, layers):
    """Writes a Hugging Face directory with `layers` layers of zeros."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
        "hidden_size": HIDDEN, "intermediate_size": FEED_FORWARD, "num_hidden_layers": layers,
        "num_attention_heads": HEADS, "num_key_value_heads": KV_HEADS, "vocab_size": VOCABULARY,
        "max_position_embeddings": 2048, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
        "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2, "dtype": "float16"}))
    shapes = {"model.embed_tokens.weight": (VOCABULARY, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for layer in range(layers):
        prefix = f"model.layers.{layer}"
        shapes |= {f"{prefix}.{name}.weight": (HIDDEN,) for name in NORMS}
        shapes |= {f"{prefix}.{name}.weight": shape for name, shape in PROJECTIONS.items()}
    write_safetensors(folder / "model.safetensors", shapes, "F16")


def write_adapter(folder, rank):
    """Writes a PEFT adapter of all projections with small random factors."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": rank, "lora_alpha": 2 * rank,
        "target_modules": [name.split(".")[1] for name in PROJECTIONS], "lora_dropout": 0.0,
        "bias": "none", "fan_in_fan_out": False, "base_model_name_or_path": "SmolLM2-135M"}))
    shapes, parts = {}, []
    generator = random.Random(1)
    numbers = array.array("f", (generator.uniform(-0.01, 0.01) for _ in range(1 << 16)))
    for layer in range(LAYERS):
        for name, (rows, columns) in PROJECTIONS.items():
            for factor, shape in (("A", (rank, columns)), ("B", (rows, rank))):
                shapes[f"base_model.model.model.layers.{layer}.{name}.lora_{factor}.weight"] = shape
                start = generator.randrange(1 << 14)
                assert start + shape[0] * shape[1] <= len(numbers)
                parts.append(numbers[start:start + shape[0] * shape[1]].tobytes())
    write_safetensors(folder / "adapter_model.safetensors", shapes, "F32", parts)
