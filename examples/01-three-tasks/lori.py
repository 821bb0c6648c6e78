# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""LoRI by its official recipe: A frozen and random, B trained; LoRI-D trains all
of B, LoRI-S only where a mask cut from LoRI-D's B is set (arXiv 2504.07448)."""
import json
import math

import torch
from safetensors.torch import load_file

SPARSITY = 0.9
PROJECTIONS = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def new_adapter(model, rank, alpha, seed, dtype):
    """Returns {module: {"A", "B", "scale"}}: B = 0, A uniform in ±1/sqrt(inputs)
    (Kaiming with a = sqrt 5), drawn module by module in the model's order from
    torch's CPU generator at `seed`, and rounded to `dtype`, in which it is stored."""
    rng, adapter = torch.Generator().manual_seed(seed), {}
    for name, linear in model.linears().items():
        outputs, inputs = linear.weight.shape
        a = torch.empty(rank, inputs)
        torch.nn.init.kaiming_uniform_(a, a=math.sqrt(5), generator=rng)
        adapter[name] = {"A": a.to(dtype).float(), "B": torch.zeros(outputs, rank, requires_grad=True),
                         "scale": alpha / rank}
    return adapter


def use(model, adapter):
    """Puts `adapter` into the model; None takes it out."""
    for name, linear in model.linears().items():
        linear.adapter = adapter[name] if adapter else None


def magnitude_mask(adapter, sparsity=SPARSITY):
    """Returns {module: bool [outputs, rank]}: the largest |B| over the whole model."""
    every = torch.cat([m["B"].detach().abs().flatten() for m in adapter.values()])
    k = int((1 - sparsity) * every.numel())
    threshold = every.topk(k).values[-1]
    return {name: m["B"].detach().abs() >= threshold for name, m in adapter.items()}


def round_to(adapter, dtype):
    """Rounds B to what the file will hold."""
    for m in adapter.values():
        m["B"] = m["B"].detach().to(dtype).float()


def peft_tensors(adapter, dtype):
    return {f"base_model.model.{name}.lora_{half}.weight": m[half].detach().to(dtype).contiguous()
            for name, m in adapter.items() for half in "AB"}


def peft_config(rank, alpha):
    return {"peft_type": "LORA", "task_type": "CAUSAL_LM", "base_model_name_or_path": "three-tasks/base",
            "r": rank, "lora_alpha": alpha, "lora_dropout": 0.0, "target_modules": PROJECTIONS,
            "bias": "none", "fan_in_fan_out": False, "use_rslora": False, "use_dora": False,
            "rank_pattern": {}, "alpha_pattern": {}, "modules_to_save": None,
            "init_lora_weights": True, "inference_mode": True, "revision": None}


def read_adapter(folder):
    """Returns the adapter of a PEFT folder, as new_adapter does."""
    tensors = load_file(folder / "adapter_model.safetensors")
    config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    adapter = {}
    for name, tensor in tensors.items():
        module, half = name.removeprefix("base_model.model.").removesuffix(".weight").rsplit(".lora_", 1)
        entry = adapter.setdefault(module, {"scale": config["lora_alpha"] / config["r"]})
        entry[half] = tensor.float()
    return adapter
