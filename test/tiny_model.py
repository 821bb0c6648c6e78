# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes tiny checkpoints and adapters of random weights, for tests.

    tiny_model.py model DIR [--type=bf16] [--seed=1] [--set=KEY=JSON]...
    tiny_model.py adapter DIR [--rank=4] [--modules=q_proj,up_proj] [--scale=FACTOR]...
    tiny_model.py merge MODEL ADAPTER... OUT [--safe]     as PEFT merges into bf16 or f32
    tiny_model.py compare A.npy B.npy [--within=0] [--beyond=0]

The files are those of Hugging Face and PEFT; the same arguments give the same
bytes. Needs nothing but Python.
"""

import argparse
import ast
import json
import pathlib
import random
import struct
import sys

CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama",
    "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 80,
    "max_position_embeddings": 40, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
    "hidden_act": "silu", "tie_word_embeddings": False,
    "bos_token_id": 1, "eos_token_id": 2,
}
# Inputs and outputs of the projections of a layer, by CONFIG.
PROJECTIONS = {
    "self_attn.q_proj": (64, 64), "self_attn.k_proj": (64, 32),
    "self_attn.v_proj": (64, 32), "self_attn.o_proj": (64, 64),
    "mlp.gate_proj": (64, 96), "mlp.up_proj": (64, 96), "mlp.down_proj": (96, 64),
}
TYPES = {"f32": "F32", "f16": "F16", "bf16": "BF16"}


def encode(values, kind):
    if kind == "f32":
        return struct.pack(f"<{len(values)}f", *values)
    if kind == "f16":
        return struct.pack(f"<{len(values)}e", *values)
    words = struct.unpack(f"<{len(values)}I", struct.pack(f"<{len(values)}f", *values))
    rounded = [(word + 0x7FFF + (word >> 16 & 1)) >> 16 for word in words]
    return struct.pack(f"<{len(rounded)}H", *rounded)


def write_safetensors(path, tensors, kind):
    """Writes {name: (shape, values)}, all stored as `kind`."""
    header, data = {}, bytearray()
    for name, (shape, values) in tensors.items():
        start = len(data)
        data += encode(values, kind)
        header[name] = {"dtype": TYPES[kind], "shape": shape,
                        "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(data))


def draw(generator, shape, width, grid=None):
    """Draws entries, with `grid` multiples of 1 / grid: their products are exact."""
    count = 1
    for size in shape:
        count *= size
    values = [generator.uniform(-width, width) for _ in range(count)]
    return list(shape), [round(v * grid) / grid for v in values] if grid else values


def write_model(arguments):
    generator = random.Random(arguments.seed)
    config = dict(CONFIG, dtype={"f32": "float32", "f16": "float16",
                                 "bf16": "bfloat16"}[arguments.type])
    for setting in arguments.set:
        key, value = setting.split("=", 1)
        config[key] = json.loads(value)
    hidden, vocabulary = CONFIG["hidden_size"], CONFIG["vocab_size"]
    tensors = {"model.embed_tokens.weight": draw(generator, (vocabulary, hidden), 0.5)}
    for layer in range(CONFIG["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        for name, (columns, rows) in PROJECTIONS.items():
            tensors[f"{prefix}{name}.weight"] = draw(generator, (rows, columns), 0.3)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"{prefix}{name}.weight"] = draw(generator, (hidden,), 1.5)
    tensors["model.norm.weight"] = draw(generator, (hidden,), 1.5)
    tensors["lm_head.weight"] = draw(generator, (vocabulary, hidden), 0.3)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "config.json").write_text(json.dumps(config, indent=2))
    write_safetensors(arguments.folder / "model.safetensors", tensors, arguments.type)


def write_adapter(arguments):
    generator = random.Random(arguments.seed)
    wanted = arguments.modules.split(",")
    factors = dict(factor.split("=", 1) for factor in arguments.scale)
    tensors = {}
    for layer in range(CONFIG["num_hidden_layers"]):
        for name, (columns, rows) in PROJECTIONS.items():
            if name.split(".")[1] not in wanted:
                continue
            module = f"model.layers.{layer}.{name}"
            key = f"base_model.model.{module}"
            width = 0.5 * float(factors.get(f"{layer}.{name}", 1))
            tensors[f"{key}.lora_A.weight"] = draw(generator, (arguments.rank, columns), 0.5, 64)
            tensors[f"{key}.lora_B.weight"] = draw(generator, (rows, arguments.rank), width, 64)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "adapter_config.json").write_text(json.dumps({
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": arguments.rank,
        "lora_alpha": 2 * arguments.rank, "target_modules": wanted,
        "lora_dropout": 0.0, "bias": "none", "fan_in_fan_out": False,
    }, indent=2))
    write_safetensors(arguments.folder / "adapter_model.safetensors", tensors, arguments.type)


def to_float32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def to_bfloat16(value):
    return struct.unpack("<f", b"\0\0" + encode([value], "bf16"))[0]


def read_safetensors(path):
    """Returns the stored type and {name: (shape, values)}."""
    data = path.read_bytes()
    end = 8 + struct.unpack("<Q", data[:8])[0]
    tensors, kind = {}, None
    for name, entry in json.loads(data[8:end]).items():
        start, stop = entry["data_offsets"]
        part = data[end + start:end + stop]
        kind = next(key for key, value in TYPES.items() if value == entry["dtype"])
        if kind == "bf16":
            part = b"".join(b"\0\0" + part[i:i + 2] for i in range(0, len(part), 2))
        letter = "e" if kind == "f16" else "f"
        values = struct.unpack(f"<{len(part) // struct.calcsize(letter)}{letter}", part)
        tensors[name] = (entry["shape"], list(values))
    return kind, tensors


def add_update(weight, a, b, scaling, rounds):
    """Adds scaling * B A, whose entries are exact in f32, in place."""
    (_, columns), values = weight
    rank, (_, first), (_, second) = a[0][0], a, b
    for i in range(len(values)):
        row, column = divmod(i, columns)
        update = sum(second[row * rank + r] * first[r * columns + column] for r in range(rank))
        update *= scaling
        for rounding in rounds:
            update = rounding(update)
        values[i] = to_float32(values[i] + update)


def write_merged(arguments):
    """Rounds each sum once, or with --safe the updates as well, one by one."""
    kind, tensors = read_safetensors(arguments.model / "model.safetensors")
    rounding = {"f32": to_float32, "bf16": to_bfloat16}[kind]
    for folder in arguments.adapters:
        config = json.loads((folder / "adapter_config.json").read_text())
        _, factors = read_safetensors(folder / "adapter_model.safetensors")
        for name in factors:
            if not name.endswith(".lora_A.weight"):
                continue
            path = name[len("base_model.model."):-len(".lora_A.weight")]
            weight = tensors[path + ".weight"]
            add_update(weight, factors[name], factors[name.replace("lora_A", "lora_B")],
                       config["lora_alpha"] / config["r"], [rounding] if arguments.safe else [])
            if arguments.safe:
                weight[1][:] = map(rounding, weight[1])
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "config.json").write_text((arguments.model / "config.json").read_text())
    write_safetensors(arguments.out / "model.safetensors", tensors, kind)


def read_npy(path):
    """Returns shape and numbers of an array of f32."""
    data = path.read_bytes()
    assert data[:6] == b"\x93NUMPY" and data[6] == 1, f"{path}: no .npy of version 1"
    end = 10 + struct.unpack("<H", data[8:10])[0]
    header = ast.literal_eval(data[10:end].decode())
    assert header["descr"] == "<f4" and not header["fortran_order"], header
    return header["shape"], struct.unpack(f"<{(len(data) - end) // 4}f", data[end:])


def compare(arguments):
    (shape, first), (other, second) = map(read_npy, (arguments.first, arguments.second))
    if shape != other or not first:
        sys.exit(f"shapes {shape} and {other} differ, or are empty")
    difference = max(abs(a - b) for a, b in zip(first, second))
    if not difference <= arguments.within:
        sys.exit(f"the largest difference is {difference}, expected at most {arguments.within}")
    if difference < arguments.beyond:
        sys.exit(f"the largest difference is {difference}, expected at least {arguments.beyond}")


def main():
    cli = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = cli.add_subparsers(required=True)
    for name, action in (("model", write_model), ("adapter", write_adapter)):
        command = commands.add_parser(name)
        command.set_defaults(action=action)
        command.add_argument("folder", type=pathlib.Path)
        command.add_argument("--type", choices=TYPES, default="f32")
        command.add_argument("--seed", type=int, default=1)
        if name == "model":
            command.add_argument("--set", action="append", default=[], metavar="KEY=JSON",
                                 help="a field of config.json")
        else:
            command.add_argument("--rank", type=int, default=4)
            command.add_argument("--modules", default="q_proj,up_proj,down_proj")
            command.add_argument("--scale", action="append", default=[],
                                 metavar="LAYER.MODULE=FACTOR", help="larger entries of one B")
    command = commands.add_parser("merge")
    command.set_defaults(action=write_merged)
    command.add_argument("model", type=pathlib.Path)
    command.add_argument("adapters", type=pathlib.Path, nargs="+")
    command.add_argument("out", type=pathlib.Path)
    command.add_argument("--safe", action="store_true")
    command = commands.add_parser("compare")
    command.set_defaults(action=compare)
    command.add_argument("first", type=pathlib.Path)
    command.add_argument("second", type=pathlib.Path)
    command.add_argument("--within", type=float, default=float("inf"))
    command.add_argument("--beyond", type=float, default=0)
    arguments = cli.parse_args()
    arguments.action(arguments)


if __name__ == "__main__":
    main()
