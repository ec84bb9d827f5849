"""Drawing certified instances: the same exercise and seed give the same instances, however many are drawn at a time."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import numpy as np

from quizprop.engine.arrays import Array, batch_innermost, keep_memory, select
from quizprop.exercise.certify import PICK, PICKED, Block, Plan, certify, plan_of
from quizprop.exercise.instance import Instance
from quizprop.exercise.question import NoQuestionError
from quizprop.exercise.spec import Choices, Exercise, Grid, OneHot, Value

__all__ = [
    "PATIENCE",
    "CannotCertifyError",
    "at_a_time",
    "block_at",
    "certified",
    "certified_blocks",
    "despair",
    "draw",
    "draw_block",
    "draw_many",
    "instances_of",
    "numbers_taken",
    "show",
]

PATIENCE = 200_000
"""Candidates without a single certified instance after which a family is given up."""


_PATIENCE_WITH_FIXED = 64
"""The same where only the question is drawn."""

_QUESTIONS = (8, 256)
"""The smallest and the largest block where each instance gets a question."""

_PICK_SCALE = 1_000_000


class CannotCertifyError(ValueError):
    """No instance of a family can be certified; the message names the rules and what to change."""


def certified_blocks(
    plan: Plan, rng: np.random.Generator, *, first: int = 64, most: int | None = None
) -> Iterator[Block]:
    """Certified instances without end, a block at a time, in an order that does not depend on the blocks' sizes.

    Blocks of candidates grow from ``first`` to ``most`` (`at_a_time` where left out), so that drawing one instance is
    quick and many efficient.

    Raises:
        CannotCertifyError: the rules reject everything.
    """
    # A fixed exercise draws the same instance again and again: one is enough to begin with.
    # A question is made for each instance by itself, which takes its time.
    most = at_a_time(plan) if most is None else most
    if plan.exercise.question != "sheet":
        first, most = min(first, _QUESTIONS[0]), min(most, _QUESTIONS[1])
    size, barren = 1 if plan.exercise.fixed else first, 0
    rejected: dict[str, int] = {}
    while True:
        block = certified(plan, draw_block(plan.exercise, rng, size))
        barren = 0 if len(block.passed) else barren + size
        for rule, count in block.rejected.items():
            rejected[rule] = rejected.get(rule, 0) + count
        if barren >= (PATIENCE if plan.exercise.drawn else _PATIENCE_WITH_FIXED) or (barren and plan.exercise.fixed):
            raise CannotCertifyError(despair(plan.exercise, rejected))
        yield block
        size = min(2 * size, most)


def at_a_time(plan: Plan) -> int:
    """How many candidates are worked at together.

    Many, for each step of the work costs something by itself; fewer of a large network, whose numbers take room.
    """
    cells = sum(keys.size for keys in plan.structure.keys.values())
    return 1 << max(10, 15 - (cells // 100).bit_length())


def despair(exercise: Exercise, rejected: dict[str, int]) -> str:
    """What to say where nothing is certified: the rules that reject most, and what may be changed."""
    total = sum(rejected.values())
    worst = sorted(rejected.items(), key=lambda item: -item[1])[:3]
    rules = "; ".join(f"{rule} ({100 * count / total:.0f} %)" for rule, count in worst)
    way_out = (
        "change the fixed values, ask for more decimals (places), ask less, or declare the mistakes as blind_spots"
        if not exercise.drawn
        else "widen or shift the ranges, ask for more decimals (places), or leave the cells out of asked"
    )
    return f"{exercise.slug}: no instance can be certified. Rules that reject: {rules}. Way out: {way_out}."


def draw_block(exercise: Exercise, rng: np.random.Generator, count: int) -> dict[str, Array]:
    """``count`` instances drawn from the exercise's ranges, uncertified; arrays with the instance as first axis.

    Every instance takes the same number of random numbers, one after the other, so that the k-th is the same whatever
    the size of the blocks.
    """
    keep_memory()
    shapes, columns = exercise.model.givens(), _columns_of(exercise)
    picked = 0 if exercise.question == "sheet" else PICKED
    uniform = rng.random((count, numbers_taken(exercise)))
    given, start = {}, 0
    for name, shape in shapes.items():
        stop = start + columns[name]
        given[name] = batch_innermost(_cells(exercise.values[name], shape, uniform[:, start:stop]))
        start = stop
    return {**given, PICK: np.floor(uniform[:, start:] * _PICK_SCALE) / _PICK_SCALE} if picked else given


def numbers_taken(exercise: Exercise) -> int:
    """How many random numbers each candidate takes."""
    return sum(_columns_of(exercise).values()) + (0 if exercise.question == "sheet" else PICKED)


def _columns_of(exercise: Exercise) -> dict[str, int]:
    model = exercise.model
    return {
        name: _columns(exercise.values[name], shape, tied=name in model.tied) for name, shape in model.givens().items()
    }


def block_at(plan: Plan, seed: int, *, first: int, count: int) -> Block:
    """Of the long row of candidates of a seed so many from ``first`` on, certified; those before them are not drawn."""
    generator = np.random.PCG64(seed)
    generator.advance(first * numbers_taken(plan.exercise))
    return certified(plan, draw_block(plan.exercise, np.random.Generator(generator), count))


def certified(plan: Plan, drawn: dict[str, Array]) -> Block:
    """Of a block as drawn what is certified: its numbers by the rules, and the question made of them."""
    pick = drawn.get(PICK)
    block = certify(plan, show(plan, {name: array for name, array in drawn.items() if name != PICK}))
    return block if pick is None else _with_questions(plan, block, pick)


def _with_questions(plan: Plan, block: Block, pick: Array) -> Block:
    """The instances of a block that give a clear question; the others are rejected by the rule that they break."""
    given, rejected = {**block.given, PICK: select(pick, block.passed)}, dict(block.rejected)
    clear = np.ones(len(block.passed), dtype=bool)
    for index in range(len(block.passed)):
        try:
            _ = _instance(plan.exercise, given, index).questions
        except NoQuestionError as error:
            rejected[str(error)] = rejected.get(str(error), 0) + 1
            clear[index] = False
    return Block(block.passed, given, block.sheet, rejected).of(clear)


def instances_of(exercise: Exercise, block: Block) -> Iterator[Instance]:
    """The certified instances of a block, one by one."""
    return (_instance(exercise, block.given, index) for index in range(len(block.passed)))


def _instance(exercise: Exercise, given: dict[str, Array], index: int) -> Instance:
    return Instance(exercise, {name: _nested(array[index]) for name, array in given.items()})


def show(plan: Plan, given: dict[str, Array]) -> dict[str, Array]:
    """The givens with the quantities that the exercise shows, rounded to its places; work goes on with them so."""
    places = plan.exercise.places

    def carry(name: str, value: Array) -> Array:
        return np.where(plan.shown[name], np.round(value, places), value) if name in plan.shown else value

    values = plan.structure.graph.evaluate(given, want=plan.shown, carry=carry)
    return {**given, **{name: np.where(mask, values[name], np.nan) for name, mask in plan.shown.items()}}


def _columns(value: Value, shape: tuple[int, ...], *, tied: bool) -> int:
    """How many random numbers a given takes: one a cell; one for a shared bias; one an example for a one-hot target."""
    if isinstance(value, OneHot):
        return shape[0]
    if not isinstance(value, (Grid, Choices)):
        return 0
    return 1 if tied else int(np.prod(shape))


def _cells(value: Any, shape: tuple[int, ...], uniform: Array) -> Array:  # noqa: ANN401 - see spec.Value
    """The given's cells, from a row of random numbers for each instance."""
    count = len(uniform)
    if isinstance(value, OneHot):
        hot = np.floor(uniform * shape[-1])
        return np.where(np.arange(shape[-1]) == hot[:, :, None], 1.0, 0.0)
    if isinstance(value, (Grid, Choices)):
        points = value.points
        drawn: Array = points[(uniform * len(points)).astype(int)]
        return drawn.reshape(count, *shape) if drawn.size == count * np.prod(shape) else drawn.repeat(shape[0], axis=1)
    return np.broadcast_to(np.asarray(value, dtype=float), (count, *shape))


def draw(exercise: Exercise, rng: np.random.Generator) -> Instance:
    """One certified instance; where there is one only, it is certified once.

    Raises:
        CannotCertifyError: the rules reject everything.
    """
    return _the_only(plan_of(exercise)) if exercise.fixed else next(draw_many(exercise, rng))


@lru_cache(maxsize=512)  # more than the bank has
def _the_only(plan: Plan) -> Instance:
    return next(draw_many(plan.exercise, np.random.default_rng(0)))


def draw_many(exercise: Exercise, rng: np.random.Generator) -> Iterator[Instance]:
    """Certified instances without end; the first is the one that ``draw`` gives."""
    for block in certified_blocks(plan_of(exercise), rng):
        yield from instances_of(exercise, block)


def _nested(array: Array) -> Any:  # noqa: ANN401 - a number, or lists of them
    """The array as lists, None for what is not given."""
    return np.where(np.isnan(array), None, array).tolist() if np.isnan(array).any() else array.tolist()  # type: ignore[call-overload]
