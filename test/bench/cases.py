# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What is measured. Each case prepares itself once and adds one value to each of
its rows a round, so that cases alternate; ratios are of values measured next to
each other.
"""

import checkpoints
from measure import Failed, run_json

# Bytes an entry. Blocks of 32 entries: q8_0 34 bytes, q4_0 18, q4_1 20.
ENTRY_BYTES = {"f32": 4, "f16": 2, "bf16": 2, "q8_0": 34 / 32, "q4_0": 18 / 32, "q4_1": 20 / 32}
READ_FLOORS = {"f16": 0.6, "bf16": 0.6, "q8_0": 0.45, "q4_0": 0.25}
PREFILL_FLOOR = 0.5
COMPILE_SECONDS = 10
COMPILE_MEMORY = 300e6  # beyond the size of the program
PROGRAM_EXTRA = 10e6  # beyond the weights
FIRST_TOKEN_SECONDS = 0.150
DEPTH_RATIO = 1.25  # of the slowest code generation to the fastest; noise, not growth
PROMPT = ",".join(str(100 + 7 * i) for i in range(16))


def weight_bytes(kind):
    """Returns the bytes of SmolLM2's weights, all of which a token reads: the
    embedding is the output projection too. Norms are f32. "stored" is the GGUF."""
    layers = checkpoints.LAYERS * checkpoints.LAYER_ENTRIES
    each, embedding = ("q4_1", "q8_0") if kind == "stored" else (kind, kind)
    return (layers * ENTRY_BYTES[each] + checkpoints.EMBEDDING_ENTRIES * ENTRY_BYTES[embedding]
            + checkpoints.NORM_ENTRIES * 4)


def prefill_operations(tokens):
    """Returns the multiplications and additions of the weights: of all layers
    for each token, of the output projection for the last one. Attention is not
    counted."""
    return 2 * (tokens * checkpoints.LAYERS * checkpoints.LAYER_ENTRIES + checkpoints.EMBEDDING_ENTRIES)


def at_least(floor):
    return (">=", floor) if floor is not None else None


class Weights:
    """SmolLM2 with one storage type of weights: making the program, its first
    token, its speed as a share of what the machine can do."""

    def __init__(self, kind, model):
        self.name, self.kind, self.model = kind, kind, model

    def prepare(self, tools):
        pass

    def measure(self, tools, results):
        options = [] if self.kind == "stored" else [f"--weights-type={self.kind}"]
        program, child = tools.compile(self.model, f"smollm2-{self.kind}", *options)
        self.add_compilation(program, child, results)
        run_json([program, "--info"])  # reads it once
        self.add_speed(tools, program, results)
        self.add_first_token(tools, program, results)
        program.unlink()

    def add_compilation(self, program, child, results):
        size, weights = program.stat().st_size, weight_bytes(self.kind)
        results.add(f"{self.name}/compile", "s", child.seconds, ("<=", COMPILE_SECONDS))
        results.add(f"{self.name}/compile: peak RSS - program", "MB", (child.peak_rss - size) / 1e6,
                    ("<=", COMPILE_MEMORY / 1e6))
        results.add(f"{self.name}/program", "MB", size / 1e6)
        results.add(f"{self.name}/program - weights", "MB", (size - weights) / 1e6, ("<=", PROGRAM_EXTRA / 1e6))

    def add_speed(self, tools, program, results):
        read, operations = tools.limits()
        prefill, decode = tools.speed(program)
        results.add(f"{self.name}/machine: read", "GB/s", read / 1e9)
        results.add(f"{self.name}/machine: multiply-add", "GF/s", operations / 1e9)
        results.add(f"{self.name}/decode", "tokens/s", decode)
        results.add(f"{self.name}/decode: of read", "", decode * weight_bytes(self.kind) / read,
                    at_least(READ_FLOORS.get(self.kind)))
        results.add(f"{self.name}/prefill {tools.prefill}", "tokens/s", prefill)
        done = prefill / tools.prefill * prefill_operations(tools.prefill)
        results.add(f"{self.name}/prefill {tools.prefill}: of multiply-add", "", done / operations,
                    at_least(PREFILL_FLOOR))

    def add_first_token(self, tools, program, results):
        seconds = tools.first_token(program, PROMPT)
        results.add(f"{self.name}/first token", "ms", seconds * 1e3, ("<=", FIRST_TOKEN_SECONDS * 1e3))


class Rival:
    """llama.cpp's own benchmark on the GGUF that the case "stored" runs."""
    name = "llama-bench"

    def __init__(self, program, model):
        self.program, self.model = program, model

    def prepare(self, tools):
        pass

    def measure(self, tools, results):
        tests = run_json([self.program, "-m", self.model, "-p", tools.prefill, "-n", tools.decode,
                          "-t", tools.threads, "-r", 3, "-o", "json"])
        try:
            rates = {"prefill" if test["n_prompt"] else "decode": max(test["samples_ts"]) for test in tests}
            shown = [(f"prefill {tools.prefill}", rates["prefill"]), ("decode", rates["decode"])]
        except (KeyError, TypeError) as error:
            raise Failed(f"{self.program}: no result of {error}") from error
        for what, rate in shown:
            results.add(f"{self.name}/{what}", "tokens/s", rate)
            if ours := results.last(f"stored/{what}"):
                results.add(f"{self.name}/{what}: stored is times as fast", "", ours / rate)


class Depth:
    """Code generation for models that differ in their number of layers only."""
    name = "layers"
    COUNTS = (4, 30, 120)

    def prepare(self, tools):
        for count in self.COUNTS:
            checkpoints.write_model(tools.work / f"layers-{count}", count)

    def measure(self, tools, results):
        seconds = {}
        for count in self.COUNTS:
            _, child = tools.compile(tools.work / f"layers-{count}", f"layers-{count}.o", "--emit=obj")
            seconds[count] = child.seconds
            results.add(f"{self.name}/code for {count}", "s", child.seconds)
        results.add(f"{self.name}/slowest over fastest", "", max(seconds.values()) / min(seconds.values()),
                    ("<=", DEPTH_RATIO))


class Adapters:
    """A model alone, with an adapter that stays live, and with one fused."""

    def __init__(self, name, model, adapters, chosen, options=(), shape=(None, None)):
        self.name, self.model, self.adapters = name, model, adapters
        self.chosen, self.options, self.shape = chosen, options, shape

    def prepare(self, tools):
        given = {name: f"--adapter={name}={path(tools)}" for name, path in self.adapters.items()}
        self.programs = [
            ("alone", tools.compile(self.model, f"{self.name}-alone", *self.options)[0], ()),
            ("live", tools.compile(self.model, f"{self.name}-live", *self.options, *given.values())[0],
             ("--adapter", self.chosen)),
            ("fused", tools.compile(self.model, f"{self.name}-fused", *self.options, "--mode=fuse",
                                    given[self.chosen])[0], ())]

    def measure(self, tools, results):
        alone = None
        for variant, program, options in self.programs:
            rates = tools.speed(program, *options, prefill=self.shape[0], decode=self.shape[1])
            for what, rate in zip(("prefill", "decode"), rates):
                results.add(f"{self.name}/{variant}: {what}", "tokens/s", rate)
            alone = alone or rates
            if variant != "alone":
                for what, rate, base in zip(("prefill", "decode"), rates, alone):
                    results.add(f"{self.name}/{variant}: {what} of alone", "", rate / base)
