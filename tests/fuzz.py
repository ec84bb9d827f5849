"""Strings that a person might type for a number, and exercise files with something wrong in them.

For each there is a message or a value, within a bounded time. The tests try a few thousand, ``make soak`` a million.
"""

import gc
import math
import random
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from quizprop.exercise.bank import BankError, read_exercise
from quizprop.exercise.certify import Plan
from quizprop.exercise.exercise_file import written_exercise
from quizprop.exercise.generate import certified, draw_block
from quizprop.exercise.numbers import read_number

ALPHABET = "0123456789..,,__eE+-*/^()  \t√×·÷⁄−–—’'\"=≈%∞σπ⁻¹²⁰٣９x[]{}\u200b\u202e\x00é🦆"
PARTS = [
    "1e308",
    "1e-400",
    "9**9**9",
    "0/0",
    "1/0",
    "ln(0)",
    "sqrt(-1)",
    "exp(999)",
    "e^",
    "nan",
    "inf",
    "1,000",
    "0.1.2",
]
ENDINGS = ["[" * 2000, "a = " + "[" * 500 + "]" * 500, "a.b.c.d = 1\n", "\n[network.deeper]\nx = 1\n"]
WORDS = ["exp", "ln", "log", "log10", "sqrt", "tanh", "sigmoid", "σ", "abs", "e", "sin", "import", "__class__"]
FUNCTIONS = {"exp": math.exp, "sqrt": math.sqrt, "tanh": math.tanh, "abs": abs, "ln": math.log}
TYPED_LIMIT = 0.5
FILE_LIMIT = 10.0


@dataclass
class Found:
    """How many were tried, how many of them gave a value, and the longest that one took, in processor seconds."""

    tried: int = 0
    read: int = 0
    longest: float = 0.0

    def note(self, work: Callable[[], bool]) -> None:
        gc.disable()  # what a whole run of tests has left is not for one string to take away
        try:
            began = time.process_time()
            self.read += work()
            self.tried += 1
            self.longest = max(self.longest, time.process_time() - began)
        finally:
            gc.enable()


# --- numbers --------------------------------------------------------------------------------------------------------


def typed(rng: random.Random) -> str:
    """A string for a number field: working, noise, something endless, or working with a slip of the finger."""
    match rng.randrange(6):
        case 0:
            return "".join(rng.choices(ALPHABET, k=rng.randrange(1, 40)))
        case 1:
            return "".join(rng.choices([*PARTS, *WORDS, *"()+-*/^ "], k=rng.randrange(1, 9)))
        case 2:
            part = rng.choice(["9", "(", "-", "1/", "2^", "(1+", "exp(", ".", "_", "1e", "⁻", " ", "1,", "+1"])
            return part * rng.choice([20, 199, 200, 201, 5000])
        case 3:
            return slipped(rng, working(rng, 3)[0], ALPHABET)
        case 4:
            return slipped(rng, slipped(rng, working(rng, 4)[0], ALPHABET), WORDS)
        case _:
            return working(rng, 4)[0]


def working(rng: random.Random, depth: int) -> tuple[str, float]:
    """Working in full parentheses, and what Python makes of it, step by step; NaN where that can't be."""
    if depth == 0 or rng.random() < 0.2:
        text = rng.choice([f"{rng.randrange(100)}", f"{rng.random():.4f}", f"{rng.random() * 30:.2f}", ".5", "3e-2"])
        return text, float(text)
    left, first = working(rng, depth - 1)
    if rng.random() < 0.3:
        name = rng.choice(list(FUNCTIONS))
        return f"{name}({left})", attempt(lambda: FUNCTIONS[name](first))
    right, second = working(rng, depth - 1)
    sign = rng.choice("+-*/")
    both = {
        "+": lambda: first + second,
        "-": lambda: first - second,
        "*": lambda: first * second,
        "/": lambda: first / second,
    }
    space = rng.choice(["", " "])
    return f"({left}{space}{sign}{space}{right})", attempt(both[sign])


def attempt(work: Callable[[], float]) -> float:
    try:
        return work()
    except (ArithmeticError, ValueError):
        return math.nan


def slipped(rng: random.Random, text: str, more: str | list[str]) -> str:
    """The text with something left out, put in, doubled or moved."""
    at, end = sorted(rng.randrange(len(text) + 1) for _ in range(2))
    match rng.randrange(4):
        case 0:
            return text[:at] + text[end:]
        case 1:
            return text[:at] + rng.choice(more) + text[at:]
        case 2:
            return text[:end] + text[at:]
        case _:
            return text[end:] + text[:end]


