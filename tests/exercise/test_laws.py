"""What grading promises, stated over every family: the bank's and the zoo's."""

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from quizprop.exercise.grade import HIDDEN_BY_EARLIER, Verdict, grade
from quizprop.exercise.slips import shows, wrong
from quizprop.exercise.tolerance import Sheet, work

LAW = settings(max_examples=25, suppress_health_check=list(HealthCheck))


def half_up(value, places):
    scaled = np.floor(np.abs(value) * 10.0**places + 0.5) / 10.0**places
    return np.copysign(scaled, value)


ROUNDINGS = {
    "half up": half_up,
    "half even": np.round,
    "full": lambda value, _places: value,
}


def work_by_hand(instance, rng, rounding, slips=()):
    """Texts of a sheet, worked one quantity after the other.

    Each slip is a route and the key of the one cell at which its mistake is made; the rest is carried on correctly.
    ``mixed`` chooses for each cell anew how it is rounded, and whether the rounded or the full value is carried on.
    """
    graph, keys, places = instance.structure.graph, instance.structure.keys, instance.exercise.places
    values, texts = dict(instance.arrays), {}
    for quantity in graph:
        name = quantity.name
        if name in graph.complete(instance.arrays):
            continue
        with np.errstate(all="ignore"):
            value = quantity.of(values)
            for route, key in slips:
                if route.shown_at == name:
                    ahead = Sheet(graph.evaluate(values), {}, {}, {})
                    mistaken, _ = wrong(instance.structure, route, ahead, half=instance.plan.half)
                    value = np.where(keys[name] == key, mistaken, value)
            written, carried = round_cells(value, rng, rounding, places)
        shown = instance.arrays.get(name, np.nan)
        values[name] = np.where(np.isnan(shown), carried, shown)
        if name in instance.plan.asked:
            asked = instance.plan.asked[name]
            texts |= {key: repr(float(cell)) for key, cell in zip(keys[name][asked], written[0][asked], strict=True)}
    return texts


def round_cells(value, rng, rounding, places):
    if rounding != "mixed":
        written = ROUNDINGS[rounding](value, places)
        return written, written
    choice = rng.integers(3, size=value.shape)
    written = np.choose(choice, [round_as(value, places) for round_as in ROUNDINGS.values()])
    return written, np.where(rng.random(value.shape) < 0.5, value, written)


def on_scratch_paper(instance, rounded):
    """The numbers, by key, of who writes down and rounds the result of every single operation."""
    structure = instance.structure
    numbers = {key: np.float64(instance.values[key]) for name in instance.given for key in structure.keys[name].flat}
    for quantity in structure.graph:
        if quantity.name not in structure.graph.complete(instance.arrays):
            for place, key in np.ndenumerate(structure.keys[quantity.name]):
                if key in instance.plan.known:
                    continue
                with np.errstate(all="ignore"):  # a value that nobody asks for may be lost in rounding
                    value = structure.expressions[quantity.name][place].evaluate(numbers.__getitem__, rounded)
                numbers[key] = rounded(value)
    return numbers


def slip_cells(instance, route):
    """The asked cells at which the mistake makes a difference."""
    name, sheet = route.shown_at, instance.sheet
    applies = np.broadcast_to(shows(route, sheet.values), sheet.values[name].shape)[0]
    # Behind a unit that is off, or on a diagonal, some mistakes change nothing.
    with np.errstate(all="ignore"):
        mistaken = wrong(instance.structure, route, sheet, half=instance.plan.half)[0][0]
    applies = applies & ~np.isclose(mistaken, sheet.expected[name][0], rtol=1e-12, atol=0)
    return list(instance.structure.keys[name][instance.plan.showing[route] & applies])


def all_but_right(instance, texts, route, key):
    """Whether on a sheet of one's own the mistake gives what is as close to the right value as its tolerance."""
    structure, half, (name, place) = instance.structure, instance.plan.half, instance.structure.places[key]
    entries = instance.entries({each: float(text) for each, text in texts.items()})
    own = work(structure, instance.arrays, half=half, entries=entries, want=instance.plan.worked)
    mistaken, tolerance = wrong(structure, route, own, half=half, entries=instance.written(entries))
    return (np.abs(mistaken - own.expected[name]) <= tolerance)[0, *place]


def can_be_typed(text):
    return "inf" not in text and "nan" not in text and abs(float(text)) < 1e15


def accepted_or_hidden(mark):
    return mark.verdict.accepted or mark.sentences == (HIDDEN_BY_EARLIER,)


@pytest.mark.parametrize("rounding", [*ROUNDINGS, "mixed"])
def test_every_honest_sheet_of_every_certified_instance_gets_full_marks(instances, rounding):
    rng = np.random.default_rng(2)
    for instance in instances:
        for _ in range(6 if rounding == "mixed" else 1):
            graded = grade(instance, work_by_hand(instance, rng, rounding))
            assert graded.complete, [mark for mark in graded.marks.values() if not mark.verdict.accepted]
            assert graded.points == graded.out_of
            assert graded.first_error is None


@pytest.mark.parametrize("half_up_or_even", [half_up, np.round])
def test_who_writes_every_operation_down_and_rounds_it_gets_full_marks(instances, half_up_or_even):
    for instance in instances:
        numbers = on_scratch_paper(
            instance, lambda value, places=instance.exercise.places: half_up_or_even(value, places)
        )
        texts = {cell.key: repr(float(numbers[cell.key])) for cell in instance.cells}
        graded = grade(instance, texts)
        assert graded.complete, [mark for mark in graded.marks.values() if not mark.verdict.accepted]


