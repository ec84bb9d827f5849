"""Every mistake shows, says what was done, and never gives a value away."""

import inspect
import itertools
import math
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quizprop.engine.backprop import training_step
from quizprop.engine.graph import Graph, quantity_name
from quizprop.engine.misconceptions import MISCONCEPTIONS
from quizprop.engine.mistakes import mistakes_on
from quizprop.engine.structure import structure_of

IDS = [f"{kind.stem} {kind.kind} {number}" for number, kind in enumerate(MISCONCEPTIONS)]


# --- every mistake shows --------------------------------------------------------------------------------------------


def in_general_position(structure, form, values):
    """The instances in which no ReLU hides what the form does: a zero hides whatever it is multiplied by.

    Where all units of a layer are off, little is left to tell apart above it, leak or not.
    """
    network, graph = structure.model, structure.graph
    reads = {*form.inputs, *(name for new in (form.name, *form.inputs) if "_new" in new for name in graph[new].inputs)}
    kept = np.ones(len(values["x"]), dtype=bool)
    for name in reads - {"t"}:
        kept &= (values[name] != 0).reshape(len(kept), -1).all(1)
    for layer, activation in enumerate(network.activations, start=1):
        if activation in ("relu", "leaky_relu"):
            kept &= (values[f"z{layer}"] > 0).any(-1).all(-1)
    return kept


def shown(structure, mistake, form, values):
    """Where the mistake should show, and where it does, by instance and cell."""
    with np.errstate(all="ignore"):
        wrong = form.of(values)
    right = values[mistake.name]
    assert wrong.shape == right.shape
    apart = ~np.isclose(wrong, right, rtol=1e-12, atol=1e-14)
    should = np.ones_like(apart) if mistake.where is None else np.broadcast_to(mistake.where.of(values), apart.shape)
    kept = in_general_position(structure, form, values)
    return should[kept], apart[kept]


def assert_every_mistake_shows(network, given):
    """Returns the misconceptions that were seen at work."""
    structure = structure_of(network)
    values = structure.graph.evaluate(given)
    seen = set()
    for mistake in structure.mistakes:
        for form in mistake.wrong:
            should, apart = shown(structure, mistake, form, values)
            # Two formulas may meet at some number (1 - z² and 1 - tanh²z near 0); at no cell do they meet often.
            misses = (should & ~apart).sum(0)
            assert (misses <= 2 + 0.05 * should.sum(0)).all(), f"{mistake.code} can't be told from the right formula"
            assert not (apart & ~should).any(), f"{mistake.code} shows where it is said to be hidden"
            if should.sum() > 20:
                seen.add(IDS[MISCONCEPTIONS.index(mistake.misconception)])
    return seen


def test_every_mistake_moves_every_cell_at_which_it_can_make_a_difference(network, numbers):
    seen = assert_every_mistake_shows(network, numbers(network, 0, batch=(600,)))
    if network.loss == "cce":
        seen |= assert_every_mistake_shows(network, numbers(network, 1, batch=(600,), one_hot=True))
    applicable = {IDS[MISCONCEPTIONS.index(mistake.misconception)] for mistake in structure_of(network).mistakes}
    assert seen == applicable


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(data=st.data(), seed=st.integers(0, 2**32 - 1), one_hot=st.booleans())
@pytest.mark.unmeasured
def test_in_any_other_network_too(networks, numbers, data, seed, one_hot):
    network = data.draw(networks)
    assert_every_mistake_shows(network, numbers(network, seed, batch=(300,), one_hot=one_hot and network.loss == "cce"))


def test_the_forms_of_a_mistake_give_different_numbers(network, numbers):
    structure = structure_of(network)
    values = structure.graph.evaluate(numbers(network, 0, batch=(20,)))
    for mistake in structure.mistakes:
        for one, other in itertools.combinations(mistake.wrong, 2):
            assert not np.allclose(one.of(values), other.of(values)), mistake.code