def numbers(count: int, seed: int) -> Found:
    """Read so many strings.

    Raises:
        AssertionError: one gave neither a value nor a message, or not what Python makes of it, or took too long.
    """
    rng, found = random.Random(seed), Found()
    for _ in range(count):
        text = typed(rng)
        found.note(lambda text=text: one_number(text, comma=rng.random() < 0.3))
        if rng.random() < 0.2:
            text, value = working(rng, 3)
            reading = read_number(text)
            if math.isfinite(value) and abs(value) < 1e15:
                assert reading.value is not None, (text, value, reading)
                assert math.isclose(reading.value, value, rel_tol=1e-12, abs_tol=1e-300), (text, value, reading)
            else:
                assert reading.value is None, (text, value, reading)
    assert found.longest < TYPED_LIMIT, found
    return found


def one_number(text: str, *, comma: bool) -> bool:
    reading = read_number(text, decimal_comma=comma)
    assert reading.text == text
    assert len(reading.problem) < 200
    if reading.value is None:
        assert reading.blank == (reading.problem == ""), (text, reading)
        assert reading.echo == ""
        return False
    assert math.isfinite(reading.value), (text, reading)
    assert abs(reading.value) <= 1e15, (text, reading)
    assert (bool(reading.echo), reading.problem) == (True, ""), (text, reading)
    return True


# --- exercise files -------------------------------------------------------------------------------------------------

SCALARS = [
    *("0", "-1", "1", "2.5", "1e400", "nan", "-inf", "1e-400", "10_000_000_000", "1" + "0" * 400, "1e9999999", "true"),
    *('""', '"x"', '"é🦆"', "[]", "{}", "[[]]", "[[[1]]]", '["z1", "z1"]', '["nothing"]', "1979-05-27T07:32:00Z"),
    *("[1, 2, 3]", "[8, 8, 8, 8, 8, 8]", "{ choices = [] }", "{ choices = [nan] }", "{ one_hot = false }"),
    "{ low = 0.0, high = 1e300, step = 1e-300 }",
    "{ low = 0, high = 1_000_000_000, step = 0.001 }",
    '{ low = "1e-400", high = 1, step = "1e-400" }',
    '{ low = "1e-20", high = "1e-20", step = 1 }',
    "{ low = 1, high = 0, step = 1 }",
    "{ low = 0, high = 0, step = 1 }",
    "{ low = nan, high = 1, step = 1 }",
    "{ low = 0.1, high = 1, step = 0 }",
]
"""What may stand after an equals sign."""


def files(texts: list[str], rng: random.Random) -> Iterator[str]:
    """Exercise files, each one of these with a few changes."""
    while True:
        text = rng.choice(texts)
        for _ in range(rng.randrange(1, 4)):
            text = changed(text, rng, texts)
        yield text


def changed(text: str, rng: random.Random, texts: list[str]) -> str:
    lines = text.splitlines()
    at = rng.randrange(len(lines))
    match rng.randrange(9):
        case 0:
            del lines[at]
        case 1:
            lines.insert(at, rng.choice(lines))
        case 2:
            other = rng.choice(texts).splitlines()
            lines[at] = rng.choice(other)
        case 3:
            return slipped(rng, text, ALPHABET) if rng.random() < 0.3 else text.replace(rng.choice("[]={}\"'\n"), "", 1)
        case 4:
            return text + rng.choice(ENDINGS)
        case 5:
            words = sorted(set(re.findall(r"\w+", text)))
            return re.sub(rf"\b{rng.choice(words)}\b", rng.choice(words), text, count=1)
        case _:
            given = [number for number, line in enumerate(lines) if " = " in line]
            if given:
                name = lines[given[at % len(given)]].partition(" = ")[0]
                lines[given[at % len(given)]] = f"{name} = {rng.choice(SCALARS)}"
    return "\n".join(lines)


def exercise_files(texts: list[str], count: int, seed: int) -> Found:
    """Read so many files, and draw from those that are exercises.

    Raises:
        AssertionError: one took too long, or was refused without a word.
    """
    rng, found = random.Random(seed), Found()
    changed_files = files(texts, rng)
    for _ in range(count):
        text = next(changed_files)
        found.note(lambda text=text: one_file(text))
    assert found.longest < FILE_LIMIT, found
    return found


def one_file(text: str) -> bool:
    try:
        exercise = read_exercise("fuzzed", text)
    except BankError as refused:
        said = str(refused).splitlines()
    else:
        block = certified(Plan(exercise), draw_block(exercise, np.random.default_rng(1), 4))
        assert len(block.passed) + sum(block.rejected.values()) == 4, text
        assert read_exercise("fuzzed", written_exercise(exercise)) == exercise, text
        return True
    assert said, text
    assert all(line.strip() for line in said), (text, said)
    return False