@LAW
@given(data=st.data())
def test_every_mistake_is_named_where_it_is_made_and_what_follows_follows(instances, data):
    instance = data.draw(st.sampled_from(instances))
    route = data.draw(st.sampled_from(list(instance.plan.showing)))
    cells = slip_cells(instance, route)
    assume(cells)
    key = data.draw(st.sampled_from(cells))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    texts = work_by_hand(instance, rng, "mixed", [(route, key)])
    assume(can_be_typed(texts[key]))  # a logarithm of a negative number shows itself
    graded = grade(instance, texts)
    assert graded.marks[key].verdict is Verdict.MISTAKE
    assert route.mistake.code in graded.marks[key].codes
    assert graded.first_error == key
    for other, mark in graded.marks.items():
        assert other == key or accepted_or_hidden(mark) or not can_be_typed(texts[other]), mark


@LAW
@given(data=st.data())
def test_two_mistakes_one_after_the_other_are_both_named(instances, data):
    instance = data.draw(st.sampled_from(instances))
    order = list(instance.plan.asked)
    first, second = sorted(
        (data.draw(st.sampled_from(list(instance.plan.showing))) for _ in range(2)),
        key=lambda r: order.index(r.shown_at),
    )
    assume(first.shown_at != second.shown_at)
    cells = [slip_cells(instance, route) for route in (first, second)]
    assume(all(cells))
    keys = [data.draw(st.sampled_from(choice)) for choice in cells]
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    texts = work_by_hand(instance, rng, "half even", list(zip((first, second), keys, strict=True)))
    assume(all(can_be_typed(texts[key]) for key in keys))
    marks = grade(instance, texts).marks
    assert first.mistake.code in marks[keys[0]].codes
    # The first mistake may leave the second no room to be seen: then the cell is right for what stands above it, or all
    # but right.
    named = second.mistake.code in marks[keys[1]].codes or accepted_or_hidden(marks[keys[1]])
    assert named or all_but_right(instance, texts, second, keys[1])


@LAW
@given(data=st.data())
@pytest.mark.unmeasured
def test_an_old_weight_and_a_step_uphill_are_never_accepted(instances, data):
    instance = data.draw(st.sampled_from(instances))
    updates = [cell for cell in instance.cells if "_new" in cell.quantity]
    if not updates:
        return
    cell = data.draw(st.sampled_from(updates))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    texts = work_by_hand(instance, rng, "mixed")
    # Whatever stands above it: honest work, zeros, or anything at all.
    for other in instance.cells:
        spoiled = data.draw(st.sampled_from(["", "0", "0.0001", "-0.0002", "1", "100", texts[other.key]]))
        texts[other.key] = spoiled if other.quantity != cell.quantity else texts[other.key]
    old = instance.values[cell.key.replace("_new", "")]
    step = instance.values[cell.key] - old
    assume(step != 0)  # behind a unit that is off nothing moves
    # Down a gradient of one's own with the other sign is up the right one, and follows; so it is with a learning rate.
    # What is left blank comes from above.
    read = [key for key in cell.depends_on if key in texts]
    told = read if all(texts[key] for key in read) else [key for key in texts if texts[key]]
    turned = any(float(texts[key]) * instance.values[key] < 0 for key in told)
    for text in (repr(old), *(() if turned else (repr(old - step),))):
        graded = grade(instance, {**texts, cell.key: text})
        assert not graded.marks[cell.key].verdict.accepted


@LAW
@given(data=st.data())
def test_a_blank_or_unreadable_cell_costs_only_itself(instances, data):
    instance = data.draw(st.sampled_from(instances))
    texts = work_by_hand(instance, np.random.default_rng(data.draw(st.integers(0, 2**32))), "mixed")
    spoiled = data.draw(st.sets(st.sampled_from([cell.key for cell in instance.cells]), min_size=1))
    text = data.draw(st.sampled_from(["", "  ", "abc", "nan", "1,000", "0.3 0.5"]))
    marks = grade(instance, {**texts, **dict.fromkeys(spoiled, text)}).marks
    expected = Verdict.BLANK if not text.strip() else Verdict.UNREADABLE
    for key, mark in marks.items():
        assert mark.verdict is expected if key in spoiled else mark.verdict.accepted


@LAW
@given(data=st.data())
@pytest.mark.unmeasured
def test_any_texts_at_all_are_graded(instances, data):
    instance = data.draw(st.sampled_from(instances))
    numbers = st.floats(allow_nan=True, allow_infinity=True).map(repr)
    near = st.sampled_from([cell.key for cell in instance.cells]).map(lambda key: repr(instance.values[key]))
    texts = data.draw(
        st.dictionaries(st.sampled_from([cell.key for cell in instance.cells]), st.text() | numbers | near)
    )
    graded = grade(instance, {**texts, "no_such[1]": "1"})
    assert list(graded.marks) == [cell.key for cell in instance.cells]
    assert 0 <= graded.points <= graded.out_of


@pytest.mark.unmeasured
def test_no_sentence_and_no_message_gives_an_answer_away(instances):
    rng = np.random.default_rng(3)
    for instance in instances[:3]:
        for route in instance.plan.showing:
            for key in slip_cells(instance, route)[:1]:
                texts = work_by_hand(instance, rng, "half even", [(route, key)])
                for mark in grade(instance, texts).marks.values():
                    shown = " ".join([*mark.sentences, mark.reading.problem])
                    assert f"{abs(instance.values[mark.key]):.3f}" not in shown
