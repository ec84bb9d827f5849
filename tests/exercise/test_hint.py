"""Three rungs of help for every cell, and never its value."""

import re

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import exact, to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.hint import RUNGS, hints, row_formula
from quizprop.exercise.notation import NOTATIONS, mathml
from quizprop.exercise.spec import Exercise

NAMES = [name for name, _ in NOTATIONS]
FIGURE = re.compile(r"−?\d+\.\d+")


@pytest.fixture(scope="module")
def mazur():
    return draw(load_bank()["mazur"], np.random.default_rng(0))


def cell_of(instance, key):
    return next(cell for cell in instance.cells if cell.key == key)


def written_by(instance, keys):
    """What an honest student typed so far."""
    return {key: round(instance.values[key], instance.exercise.places) for key in keys}


def given_figures(instance):
    return {
        to_places(abs(value), 3)
        for key, value in instance.values.items()
        if instance.structure.places[key][0] in instance.given
    }


@pytest.mark.parametrize("notation", NAMES)
def test_every_cell_has_three_hints_that_a_page_can_show(instances, notation):
    instance = instances[0]
    for cell in instance.cells:
        three = hints(instance, cell, notation, written_by(instance, [one.key for one in instance.cells]))
        assert tuple(hint.rung for hint in three) == RUNGS
        assert three[0].words.endswith(".")
        for hint in three:
            assert hint.text
            for line in hint.lines:
                assert mathml(line.latex).startswith("<math"), line.latex
                assert "\\" not in mathml(line.latex), line.latex
                assert re.search(" :?= ", line.text), line.text
                assert not re.search(r"[\\{}]", line.text), line.text


def test_no_hint_holds_a_value_that_is_not_typed_yet(instances):
    for instance in instances[:4]:
        keys = [cell.key for cell in instance.cells]
        for at, cell in enumerate(instance.cells):
            known = written_by(instance, keys[:at])
            on_the_page = given_figures(instance) | {to_places(abs(value), 3) for value in known.values()}
            told = "\n".join(hint.text for hint in hints(instance, cell, "plain", known))
            figures = {to_places(abs(float(found.replace("−", "-"))), 3) for found in FIGURE.findall(told)}
            hidden = {to_places(abs(instance.values[key]), 3) for key in keys[at:]} - on_the_page
            hidden = {figure for figure in hidden if len(figure.strip("0.")) > 1}
            assert not figures & hidden, (cell.key, told)


def test_a_blank_sheet_gets_symbols_for_all_that_is_asked(mazur):
    hint = hints(mazur, cell_of(mazur, "dE_da1[1]"), "mazur", {})[2]
    assert hint.lines[0].text == "∂E_total/∂out_h1 = 0.4 · δ_o1 + 0.5 · δ_o2"
    assert "symbol" in hint.words


def test_the_students_own_values_stand_in_the_formula_right_or_wrong(mazur):
    hint = hints(mazur, cell_of(mazur, "dE_da1[1]"), "mazur", {"delta2[1]": 7.25, "delta2[2]": -1 / 3})[2]
    assert hint.lines[0].text == "∂E_total/∂out_h1 = 0.4 · 7.25 + 0.5 · (−0.3333333333)"
    assert hint.lines[0].latex.endswith(r"= 0.4 \cdot 7.25 + 0.5 \cdot \left(-0.3333333333\right)")
    assert not hint.words


def test_the_cells_own_text_is_not_told_back(mazur):
    cell = cell_of(mazur, "z1[1]")
    assert hints(mazur, cell, "mazur", {"z1[1]": 7.25}) == hints(mazur, cell, "mazur", {})


def test_what_nobody_asks_for_is_written_out_or_explained():
    instance = draw(load_bank()["deltas"], np.random.default_rng(0))
    delta = hints(instance, cell_of(instance, "delta1[1]"), "plain", {})[1]
    assert delta.text == ("delta1[1] = (W2[1,1] · delta2[1] + W2[2,1] · delta2[2]) · a1[1] · (1 − a1[1])")
    batch = draw(load_bank()["mini-batch"], np.random.default_rng(0))
    total = hints(batch, cell_of(batch, "E"), "plain", {})[1]
    lines = [line.text.partition(" = ")[0] for line in total.lines]
    assert lines == ["E", "e[1]@1"]
    assert "likewise" in total.words


