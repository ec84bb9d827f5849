"""What a row of pictures promises: values appear in the order in which they are computed, none too early."""

import re
from itertools import pairwise

import numpy as np
import pytest

from quizprop.exercise.diagram import flow_steps
from quizprop.exercise.diagram.text import short
from quizprop.exercise.figures import exact
from quizprop.exercise.generate import draw
from tests.exercise.conftest import FAMILIES, family
from tests.exercise.svg import (
    SVG,
    assert_all_is_inside,
    assert_is_named_and_described,
    assert_nothing_is_covered,
    lengths,
    of_class,
    parsed,
    text_of,
)


def row(slug, notation="mazur"):
    instance = draw(FAMILIES[slug], np.random.default_rng(1))
    return instance, flow_steps(instance, notation=notation)


def test_a_lesson_has_no_pictures_of_a_step_and_a_network_has_a_column_for_each_layer():
    assert row("residual-step")[1] == ()
    instance, steps = row("mazur")
    assert steps
    assert instance.network.sketch == (2, 2, 2)


def numbers_in(text):
    return set(re.findall(r"−?\d+\.\d+(?:e−?\d+)?", text))


def test_a_picture_shows_only_what_is_known_by_then(network_instances):
    instance = network_instances[0]
    places, values = instance.exercise.places, instance.values
    given = {float(value) for array in instance.arrays.values() for value in np.ravel(array) if not np.isnan(value)}
    for step in flow_steps(instance, notation="plain"):
        root = parsed(step.svg)
        assert_is_named_and_described(root)
        assert_nothing_is_covered(root)
        assert_all_is_inside(root)
        first = {key.removesuffix("@1"): round(value, places) for key, value in values.items()}
        known = given | {first[key] for key in step.known}
        allowed = {write(value) for value in known for write in (exact, short)}
        said = [*map(text_of, root.iter(f"{SVG}text")), root.find(f"{SVG}desc").text]
        assert set().union(*map(numbers_in, said)) <= allowed


def test_what_is_known_only_grows_and_never_lacks_what_it_is_computed_from(network_instances):
    instance = network_instances[0]
    steps = flow_steps(instance, notation="plain")
    assert steps[0].known == ()
    for before, after in pairwise(steps):
        assert set(before.known) < set(after.known)
    order = [quantity.name for quantity in instance.structure.graph]
    names = [key.partition("[")[0] for step in steps for key in step.known if key not in steps[0].known]
    forward = list(dict.fromkeys(name for name in names if name[0] in "zaeE"))
    assert forward == sorted(forward, key=order.index)


def test_mazurs_step_in_seven_pictures():
    _, steps = row("mazur")
    added = [
        {key.partition("[")[0] for key in set(after.known) - set(before.known)} for before, after in pairwise(steps)
    ]
    assert added == [{"z1", "a1"}, {"z2", "a2"}, {"e", "E"}, {"delta2"}, {"delta1"}, {"W1_new", "W2_new"}]
    assert [text_of(bias) for bias in of_class(parsed(steps[6].svg), "qp-bias")] == ["b1 = 0.35", "b2 = 0.6"]
    assert "Back into the hidden layer" in steps[5].caption
    units = [text_of(unit) for unit in of_class(parsed(steps[5].svg), "qp-unit")]
    assert units[2:] == ["h10.59330.0088", "h20.59690.01", "o10.75140.1385", "o20.7729−0.0381"]
    assert [text_of(label) for label in of_class(parsed(steps[6].svg), "qp-weight")][4] == "w5+ = 0.3589"
    assert "0.2984" in text_of(of_class(parsed(steps[3].svg), "qp-loss")[0])
    assert "0.2984" not in text_of(of_class(parsed(steps[2].svg), "qp-loss")[0])


def test_what_flows_back_flows_from_right_to_left():
    _, steps = row("mazur")
    for step, back in ((steps[2], set()), (steps[5], {"W2[1,1]", "W2[1,2]", "W2[2,1]", "W2[2,2]"})):
        for edge in of_class(parsed(step.svg), "qp-edge"):
            if edge.get("data-edge"):
                x1, x2 = lengths(edge.find(f"{SVG}line"), "x1", "x2")
                assert (x2 < x1) == (edge.get("data-edge") in back)


def test_a_forward_pass_flows_nowhere_back():
    _, steps = row("forward-pass")
    assert not any("Back" in step.caption or "step" in step.caption for step in steps)
    assert not any(key.startswith(("delta", "E")) for key in steps[-1].known)


def test_deltas_from_shown_values_begin_with_these():
    _, steps = row("shown-forward")
    assert {key.partition("[")[0] for key in steps[1].known} == {"a1"}
    assert not any("_new" in key for key in steps[-1].known)


def test_biases_move_with_the_weights_where_the_step_moves_them():
    instance, steps = row("batch-mean")
    moved = round(instance.values["b1_new[1]"], instance.exercise.places)
    assert text_of(of_class(parsed(steps[-1].svg), "qp-bias")[0]) == f"bo1+ = {exact(moved)}"


@pytest.mark.parametrize("slug", ["batch-mean", "batch-sum"])
def test_a_mini_batch_shows_its_first_example(slug):
    instance, steps = row(slug)
    assert all(f"(Example 1 of {instance.network.examples}.)" in step.caption for step in steps)
    unit = of_class(parsed(steps[0].svg), "qp-unit")[0]
    assert text_of(unit) == "i1" + exact(instance.given["x"][0][0])


def test_a_row_ends_where_the_exercise_does():
    short = family("short", [2, 2, 2], ["sigmoid", "sigmoid"], ["z1", "a1"])
    steps = flow_steps(draw(short, np.random.default_rng(1)), notation="mazur")
    assert len(steps) == 2
    assert {key.partition("[")[0] for key in steps[1].known} == {"z1", "a1"}


def test_hidden_layers_are_counted_where_there_are_several():
    _, steps = row("chain")
    assert [step.caption for step in steps if "hidden layer 2" in step.caption]


def test_ids_differ_from_picture_to_picture():
    _, steps = row("mazur")
    ids = [element.get("id") for step in steps for element in parsed(step.svg).iter() if element.get("id")]
    assert len(ids) == len(set(ids))
