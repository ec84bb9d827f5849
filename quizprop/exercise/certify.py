"""Which drawn instances may be served: honest work is always accepted, every modelled mistake is always visible."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache, partial

import numpy as np

from quizprop.engine.arrays import Array, select
from quizprop.engine.graph import Quantity
from quizprop.engine.structure import Structure, structure_of
from quizprop.exercise.honest import Worker, workers
from quizprop.exercise.proof import Span, covered, ends_of, exact_in_single, in_single, judged, spans_of, widened
from quizprop.exercise.slips import Route, idle, routes, shows, unseen, wrong, wrong_value
from quizprop.exercise.spec import Exercise
from quizprop.exercise.tolerance import Sheet, half_unit, reach, spread, work

__all__ = ["HONEST_SHEETS", "LEAST_FACTOR", "PICK", "PICKED", "Block", "Bounds", "Plan", "certify", "plan_of"]

HONEST_SHEETS = 24
"""How many differently rounded honest sheets each instance is certified to accept: by a proof, or tried one by one."""

LEAST_SLOPE = 0.01
"""Below this slope a unit is saturated: the deltas behind it would keep no digit worth writing."""

LEAST_FACTOR = 2.0
"""A mistake must move its cell out of the tolerance by this factor, and a value must be as far from zero."""

PICK = "pick"
"""The given that settles what a question leaves to chance; no formula reads it."""

PICKED = 2
"""How many numbers of six decimals it holds: enough for a million million questions on the same numbers."""

_COARSEST = 0.15
"""Of a value: what honest rounding moves farther is hardly that value any more, unless by `_FEW_UNITS`."""

_FEW_UNITS = 10
"""Of the last place."""

_ANSWERS = {"find_slip": 2, "true_false": 5}
"""How many answers a question asks for, where it is not one a cell."""

_OPPOSED = 3.0
"""So much further than its error an input is moved to see whether a decision stands."""

_TELLING = 1024
"""So many candidates tell which rules are worth to be tried first."""

_OFTEN = 100
"""One in so many is worth it."""

_SAME = 1e-9
"""Of a value's size: closer than that no two computations come by chance."""

_NEAR_TIE = 1e-6
"""Of a unit of the last place: a value closer to a rounding tie is rounded by chance."""