@pytest.mark.parametrize(("slug", "others"), [("chain", 0), ("mazur", 1), ("mini-batch", 2)])
def test_the_others_of_a_kind_are_spoken_of_where_there_are_some(slug, others):
    """The errors of the single outputs: one of them is written out."""
    base = draw(load_bank()[slug], np.random.default_rng(0))
    instance = type(base)(base.exercise.model_copy(update={"asked": ("E",)}), base.given)
    assert sum(key.startswith("e[") for key in instance.values) == others + 1
    assert ("likewise" in hints(instance, instance.cells[0], "plain", {})[1].words) == bool(others)


def test_where_a_value_is_only_carried_over_no_number_gives_it_away():
    instance = draw(load_bank()["tanh-regression"], np.random.default_rng(0))
    hint = hints(instance, cell_of(instance, "grad_b2[1]"), "plain", {"delta2[1]": 7.25})[2]
    assert hint.text == "grad_b2[1] = delta2[1]\nThere is nothing to compute at this step."


def test_a_value_that_only_changes_its_sign_is_not_given_away_either():
    instance = draw(load_bank()["circuit-sigmoid"], np.random.default_rng(0))
    hint = hints(instance, cell_of(instance, "n"), "plain", {"s": 7.25})[2]
    assert "7.25" not in hint.text
    assert hint.words == "There is nothing to compute at this step."


@pytest.mark.parametrize("slug", ["chain", "tanh-regression", "after-the-step"])
def test_where_a_carried_value_is_not_written_the_numbers_are_those_of_its_own_formula(slug):
    instance = draw(load_bank()[slug], np.random.default_rng(0))
    hint = hints(instance, cell_of(instance, "E"), "plain", {})[2]
    first, second = hint.lines
    assert first.text == "E = e[1]"
    assert f"({exact(instance.given['t'][0][0])} −" in second.text
    assert "nothing to compute" not in hint.words


def test_where_the_formula_is_the_value_there_are_words_alone():
    base = load_bank()["tanh-regression"]
    exercise = base.model_copy(update={"asked": (*base.asked, "da_dz2")})
    instance = type(draw(base, np.random.default_rng(0)))(exercise, draw(base, np.random.default_rng(0)).given)
    three = hints(instance, cell_of(instance, "da_dz2[1]"), "plain", {})
    assert not any(hint.lines for hint in three)
    assert "1" not in "".join(hint.text for hint in three)


def test_matrices_show_the_formula_of_the_layer_before_that_of_the_entry():
    batch = draw(load_bank()["mini-batch"], np.random.default_rng(0))
    lines = hints(batch, cell_of(batch, "grad_W1[1,1]"), "matrix", {})[1].lines
    assert lines[0].text == "dW^[1] = 1/m dZ^[1] A^[0]T"
    assert lines[1].text.startswith("dW^[1]_1,1 = (dZ^[1]_1,1 · A^[0]_1,1 + ")


def test_only_matrices_have_a_formula_for_a_row(mazur):
    assert [row_formula(mazur, "z1", name) is not None for name in NAMES] == [name == "matrix" for name in NAMES]


def test_a_derivative_that_nobody_asks_for_stands_inside_the_formula_of_its_row():
    instance = draw(load_bank()["deltas"], np.random.default_rng(0))
    assert row_formula(instance, "delta1", "matrix").text == "dz^[1] = W^[2]T dz^[2] ⊙ g'^[1](z^[1])"
    assert row_formula(instance, "delta2", "matrix").text == "dz^[2] = (a^[2] − y) ⊙ g'^[2](z^[2])"


def test_a_derivative_that_is_shown_is_named_in_the_formula_of_its_row_as_one_that_is_asked():
    exercise = load_bank()["deltas"].model_dump()
    of_both = []
    for change in ({"asked": ["dE_da2", "delta2"]}, {"asked": ["delta2"], "shown": [*exercise["shown"], "dE_da2"]}):
        instance = draw(Exercise.model_validate({**exercise, **change}), np.random.default_rng(0))
        of_both.append(row_formula(instance, "delta2", "matrix"))
    assert (
        of_both[0]
        == of_both[1]
        != row_formula(draw(load_bank()["deltas"], np.random.default_rng(0)), "delta2", "matrix")
    )


def test_what_is_shown_counts_as_known():
    instance = draw(load_bank()["deltas"], np.random.default_rng(0))
    hint = hints(instance, cell_of(instance, "delta2[1]"), "plain", {})[2]
    assert exact(instance.values["a2[1]"]) in hint.text