def test_every_misconception_can_be_made_in_some_network_of_the_table(all_networks):
    made = {
        IDS[MISCONCEPTIONS.index(mistake.misconception)]
        for network in all_networks.values()
        for mistake in structure_of(network).mistakes
    }
    assert made == set(IDS)


# --- what each gives ------------------------------------------------------------------------------------------------

# The wrong formulas that work unit by unit, once more in plain Python; those with a figure on Mazur's network or more
# than one unit in them are elsewhere.
UNIT_BY_UNIT = [
    ("mazur", "a1:activation_skipped", lambda z: z),
    ("mazur", "a1:exponent_sign", lambda z: 1 / (1 + math.exp(z))),
    ("mazur", "a1:one_left_out", lambda z: 1 / math.exp(-z)),
    ("mazur", "a1:tanh_for_sigmoid", lambda z: 1 - 2 / (1 + math.exp(2 * z))),
    ("three layers", "a2:sigmoid_for_tanh", lambda z: 1 / (1 + math.exp(-z))),
    ("linear", "a2:sigmoid_for_identity", lambda z: 1 / (1 + math.exp(-z))),
    ("relu output", "a1:activation_skipped", lambda z: z),
    ("relu output", "a1:absolute_value", lambda z: max(z, -z)),
    ("leaky relu", "a1:leak_left_out", lambda z: max(z, 0)),
    ("leaky relu", "a1:absolute_value", lambda z: max(z, -z)),
    ("cce", "a2:not_normalised", lambda z: 1 / math.exp(-z)),
    ("cce", "a2:sigmoid_for_softmax", lambda z: 1 / (1 + math.exp(-z))),
    ("mazur", "e:half_left_out", lambda a, t: (a - t) ** 2),
    ("mazur", "e:half_squared_too", lambda a, t: (a - t) ** 2 / 4),
    ("relu, mse", "e:half_added", lambda a, t: (a - t) ** 2 / 2),
    ("bce", "e:classes_swapped", lambda a, t: -(t * math.log(1 - a) + (1 - t) * math.log(a))),
    ("bce", "e:minus_left_out", lambda a, t: t * math.log(a) + (1 - t) * math.log(1 - a)),
    ("bce", "e:common_logarithm", lambda a, t: -(t * math.log10(a) + (1 - t) * math.log10(1 - a))),
    ("cce", "e:minus_left_out", lambda a, t: t * math.log(a)),
    ("cce", "e:common_logarithm", lambda a, t: -t * math.log10(a)),
    ("cce", "e:all_classes_counted", lambda a: -math.log(a)),
    ("relu, mse", "dE_da3:sign_flipped", lambda a, t: t - a),
    ("relu, mse", "dE_da3:two_left_out", lambda a, t: (a - t) / 2),
    ("relu, mse", "dE_da3:mean_left_out", lambda a, t: 2 * (a - t)),
    ("bce", "dE_da2:sign_flipped", lambda a, t: t / a - (1 - t) / (1 - a)),
    ("bce", "dE_da2:slope_cancelled_early", lambda a, t: a - t),
    ("cce", "dE_da2:sign_flipped", lambda a, t: t / a),
    ("mazur", "dE_da2:net_input_for_output", lambda z, t: z - t),
    ("mazur", "da_dz1:slope_one_minus_a", lambda a: 1 - a),
    ("mazur", "da_dz1:slope_of_tanh", lambda a: 1 - a**2),
    ("bce", "da_dz1:slope_of_sigmoid", lambda a: a * (1 - a)),
    ("bce", "da_dz1:slope_at_net_input", lambda z: 1 - z**2),
    ("bce", "da_dz1:slope_not_squared", lambda a: 1 - a),
    ("relu output", "da_dz1:net_input_for_slope", lambda z: z),
    ("relu output", "da_dz1:switch_reversed", lambda z: float(z <= 0)),
    ("leaky relu", "da_dz1:switch_reversed", lambda z: 0.01 if z > 0 else 1.0),
    ("mazur", "delta2:slope_only", lambda da_dz: da_dz),
    ("mazur", "delta2:slope_twice", lambda dE_da, da_dz: dE_da * da_dz**2),
    ("mazur", "delta1:slope_of_error", lambda dE_da: dE_da * (1 - dE_da)),
    ("bce", "delta2:sign_flipped", lambda a, t: t - a),
    ("cce", "delta2:slope_of_output_again", lambda a, t: (a - t) * a * (1 - a)),
    ("softmax, half_sse", "delta1:diagonal_only", lambda dE_da, a: dE_da * a * (1 - a)),
    ("mazur", "W1_new:no_step", lambda W: W),
    ("mazur", "W1_new:step_only", lambda eta, grad_W: eta * grad_W),
    ("mazur", "W1_new:weight_scaled", lambda W, eta, grad_W: eta * W - eta * grad_W),
    ("three layers", "b1_new:bias_not_updated", lambda b: b),
    ("three layers", "b1_new:step_added", lambda b, eta, grad_b: b + eta * grad_b),
    ("three layers", "b1_new:eta_forgotten", lambda b, grad_b: b - grad_b),
    ("three layers", "b1_new:step_only", lambda eta, grad_b: eta * grad_b),
]


