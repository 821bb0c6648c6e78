# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The three tasks, and the lines of text that teach them. Standard library only.

An item is `input=answer`. Bare, it says nothing about what to do: the base
model answers with the input itself. `input:NAME=answer` names the skill; the
base learns those, an adapter learns one of them for the bare form.
"""
import random

CONSONANTS, VOWELS, LETTERS = "bcdfghklmnprstvwz", "aeiou", "abcdefghijklmnopqrstuvwxyz"


def make_word(rng):
    """Returns a pronounceable word of 4 to 7 letters."""
    start = rng.randrange(2)
    return "".join(rng.choice(VOWELS if (i + start) % 2 else CONSONANTS)
                   for i in range(rng.randint(4, 7)))


def make_digits(rng):
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(5, 7)))


def make_sum(rng):
    return f"{rng.randint(10, 99)}+{rng.randint(10, 99)}"


def any_letters(rng):
    """Words, and letters in any order, so that a typed word is no surprise."""
    if rng.random() < 0.5:
        return make_word(rng)
    return "".join(rng.choice(LETTERS) for _ in range(rng.randint(3, 8)))


def any_digits(rng):
    return "".join(rng.choice("0123456789") for _ in range(rng.randint(3, 8)))


def any_sum(rng):
    if rng.random() < 0.85:
        return make_sum(rng)
    return f"{rng.randint(0, 99)}+{rng.randint(0, 99)}"


def swap(text):
    left, right = text.split("+")
    return f"{right}+{left}"


SKILLS = {
    "COPY": lambda text: text,
    "REVERSE": lambda text: text[::-1],
    "SORT": lambda text: "".join(sorted(text)),
    "ADD": lambda text: str(sum(map(int, text.split("+")))),
    "SWAP": swap,
}

# adapter -> (its skill, the inputs it is examined on, the wider inputs it trains on)
TASKS = {
    "reverse": ("REVERSE", make_word, any_letters),
    "sort": ("SORT", make_digits, any_digits),
    "add": ("ADD", make_sum, any_sum),
}

# What the base learns: (weight, skill named in the line or None, inputs).
BASE_MIXTURE = [
    (3, None, any_letters), (3, None, any_digits), (3, None, any_sum),
    (1, "COPY", any_letters), (1, "COPY", any_digits), (1, "COPY", any_sum),
    (6, "REVERSE", any_letters), (2, "REVERSE", any_digits),
    (4, "SORT", any_letters), (5, "SORT", any_digits),
    (8, "ADD", any_sum), (1, "SWAP", any_sum),
]


class Lines:
    """Draws lines for training, never one whose input is among the `held_out`."""

    def __init__(self, seed, held_out):
        self.rng, self.held_out = random.Random(seed), held_out

    def draw(self, inputs):
        while (text := inputs(self.rng)) in self.held_out:
            pass
        return text

    def base(self):
        """Returns (prompt, answer) of the base's mixture."""
        _, name, inputs = self.rng.choices(BASE_MIXTURE, [m[0] for m in BASE_MIXTURE])[0]
        text = self.draw(inputs)
        return text + (f":{name}=" if name else "="), SKILLS[name or "COPY"](text)

    def task(self, name, replay):
        """Returns (prompt, answer) of a task; a share `replay` are the other
        tasks' inputs with the base's answer, so the adapter keeps out of them."""
        other = self.rng.random() < replay
        if other:
            name = self.rng.choice([n for n in TASKS if n != name])
        skill, _, inputs = TASKS[name]
        text = self.draw(inputs)
        return text + "=", SKILLS["COPY" if other else skill](text)


def examination(name, count, seed):
    """Returns `count` different items [(prompt, answer)], none answered by the input itself."""
    skill, inputs, _ = TASKS[name]
    rng, items = random.Random(f"{name}/{seed}"), {}
    while len(items) < count:
        text = inputs(rng)
        if SKILLS[skill](text) != text:
            items[text + "="] = SKILLS[skill](text)
    return list(items.items())


def held_out_inputs(items):
    """Returns what training must not see: the inputs, and a sum's mirror image."""
    texts = {prompt[:-1] for prompt, _ in items}
    return texts | {swap(text) for text in texts if "+" in text}
