"""What the curves promise: the exercise's own loss, run on and moved aside, and nothing else."""

import re
import time

import numpy as np
import pytest

from quizprop.exercise.generate import draw
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import Symbol, symbol
from quizprop.exercise.plots import (
    STEPS,
    Descent,
    Slice,
    descent,
    descent_svg,
    slice_along,
    slice_svg,
    steepest_weight,
)
from tests.exercise.conftest import FAMILIES, ZOO
from tests.exercise.svg import SVG, assert_is_named_and_described, lengths, of_class, parsed, text_of

LOSS = Symbol("E_total", r"E_{\text{total}}")


def instance_of(slug, seed=1):
    return draw(FAMILIES[slug], np.random.default_rng(seed))


def stepped(instance):
    """The same exercise with the weights and biases after its step."""
    given = {name: value for name, value in instance.given.items() if name not in instance.structure.graph}
    for name, value in given.items():
        if f"{name}_new" in instance.structure.graph:
            moved = instance.structure.graph.evaluate(free(instance))[f"{name}_new"][0]
            given[name] = np.broadcast_to(moved, np.shape(value)).tolist()
    return {name: np.asarray(value, dtype=float)[None] for name, value in given.items()}


def free(instance):
    return {name: value for name, value in instance.arrays.items() if name not in instance.structure.graph}


# --- descent --------------------------------------------------------------------------------------------------------


def test_it_begins_with_the_loss_and_goes_on_with_the_loss_after_a_step(network_instances):
    for instance in network_instances[:3]:
        done = descent(instance, 1)
        now = instance.structure.graph.evaluate(free(instance))["E"][0]
        after = instance.structure.graph.evaluate(stepped(instance))["E"][0]
        assert done.steps == (0, 1)
        assert done.losses == pytest.approx([now, after], rel=1e-12)
        if not instance.exercise.shown:
            assert done.losses[0] == pytest.approx(instance.values["E"], rel=1e-12)


def test_mazurs_error_plummets_as_he_says():
    # "After repeating this process 10,000 times, the error plummets to 0.0000351085": the loss at the 10,000th pass.
    assert descent(instance_of("mazur"), 9_999).losses[-1] == pytest.approx(0.0000351085, rel=1e-5)


def test_a_further_step_costs_a_small_part_of_working_the_sheet():
    # Ten thousand of them belong to the page of every sheet that is solved.
    instance, graph = instance_of("mazur"), instance_of("mazur").structure.graph
    wanted = ["E", *(quantity.name for quantity in graph if "_new" in quantity.name)]
    descent(instance, 1)
    ratios = []
    for _ in range(5):
        start = time.process_time()
        descent(instance, 3000)
        between = time.process_time()
        for _ in range(300):
            graph.evaluate(instance.arrays, want=wanted)
        ratios.append((between - start) / 10 / (time.process_time() - between))
    assert min(ratios) < 0.1


def test_steps_are_sampled_from_first_to_last_each_once():
    done = descent(instance_of("logistic-unit"), 1_000)
    assert done.steps[:3] == (0, 1, 2)
    assert done.steps[-1] == 1_000
    assert list(done.steps) == sorted(set(done.steps))
    assert len(done.losses) == len(done.steps)
    assert done.ended


def test_steps_that_are_too_large_end_the_curve():
    instance = instance_of("relu-mse")
    wild = Instance(instance.exercise, {**instance.given, "eta": 1e6, "W1": [[1, 1], [1, 1]], "x": [[2, 2]]})
    done = descent(wild)
    assert not done.ended
    assert np.isfinite(done.losses).all()
    words = parsed(descent_svg(done, loss=LOSS)).find(f"{SVG}desc").text
    assert f"By step {done.steps[len(done.losses)]} it has grown a thousandfold" in words


def test_a_kept_bias_stays_and_a_shared_one_moves_as_one():
    kept = instance_of("mazur")
    assert descent(kept, 1).losses[1] == pytest.approx(kept.structure.graph.evaluate(stepped(kept))["E"][0], rel=1e-12)
    shared = instance_of("gradients-only")
    assert descent(shared, 2).losses[1] == pytest.approx(
        shared.structure.graph.evaluate(stepped(shared))["E"][0], rel=1e-12
    )


# --- along one weight -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", ["mazur", "softmax", "batch-mean", "leaky-mse", "gradients-only"])
def test_the_curve_is_the_loss_and_its_slope_the_gradient(slug):
    instance = instance_of(slug)
    keys = [str(key) for name in ("W1", "b1") for key in instance.structure.keys[name].flat if f"{name}_new"]
    for key in keys[:1] + (keys[-1:] if instance.network.update_biases else []):
        along = slice_along(instance, key)
        small = 1e-6
        low, high = (loss_with(instance, key, along.now[0] + side * small) for side in (-1, 1))
        assert along.now[1] == pytest.approx(instance.values["E"])
        assert along.slope == pytest.approx((high - low) / (2 * small), rel=1e-4, abs=1e-8)
        for weight, loss in [*list(zip(along.weights, along.losses, strict=True))[::40], along.after]:
            assert loss == pytest.approx(loss_with(instance, key, weight))
        assert along.after[0] == pytest.approx(along.now[0] - instance.given["eta"] * along.slope)