@pytest.mark.parametrize(
    ("name", "code", "formula"), UNIT_BY_UNIT, ids=[f"{row[1]} in {row[0]}" for row in UNIT_BY_UNIT]
)
def test_a_mistake_does_what_its_words_say(all_networks, numbers, name, code, formula):
    network = all_networks[name]
    given = numbers(network, 7)
    values = structure_of(network).graph.evaluate(given)
    layer = int(found[0]) if (found := re.search(r"\d+", code)) else network.depth
    reads = [values.get(quantity_name(role, layer), values.get(role)) for role in inspect.signature(formula).parameters]
    expected = np.vectorize(formula, otypes=[float])(*reads)
    assert mistaken(network, code, given) == pytest.approx(expected)


# --- examples of a mini-batch ---------------------------------------------------------------------------------------


def mistaken(network, code, given, form=0):
    structure = structure_of(network)
    mistake = next(mistake for mistake in structure.mistakes if mistake.code == code)
    return structure.graph.replacing(mistake.wrong[form]).evaluate(given)[mistake.name]


def test_a_mistake_that_is_not_about_the_batch_leaves_the_batch_averaged(all_networks, numbers):
    network = all_networks["batch mean"]
    given = numbers(network, 0)
    right = structure_of(network).graph.evaluate(given)
    assert mistaken(network, "grad_W2:input_left_out", given) == pytest.approx(
        np.repeat(right["delta2"].mean(0)[:, None], 2, axis=1)
    )
    assert mistaken(network, "grad_b2:times_input", given) == pytest.approx(
        (right["delta2"] * right["a1"][:, :1]).mean(0)
    )
    assert mistaken(network, "E:one_output_only", given, form=1) == pytest.approx(right["e"][:, 1].mean())
    assert mistaken(network, "E:mean_for_sum", given) == pytest.approx(right["e"].mean())


def test_a_mistake_that_is_not_about_the_batch_leaves_the_batch_summed(all_networks, numbers):
    network = all_networks["batch sum, mse"]
    given = numbers(network, 0)
    right = structure_of(network).graph.evaluate(given)
    assert mistaken(network, "E:sum_for_mean", given) == pytest.approx(right["e"].sum())
    assert mistaken(network, "E:batch_mean_for_sum", given) == pytest.approx(right["e"].mean())
    assert mistaken(network, "grad_W2:input_left_out", given)[:, 0] == pytest.approx(right["delta2"].sum(0))