@dataclass(frozen=True, eq=False)
class Plan:
    """An exercise made ready for the checks: its structure, what is asked, and the mistakes that must be visible."""

    exercise: Exercise

    @cached_property
    def structure(self) -> Structure:
        """The structure of the exercise's network."""
        return structure_of(self.exercise.model)

    @cached_property
    def half(self) -> float:
        """Half a unit of the last place."""
        return half_unit(self.exercise.places)

    @cached_property
    def asked(self) -> dict[str, Array]:
        """For each quantity of which something is asked, in the order of the sheet, a mask over its cells."""
        masks = self._masks(self.exercise.asked)
        asked = {name: mask & ~self.shown[name] if name in self.shown else mask for name, mask in masks.items()}
        return {name: mask for name, mask in asked.items() if mask.any()}

    @cached_property
    def shown(self) -> dict[str, Array]:
        """For each quantity of which something is given away, a mask over its cells."""
        return self._masks(self.exercise.shown)

    def _masks(self, names: Iterable[str]) -> dict[str, Array]:
        wanted = set(names)
        masks = {}
        for quantity in self.structure.graph:
            keys = self.structure.keys[quantity.name]
            mask = np.frompyfunc(lambda key: key in wanted, 1, 1)(keys)
            mask = np.asarray(mask, dtype=bool) | (quantity.name in wanted)
            if mask.any():
                masks[quantity.name] = mask
        return masks

    @cached_property
    def given_shapes(self) -> dict[str, tuple[int, ...]]:
        """What one instance is given, with its shape: the model's values, what the exercise shows, the pick."""
        names = (*self.structure.model.givens(), *self.shown)
        shapes = {name: self.structure.keys[name].shape for name in names}
        return shapes if self.exercise.question == "sheet" else {**shapes, PICK: (PICKED,)}

    @property
    def cell_count(self) -> int:
        """How many cells there are to fill in."""
        return sum(int(mask.sum()) for mask in self.asked.values())

    @property
    def asked_count(self) -> int:
        """How many answers there are to give."""
        return _ANSWERS.get(self.exercise.question, self.cell_count)

    @cached_property
    def rounded(self) -> dict[str, Array]:
        """Of those asked, the quantities that are written to some places; the others are whole numbers."""
        graph = self.structure.graph
        return {name: mask for name, mask in self.asked.items() if not graph[name].formula.whole}

    @cached_property
    def switched(self) -> tuple[str, ...]:
        """The quantities that are 0 where a unit is off."""
        return tuple(each.name for each in self.structure.graph if each.formula.guard == "kink" and not each.after)

    def asks(self, name: str, place: tuple[int, ...]) -> bool:
        """Whether the cell of a quantity is asked."""
        return name in self.asked and bool(self.asked[name][place])

    @cached_property
    def worked(self) -> frozenset[str]:
        """The quantities that matter: those asked, what they are computed from, what mistakes there read, guards."""
        graph = self.structure.graph
        needed = graph.needed_for(self.asked)
        read = {
            name
            for mistake in self.structure.mistakes
            if mistake.name in needed
            for form in (*mistake.wrong, *([mistake.where] if mistake.where else []))
            for name in form.inputs
        }
        worked = needed | graph.needed_for(read, self.structure.model.givens())
        known = worked.union(self.structure.model.givens())
        guarded = {
            each.name for each in graph if each.formula.guard and not each.after and known.issuperset(each.inputs)
        }
        return frozenset(worked | guarded)

    @cached_property
    def gaps(self) -> dict[str, Array]:
        """For each quantity of which only some cells are written or shown, NaN at the others."""
        names = dict.fromkeys((*self.asked, *self.shown))
        masks = {name: self.asked.get(name, False) | self.shown.get(name, np.False_) for name in names}
        return {name: np.where(mask, 0.0, np.nan) for name, mask in masks.items() if not mask.all()}

    @cached_property
    def written(self) -> frozenset[str]:
        """The keys of the cells that stand on a full sheet: those asked and those shown."""
        keys = self.structure.keys
        masks = (*self.asked.items(), *self.shown.items())
        return frozenset(key for name, mask in masks for key in keys[name][mask])

    @cached_property
    def known(self) -> frozenset[str]:
        """The keys of what a student starts from: the givens, and the cells shown."""
        keys = self.structure.keys
        givens = (key for name in self.structure.model.givens() for key in keys[name].flat)
        return frozenset((*givens, *(key for name, mask in self.shown.items() for key in keys[name][mask])))

    @cached_property
    def showing(self) -> Mapping[Route, Array]:
        """The mistakes that an instance is certified for, each with a mask of the asked cells at which it must show.

        A mistake at a hidden value must show at the first cell that is computed from it. Later ones it may leave as
        they were (a ReLU's slope knows only the sign of z): it has been caught before.
        """
        masks: dict[Route, Array] = {}
        caught: set[tuple[str, str]] = set()
        for name, mask in self.asked.items():
            for place in map(tuple, np.argwhere(mask)):
                cells = unseen(self.structure, self.structure.keys[name][place], self.written)
                found = self._certified(routes(self.structure.model, name, frozenset(cells)))
                made = {(route.mistake.code, key) for route in found for key in cells[route.mistake.name]}
                for route in found:
                    if any((route.mistake.code, key) not in caught for key in cells[route.mistake.name]):
                        masks.setdefault(route, np.zeros(mask.shape, dtype=bool))[place] = True
                caught |= made
        return masks

    def _certified(self, found: tuple[Route, ...]) -> tuple[Route, ...]:
        seen = (route for route in found if route.mistake.code not in self.exercise.blind_spots)
        # A decision need not give away how it was come to: only its own mistakes must show there.
        return tuple(route for route in seen if len(route.way) == 1 or not self._decides(route.shown_at))

    def _decides(self, name: str) -> bool:
        return self.structure.graph[name].formula.whole

    @cached_property
    def certified_codes(self) -> tuple[str, ...]:
        """The codes of the mistakes that an instance is certified to show."""
        return tuple(dict.fromkeys(route.mistake.code for route in self.showing))

    @cached_property
    def workers(self) -> tuple[Worker, ...]:
        """The honest workers with whose sheets each instance is tried: those that no proof covers."""
        every = workers(self.structure, places=self.exercise.places, count=HONEST_SHEETS)
        return tuple(worker for worker in every if worker.scratch) if self.proved else every

    @cached_property
    def suspected(self) -> set[str]:
        """The rules that have rejected many so far."""
        return set()

    @cached_property
    def bounds(self) -> "Bounds":
        """How large the tolerances of mistaken values can be, judged by the blocks so far."""
        return Bounds(self)

    def may_be_idle(self, route: Route) -> bool:
        """Whether a mistake may leave cells as they are whatever the numbers."""
        return self.structure.model.has_zeros or len(route.way) > 1

    @cached_property
    def proved(self) -> bool:
        """Whether the tolerances are proved to hold however honestly the written values are rounded.

        Not what is rounded besides on scratch paper, for which no tolerance allows.
        """
        structure = self.structure
        return all(
            key in self.known or (covered(formula, self.known) and not structure.graph[name].formula.whole)
            for name in structure.graph.needed_for(self.asked)
            for key, formula in zip(structure.keys[name].flat, structure.expressions[name].flat, strict=True)
        )