def loss_with(instance, key, weight):
    """The loss with one weight changed; a shared bias in all its units."""
    name, place = instance.structure.places[key]
    changed = {each: value.copy() for each, value in free(instance).items()}
    everywhere = name.startswith("b") and instance.network.bias == "shared"
    changed[name][(0, ...) if everywhere else (0, *place)] = weight
    return instance.structure.graph.evaluate(changed, want=["E"])["E"][0]


@pytest.mark.parametrize("key", ["x[1]", "b1[1]", "delta1[1]", "nothing"])
def test_only_what_a_step_moves_has_a_curve(key):
    with pytest.raises(ValueError, match=r"is no weight that a step changes; these are in W2, W1"):
        slice_along(instance_of("mazur"), key)


def test_the_steepest_weight_has_the_largest_gradient():
    instance = instance_of("mazur")
    gradients = {key: abs(value) for key, value in instance.values.items() if key.startswith("grad_W")}
    assert f"grad_{steepest_weight(instance)}" == max(gradients, key=gradients.get)
    assert steepest_weight(instance_of("forward-pass")) is None


# --- drawn ----------------------------------------------------------------------------------------------------------


def inside(root):
    left, top, width, height = map(float, root.get("viewBox").split())
    for line in root.iter(f"{SVG}polyline"):
        for x, y in (map(float, pair.split(",")) for pair in line.get("points").split()):
            assert left < x < left + width
            assert top < y < top + height
    for text in root.iter(f"{SVG}text"):
        x, y = lengths(text, "x", "y")
        assert left < x < left + width
        assert top < y < top + height


@pytest.mark.parametrize("slug", [*ZOO, "mazur", "tanh-regression"])
def test_curves_can_be_drawn_for_every_family(slug):
    instance = instance_of(slug)
    loss = symbol("E", instance.network, "mazur")
    roots = [parsed(descent_svg(descent(instance, 100), loss=loss))]
    key = steepest_weight(instance)
    if key is not None:
        weight = symbol(key, instance.network, "mazur")
        roots.append(parsed(slice_svg(slice_along(instance, key), weight=weight, loss=loss)))
    for root in roots:
        assert_is_named_and_described(root)
        inside(root)
        labels = sorted(lengths(text, "x", "y") for text in of_class(root, "qp-axes")[0].iter(f"{SVG}text"))
        assert len(labels) == len(set(labels)) >= 5


def test_the_axis_of_steps_is_logarithmic():
    root = parsed(descent_svg(Descent((0, 1, 9, 99, STEPS), (4.0, 3.0, 2.0, 1.0, 0.5)), loss=LOSS))
    (curve,) = of_class(root, "qp-curve")
    xs = [float(pair.split(",")[0]) for pair in curve.get("points").split()]
    assert xs[3] - xs[2] == pytest.approx(xs[2] - xs[0], abs=0.02)
    assert [text_of(text) for text in of_class(root, "qp-axes")[0].iter(f"{SVG}text")][-6:] == [
        *("0", "1", "10", "100", "1\u202f000", "10\u202f000"),
    ]
    assert "E_total, after step 0: 4, after step 1: 3, after step 10000: 0.5." in root.find(f"{SVG}desc").text


def test_now_and_after_differ_without_colour():
    root = parsed(descent_svg(Descent((0, 1, 10), (4.0, 3.0, 2.0)), loss=LOSS))
    (now,), (after,) = of_class(root, "qp-now"), of_class(root, "qp-after")
    assert now.get("fill") != after.get("fill")
    assert now.get("stroke") == after.get("stroke")


@pytest.mark.parametrize("slope", [0.0, -0.4, 3.0, 1e-9])
def test_the_tangent_touches_the_curve_and_stays_in_the_picture(slope):
    weights = tuple(np.linspace(-1, 1, 21))
    along = Slice("W1[1,1]", weights, tuple(weight**2 for weight in weights), (0.5, 0.25), slope, (0.4, 0.16))
    root = parsed(slice_svg(along, weight=Symbol("w1", "w_{1}"), loss=LOSS))
    tangent = of_class(root, "qp-tangent")[0]
    x1, y1, x2, y2 = lengths(tangent, "x1", "y1", "x2", "y2")
    now = of_class(root, "qp-now")[0]
    assert lengths(now, "cx", "cy") == pytest.approx([(x1 + x2) / 2, (y1 + y2) / 2], abs=0.02)
    assert (y2 < y1) == (slope > 1e-6)
    height = 240
    assert all(-0.02 <= y <= height + 0.02 for y in (y1, y2))
    assert re.search("Now w1 = 0.5 and E_total = 0.25", root.find(f"{SVG}desc").text)


def test_a_flat_curve_can_be_drawn():
    flat = Slice("W1[1,1]", (0.0, 1.0), (2.0, 2.0), (0.5, 2.0), 0.0, (0.5, 2.0))
    inside(parsed(slice_svg(flat, weight=LOSS, loss=LOSS)))
    inside(parsed(descent_svg(Descent((0, 1), (0.0, 0.0)), loss=LOSS)))