def test_a_wrongly_summed_batch_still_averages_its_outputs(all_networks, numbers):
    network = all_networks["batch mean, mse, shared"]
    given = numbers(network, 0)
    right = structure_of(network).graph.evaluate(given)
    assert mistaken(network, "E:batch_sum_for_mean", given) == pytest.approx(right["e"].mean(1).sum())
    assert mistaken(network, "grad_b2:batch_sum_for_mean", given) == pytest.approx([right["delta2"].sum()])
    assert mistaken(network, "grad_b2:batch_mean_twice", given) == pytest.approx([right["delta2"].sum() / 4])


# --- codes ----------------------------------------------------------------------------------------------------------


def test_the_library_is_wide():
    assert len({kind.kind for kind in MISCONCEPTIONS}) >= 30
    assert len({(kind.stem, kind.kind) for kind in MISCONCEPTIONS}) >= 60


def test_every_stem_of_a_training_step_has_its_mistakes(all_networks):
    stems = {quantity.formula.stem for network in all_networks.values() for quantity in structure_of(network).graph}
    assert {kind.stem for kind in MISCONCEPTIONS} == stems


@settings(max_examples=100, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_code_stands_for_one_mistake_in_a_network(networks, data):
    network = data.draw(networks)
    codes = Counter(mistake.code for mistake in mistakes_on(network, training_step(network)))
    assert not {code for code, times in codes.items() if times > 1}


def test_a_mistake_has_its_quantitys_name_and_place(network):
    structure = structure_of(network)
    for mistake in structure.mistakes:
        right = structure.graph[mistake.name]
        assert mistake.code == f"{right.name}:{mistake.misconception.kind}"
        for form in mistake.wrong:
            assert (form.name, form.layer, form.formula.stem) == (right.name, right.layer, right.formula.stem)
            assert form.formula.per_example == right.formula.per_example


def test_mistakes_come_in_the_order_of_the_sheet(network):
    structure = structure_of(network)
    order = [quantity.name for quantity in structure.graph]
    places = [order.index(mistake.name) for mistake in structure.mistakes]
    assert places == sorted(places)


def test_a_skipped_step_of_the_update_is_never_accepted():
    forbidden = {(kind.stem, kind.kind) for kind in MISCONCEPTIONS if kind.forbidden}
    assert forbidden == {
        *(("W_new", kind) for kind in ("step_added", "eta_forgotten", "no_step")),
        *(("b_new", kind) for kind in ("step_added", "eta_forgotten", "bias_not_updated", "bias_updated")),
    }


def test_a_mistake_needs_what_it_reads(all_networks):
    network = all_networks["mazur"]
    graph = training_step(network)
    forward = Graph(tuple(quantity for quantity in graph if quantity.formula.stem in ("z", "a") and not quantity.after))
    assert {mistake.name for mistake in mistakes_on(network, forward)} == {"z1", "a1", "z2", "a2"}
    no_update = Graph(tuple(quantity for quantity in graph if not quantity.name.endswith("_new")))
    codes = {mistake.code for mistake in mistakes_on(network, no_update)}
    assert "path2:weights_left_out" in codes
    assert "path2:updated_weights" not in codes


# --- words ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", MISCONCEPTIONS, ids=IDS)
def test_its_sentence_says_what_to_think_of_and_holds_no_value(kind):
    assert kind.sentence.endswith(".")
    assert 25 <= len(kind.sentence) <= 200
    assert kind.sentence.count("*") % 2 == 0
    assert re.fullmatch(r"[a-z][a-z_]+", kind.kind)
    assert kind.title
    assert not kind.title.endswith(".")
    # Only numbers that belong to a formula: the 1 of a sigmoid, the 2 of a square, the base of a logarithm, a range.
    assert set(re.findall(r"\d+(?:[.,]\d+)?", f"{kind.title} {kind.sentence}")) <= {"0", "1", "2", "10"}


def test_one_kind_at_one_stem_has_one_title():
    titles = {}
    for kind in MISCONCEPTIONS:
        assert titles.setdefault((kind.stem, kind.kind), kind.title) == kind.title