def plan_of(exercise: Exercise) -> Plan:
    """The exercise's plan; made once for each of the latest exercises."""
    return _plan(exercise.model_dump_json())


@lru_cache(maxsize=512)  # more than the bank has
def _plan(spec: str) -> Plan:
    return Plan(Exercise.model_validate_json(spec))


@dataclass(frozen=True)
class Block:
    """What certification found in a block of drawn instances.

    ``passed`` holds the indices of the certified ones, ``given`` and ``sheet`` their arrays (of the sheet no more than
    what is expected and its tolerance); ``rejected`` counts the others by a rule that they broke.
    """

    passed: Array
    given: dict[str, Array]
    sheet: Sheet
    rejected: dict[str, int]

    def of(self, holds: Array) -> "Block":
        """The block of those instances for which something holds."""
        if holds.all():
            return self
        places = np.flatnonzero(holds)
        expected, tolerance = (_selected(arrays, places) for arrays in (self.sheet.expected, self.sheet.tolerance))
        given = _selected(self.given, places)
        return Block(self.passed[places], given, Sheet({}, {}, expected, tolerance), self.rejected)


Rule = tuple[str, Array]


def certify(plan: Plan, given: Mapping[str, Array]) -> Block:
    """Try every rule on a block of instances (leading axis), the cheap ones first."""
    count = next(iter(given.values())).shape[0]
    rejected: dict[str, int] = {}
    block = Block(np.arange(count), dict(given), Sheet({}, {}, {}, {}), rejected)

    def sift(rules: Iterable[Rule], passed: Array) -> Array:
        for name, holds in rules:
            broken = int(np.count_nonzero(passed > holds))  # where it passed and this does not hold
            if broken:
                rejected[name] = rejected.get(name, 0) + broken
                passed &= holds
        return passed

    values = plan.structure.graph.evaluate(block.given, want=plan.worked)
    passed = sift(_plain_rules(plan, values), np.ones(count, dtype=bool))
    block = block.of(sift(_plainly_hidden(plan, values), passed))
    if not passed.any():
        return block
    del values  # which nothing below reads: room for the rest
    worked = work(plan.structure, block.given, half=plan.half, want=plan.worked)
    kept = len(block.passed)
    passed = np.ones(kept, dtype=bool)
    passed = sift(_visible_rules(plan, block.given, worked, passed), passed)
    if kept >= _TELLING:
        plan.suspected.update(rule for rule, broken in rejected.items() if broken * _OFTEN > kept)
    block = replace(block, sheet=_answers(plan, worked)).of(passed)
    passed = sift(_rounding_rules(plan, block), np.ones(len(block.passed), dtype=bool))
    return block.of(passed)


def _answers(plan: Plan, sheet: Sheet) -> Sheet:
    """Of a worked sheet what is written on it at last: what is expected where something is asked, within what."""
    expected, tolerance = ({name: each[name] for name in plan.asked} for each in (sheet.expected, sheet.tolerance))
    return Sheet({}, {}, expected, tolerance)


def _plain_rules(plan: Plan, values: Mapping[str, Array]) -> Iterator[Rule]:
    """Nothing degenerate: every unit alive, no asked value that rounds to 0."""
    for quantity in plan.structure.graph:
        if quantity.name in values:
            yield from _guarded(quantity, values)
    if plan.exercise.dead_units is not None:
        off = np.sum([_count(values[name] == 0) for name in plan.switched], axis=0)
        yield f"other than {plan.exercise.dead_units} units are off", np.asarray(off == plan.exercise.dead_units)
    for name, mask in plan.rounded.items():
        value = values[name]
        clear = np.abs(value) > plan.half
        if plan.structure.model.has_zeros:
            clear |= value == 0
        yield f"{name} rounds to 0", _all(_masked(clear, mask))


