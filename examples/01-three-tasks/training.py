# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Batches of lines, the training loop, and the share of exact greedy answers."""
import math
import time

import torch
from torch.nn import functional as F

from tokenizer import BOS_ID, EOS_ID, PAD_ID

IGNORED = -100  # cross_entropy's default ignore_index
LONGEST_ANSWER = 12


def make_batch(tokenizer, lines):
    """Returns ids [rows, n] and the next ids, known only where the answer stands."""
    rows = []
    for prompt, answer in lines:
        known = [BOS_ID] + tokenizer.encode(prompt)
        wanted = tokenizer.encode(answer) + [EOS_ID]
        rows.append((known + wanted, [IGNORED] * len(known) + wanted))
    n = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([ids + [PAD_ID] * (n - len(ids)) for ids, _ in rows])
    next_ids = torch.tensor([labels + [IGNORED] * (n - len(labels)) for _, labels in rows])
    return ids[:, :-1], next_ids[:, 1:]


def train(model, tokenizer, parameters, draw, plan, name, masks=None):
    """AdamW without decay, cosine rate with warm-up, gradients clipped to norm 1 and,
    as in the official recipe, zeroed outside `masks`. Returns the losses, one per 100 steps."""
    optimizer = torch.optim.AdamW(parameters, lr=plan["rate"], betas=(0.9, 0.98), weight_decay=0.0)
    start, total, losses = time.time(), 0.0, []
    for step in range(1, plan["steps"] + 1):
        cosine = 0.5 * (1 + math.cos(math.pi * step / plan["steps"]))
        optimizer.param_groups[0]["lr"] = plan["rate"] * min(1, step / plan["warmup"]) * (0.02 + 0.98 * cosine)
        ids, next_ids = make_batch(tokenizer, [draw() for _ in range(plan["batch"])])
        loss = F.cross_entropy(model(ids).flatten(0, 1), next_ids.flatten())
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        if masks:
            for p, mask in zip(parameters, masks):
                p.grad *= mask
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        total += loss.item()
        if step % 100 == 0:
            losses.append(round(total / 100, 4))
            print(f"{name}: step {step} of {plan['steps']}, loss {losses[-1]:.4f}, "
                  f"{time.time() - start:.0f} s", flush=True)
            total = 0.0
    return losses


@torch.no_grad()
def answers(model, tokenizer, prompts):
    """Returns the greedy answers; prompts of one length run as one batch."""
    by_length = {}
    for i, prompt in enumerate(prompts):
        ids = [BOS_ID] + tokenizer.encode(prompt)
        by_length.setdefault(len(ids), []).append((i, ids))
    texts = [""] * len(prompts)
    for n, group in by_length.items():
        ids = torch.tensor([row for _, row in group])
        for _ in range(LONGEST_ANSWER):
            ids = torch.cat((ids, model(ids)[:, -1].argmax(-1, keepdim=True)), 1)
        for (i, _), row in zip(group, ids[:, n:].tolist()):
            texts[i] = tokenizer.decode(row[:row.index(EOS_ID)] if EOS_ID in row else row)
    return texts


def exact(model, tokenizer, items):
    """Returns the share of `items` answered exactly."""
    got = answers(model, tokenizer, [prompt for prompt, _ in items])
    return sum(text == answer for text, (_, answer) in zip(got, items)) / len(items)