def _plainly_hidden(plan: Plan, values: Mapping[str, Array]) -> Iterator[Rule]:
    """The mistakes that reject most are looked for before tolerances are worked out, of which there is a smallest."""
    for route, mask in plan.showing.items():
        name = route.shown_at
        if _rule(route) in plan.suspected and name in plan.rounded and not plan.may_be_idle(route):
            off = np.abs(wrong_value(plan.structure, route, values, entries={}) - values[name])
            apart = _where_it_shows(route, values, ~(off <= LEAST_FACTOR * plan.half))
            yield _rule(route), _all(_masked(apart, mask))


def _rule(route: Route) -> str:
    return f"{route.shown_at} can't show {route.mistake.code}"


def _place(quantity: Quantity) -> str:
    return quantity.name if quantity.layer is None else f"a unit of layer {quantity.layer}"


def _guarded(quantity: Quantity, values: Mapping[str, Array]) -> Iterator[Rule]:
    value = values[quantity.name]
    place = _place(quantity)
    match quantity.formula.guard:
        case "slope":
            yield f"{place} is saturated", _all(np.abs(value) >= LEAST_SLOPE)
        case "share":
            yield f"{place} is near 0 or 1, or beyond", _all((value >= LEAST_SLOPE) & (value <= 1 - LEAST_SLOPE))
        case "positive":
            yield f"{quantity.name} is not positive", _all(value > 0)
        case "mixed":
            off = values[quantity.inputs[0]] == 0
            yield f"{quantity.inputs[0]} is all 0 or nowhere 0", ~_all(off) & ~_all(~off)


def _visible_rules(plan: Plan, given: Mapping[str, Array], sheet: Sheet, passed: Array) -> Iterator[Rule]:
    """Each asked value is told from 0, each unit from its kink, and each mistake from the truth, by the factor."""
    for quantity in plan.structure.graph:
        if quantity.formula.guard == "kink" and quantity.name in sheet.values:
            z = quantity.inputs[0]
            far = np.abs(sheet.values[z]) > LEAST_FACTOR * sheet.tolerance.get(z, np.asarray(plan.half))
            yield f"{_place(quantity)} is near its kink", _all(far)
    for name, mask in plan.rounded.items():
        size, tolerance = np.abs(sheet.expected[name]), sheet.tolerance[name]
        far = size > LEAST_FACTOR * tolerance
        if plan.structure.model.has_zeros:  # where not, what rounds to 0 has been rejected
            far |= (size == 0) & (tolerance <= plan.half)
        yield f"{name} is too close to 0 for {plan.exercise.places} places", _all(_masked(far, mask))
        few = tolerance <= _FEW_UNITS * 2 * plan.half
        if not few.all():
            fine = few | (tolerance <= _COARSEST * size)
            yield f"{name} keeps too few digits for {plan.exercise.places} places", _all(_masked(fine, mask))
    for name, mask in plan.asked.items():
        if name not in plan.rounded:
            yield f"{name} could be decided by rounding", _all(_masked(_decided(plan, name, sheet), mask))
    yield from _told_apart(plan, given, sheet, passed)


def _told_apart(plan: Plan, given: Mapping[str, Array], sheet: Sheet, passed: Array) -> Iterator[Rule]:
    """Each mistake is told from the truth, even where it was rounded on its way.

    Most are so far off that a bound of their own tolerance is enough, the same for all instances. Only where it is not,
    and nothing else has rejected the instance, are they looked at more closely.
    """
    bounds, entries = plan.bounds.on(sheet), _kept(plan, sheet)
    largest = {name: sheet.tolerance[name].max(0) for name in plan.asked}
    double = sheet.values, sheet.expected
    single = _in_single(plan, sheet) if len(passed) >= _TELLING else None  # for few it costs more than it spares
    told = np.zeros((len(plan.showing), len(passed)), dtype=bool)
    for surely, (route, mask) in zip(told, plan.showing.items(), strict=True):
        if route in bounds:
            name, bound = route.shown_at, bounds[route]
            stray = bound.stray if single else None
            values, right = single if single and stray is not None else double
            off = np.asarray(wrong_value(plan.structure, route, values, entries=entries) - right[name])
            distance = largest[name] + np.maximum(bound.tolerance, (LEAST_FACTOR - 1) * largest[name])
            if stray is not None:
                distance = _single(distance + stray)
            apart = _where_it_shows(route, sheet.values, np.abs(off, out=off) > distance)
            surely[:] = _all(_masked(apart, mask))
    for route, holds in zip(plan.showing, told, strict=True):
        unsure = np.flatnonzero(passed > holds)  # of those that still pass: whoever takes the rules sifts by them
        if unsure.size:
            holds[unsure] = _told(plan, route, given, sheet, unsure)
            yield _rule(route), holds


def _in_single(plan: Plan, sheet: Sheet) -> tuple[dict[str, Array], dict[str, Array]]:
    """The values and what is expected in single precision, which takes half the time and is enough for most."""
    values = {name: _single(value) for name, value in sheet.values.items()}
    expected = {name: sheet.expected[name] for name in plan.asked}
    return values, {
        name: values[name] if value is sheet.values[name] else _single(value) for name, value in expected.items()
    }


@np.errstate(over="ignore")  # nothing is said of what is too large: its stray is not known
def _single(array: Array) -> Array:
    return array.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Bound:
    """How large the tolerance of a mistaken value can be, by cell."""

    tolerance: Array
    find_stray: Callable[[], Array | None]

    @cached_property
    def stray(self) -> Array | None:
        """How far the mistaken value and the right one are off together in single precision; None if not known."""
        return self.find_stray()


@dataclass
class Bounds:
    """How large the tolerances of mistaken values can be on the sheets of a plan.

    That follows from the ranges of all values and errors, which are much alike from block to block: what is said holds
    for a little more than the blocks so far, and until one goes beyond.
    """

    plan: Plan
    known: tuple[Array, dict[Route, Bound]] | None = None

    def on(self, sheet: Sheet) -> dict[Route, Bound]:
        """What bounds each mistaken value at the cells where it shows, for those whose tolerance has a bound."""
        known = self.known  # as a whole: another thread may replace it meanwhile
        ends = ends_of(self.plan.structure, sheet)
        if known is not None and (ends <= known[0]).all():
            return known[1]
        ends = widened(ends if known is None else np.maximum(ends, known[0]))
        spans = spans_of(self.plan.structure, sheet, ends)
        exact = cache(partial(exact_in_single, spans))
        every = {route: _farthest(self.plan, route, spans) for route in self.plan.showing}
        bounds = {
            route: Bound(farthest, partial(_stray, self.plan, route, exact))
            for route, farthest in every.items()
            if np.isfinite(farthest).all()
        }
        if np.isfinite(ends).all():
            self.known = ends, bounds
        return bounds


def _farthest(plan: Plan, route: Route, spans: Mapping[str, Span]) -> Array:
    """A bound of the tolerance of a mistaken value at each cell, whatever the instance of a block."""
    # A decision has no tolerance, and what is written on the way would have to be followed besides.
    if route.form.formula.whole or not plan.gaps.keys().isdisjoint(route.way[:-1]):
        return np.asarray(np.inf if len(route.way) > 1 else 0.0)
    return _at_the_end(plan, route, spans, lambda *step: judged(plan.structure, *step, half=plan.half))


def _stray(plan: Plan, route: Route, exact: Callable[[], Mapping[str, Span]]) -> Array | None:
    """See ``Bound.stray``."""
    if route.form.formula.whole:  # a tie may be decided either way
        return None
    wrong = _at_the_end(plan, route, exact(), partial(in_single, plan.structure))
    keys = plan.structure.keys[route.shown_at]
    right = np.reshape([exact()[key].off for key in keys.flat], keys.shape)
    return wrong + right if np.isfinite(wrong + right).all() else None


def _at_the_end(
    plan: Plan,
    route: Route,
    spans: Mapping[str, Span],
    step: Callable[[Quantity, Mapping[str, Span]], dict[str, Span]],
) -> Array:
    """How far a mistaken value is off at each cell where it shows, by what becomes of it at each step of its way."""
    for quantity in (route.form, *(plan.structure.graph[name] for name in route.way[1:])):
        found = step(quantity, spans)
        spans = {**spans, **found}
    return np.reshape([span.off for span in found.values()], plan.structure.keys[route.shown_at].shape)


def _told(plan: Plan, route: Route, given: Mapping[str, Array], sheet: Sheet, places: Array) -> Array:
    """Of some instances by their places, where every asked cell tells the mistake.

    But for those cells that it leaves alone whatever the numbers.
    """
    name, mask = route.shown_at, plan.showing[route]
    sheet = _read_by(plan, route, sheet, places)
    value, tolerance = wrong(plan.structure, route, sheet, half=plan.half, entries=_kept(plan, sheet))
    distance = np.maximum(tolerance + sheet.tolerance[name], LEAST_FACTOR * sheet.tolerance[name])
    # A wrong formula that is not even defined here (the logarithm of a negative number) gives itself away.
    off = np.abs(value - sheet.expected[name])
    apart = (off > distance) | ~np.isfinite(value)
    apart = _where_it_shows(route, sheet.values, apart)
    told = _all(_masked(apart, mask))
    if plan.may_be_idle(route) and not told.all():
        # Where it leaves cells alone whatever the numbers, it does so with these.
        same = off <= _SAME * (1 + np.abs(sheet.expected[name]))
        unsure = np.flatnonzero(_all(_masked(apart | same, mask)) > told)
        if unsure.size:
            alone = idle(plan.structure, route, _selected(given, places[unsure]), entries=plan.gaps)
            told[unsure] = _all(_masked(apart[unsure] | alone, mask))
    return told


def _read_by(plan: Plan, route: Route, sheet: Sheet, places: Array) -> Sheet:
    """Of some instances by their places, what telling a mistake reads."""
    forms = [route.form, *(plan.structure.graph[name] for name in route.way[1:])]
    read = {name for form in forms for name in form.inputs}
    where = route.mistake.where
    values = read.union(route.way[:-1], (*where.inputs, route.shown_at) if where else ())
    return Sheet(
        {name: select(sheet.values[name], places) for name in values if name in sheet.values},
        {name: select(sheet.errors[name], places) for name in read if name in sheet.errors},
        {route.shown_at: select(sheet.expected[route.shown_at], places)},
        {route.shown_at: select(sheet.tolerance[route.shown_at], places)},
    )


def _where_it_shows(route: Route, values: Mapping[str, Array], apart: Array) -> Array:
    """The same, and where the mistake can't be made."""
    return apart if route.mistake.where is None else apart | ~np.asarray(shows(route, values))


def _decided(plan: Plan, name: str, sheet: Sheet) -> Array:
    """Where no rounding of what a whole number is computed from can change it."""
    quantity = plan.structure.graph[name]
    # Several inputs may move against each other, which a single larger move of one covers.
    errors = {source: _OPPOSED * error for source, error in sheet.errors.items()}
    value = sheet.expected[name]
    return np.asarray(spread(plan.structure, quantity, sheet.values, errors, value) == 0)


def _kept(plan: Plan, sheet: Sheet) -> dict[str, Array]:
    """Of the quantities of which only some cells are written or shown, their values: slips elsewhere leave them."""
    gaps = {name: gaps for name, gaps in plan.gaps.items() if name in sheet.values}
    return {name: np.where(np.isnan(gaps[name]), np.nan, sheet.values[name]) for name in gaps}


def _rounding_rules(plan: Plan, block: Block) -> Iterator[Rule]:
    """No asked value is rounded by chance, and differently rounded honest sheets get full marks."""
    expected, tolerance = block.sheet.expected, block.sheet.tolerance
    scale = 10.0**plan.exercise.places
    for name, mask in plan.rounded.items():
        beyond = np.asarray(expected[name] * scale)
        beyond -= np.floor(beyond)
        beyond -= 0.5
        clear = np.abs(beyond, out=beyond) > _NEAR_TIE
        yield f"{name} lies on a rounding tie", _all(_masked(clear, mask))
    reached = {name: reach(expected[name], tolerance[name]) for name in plan.asked}
    accepted = np.ones(len(block.passed), dtype=bool)

    def wrote(name: str, written: Array) -> None:
        if name in reached:
            off = np.asarray(written - expected[name])
            close = np.abs(off, out=off) <= reached[name]
            accepted[:] &= _all(_masked(close, plan.asked[name]))

    for worker in plan.workers:
        worker.work(plan.structure, block.given, plan.asked, wrote)
    yield "an honest sheet is not accepted", accepted


def _masked(holds: Array, mask: Array) -> Array:
    """What holds at the cells of a mask: all of it, without a copy, where that is all the cells."""
    return holds if mask.all() else holds[..., mask]


def _all(holds: Array) -> Array:
    """Whether it holds at every cell, by instance."""
    return np.asarray(holds.all(axis=tuple(range(1, holds.ndim))))


def _count(holds: Array) -> Array:
    """At how many cells it holds, by instance."""
    return np.asarray(holds.sum(axis=tuple(range(1, holds.ndim))))


def _selected(arrays: Mapping[str, Array], places: Array) -> dict[str, Array]:
    return {name: select(array, places) for name, array in arrays.items()}
