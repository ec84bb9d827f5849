"""Find the slip: one wrong cell, told from what only follows, and other slips to choose from."""

import itertools

import numpy as np
import pytest

from quizprop.exercise import find_slip as slips_module
from quizprop.exercise.bank import load_bank
from quizprop.exercise.certify import Plan
from quizprop.exercise.find_slip import CELL
from quizprop.exercise.generate import draw, draw_many
from quizprop.exercise.grade import HIDDEN_BY_EARLIER, Verdict, grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.question import Chance, NoQuestionError
from quizprop.exercise.slips import routes, unseen, wrong_value
from tests.exercise.conftest import of_kind

BANK = load_bank()


@pytest.mark.unmeasured
def test_a_sheet_with_a_slip_is_graded_as_just_this_slip():
    for instance in of_kind("find_slip"):
        slip, sheet = instance.slip, instance.as_sheet
        texts = {cell.key: repr(slip.filled[cell.key]) for cell in sheet.cells}
        graded = grade(sheet, texts)
        assert graded.first_error == slip.key
        assert graded.marks[slip.key].verdict is Verdict.MISTAKE
        assert slip.route.mistake.code in graded.marks[slip.key].codes
        assert instance.questions[1].reason in graded.marks[slip.key].sentences, (
            "who found it hears what the tutor says"
        )
        keys = list(graded.marks)
        for key in keys[: keys.index(slip.key)]:
            assert graded.marks[key].verdict is Verdict.CORRECT
        for key in keys[keys.index(slip.key) + 1 :]:
            mark = graded.marks[key]
            assert mark.verdict.accepted or mark.sentences == (HIDDEN_BY_EARLIER,)


def test_every_number_on_the_sheet_has_the_places_that_it_says():
    for instance in of_kind("find_slip", 5):
        for value in instance.slip.filled.values():
            assert value == round(value, instance.exercise.places)
            assert str(value) != "-0.0"


def test_a_wrong_cell_is_told_whether_it_is_right_or_only_follows():
    follows = below = 0
    for instance in of_kind("find_slip", 10):
        keys = [cell.key for cell in instance.as_sheet.cells]
        slip = instance.slip
        question = instance.questions[0]
        assert question.key == CELL
        assert question.option(question.right).words.startswith(f"{{{slip.key}}} = ")
        for cell, option in zip(instance.as_sheet.cells, question.options, strict=True):
            if cell.key == slip.key:
                assert option.said == ""
            else:
                moved = slip.filled[cell.key] != slip.honest[cell.key]
                assert ("only follows" in option.said) == moved
                assert ("That value is right" in option.said) == (not moved)
                above = keys.index(cell.key) < keys.index(slip.key)
                assert ("further down" in option.said) == (above and not moved)
                follows += moved
                below += not moved and not above
    assert follows > 50
    assert below > 50


def test_no_other_slip_to_choose_gives_the_number_on_the_sheet():
    for instance in of_kind("find_slip", 10):
        slip, sheet = instance.slip, instance.as_sheet
        titles = [option.words for option in instance.questions[1].options]
        assert len(set(titles)) == len(titles)
        assert 4 <= len(titles) <= 5
        assert instance.questions[1].option(instance.questions[1].right).code == slip.route.mistake.code
        cells = unseen(sheet.structure, slip.key, sheet.plan.written)
        name, place = sheet.structure.places[slip.key]
        fitting = {
            route.mistake.misconception.title
            for route in routes(sheet.model, name, frozenset(cells))
            for value in [wrong_value(sheet.structure, route, sheet.sheet.values, entries={})[(0, *place)]]
            if abs(value - slip.filled[slip.key]) <= sheet.tolerances[slip.key]
        }
        assert fitting.intersection(titles) <= {slip.route.mistake.misconception.title}


def all_slips(slug):
    """Every slip that can be made on a sheet, with the bench that makes it."""
    sheet = draw(BANK[slug], np.random.default_rng(0))
    bench = slips_module.Bench(sheet)
    for route, mask in sheet.plan.showing.items():
        for key in sheet.structure.keys[route.shown_at][mask]:
            slip = bench.made(route, str(key))
            if slip is not None:
                yield bench, slip


@pytest.mark.parametrize("slug", ["deltas", "momentum", "which-eta-logistic"])
def test_a_slip_that_gives_nearly_the_same_number_is_not_to_choose(slug):
    """Nearly: within twice the tolerance, as the right value is told from a wrong one."""
    near = 0
    for bench, slip in all_slips(slug):
        here = {one.words for one in bench.distractors(slip, Chance([0.5])) if "another number there" in one.said}
        for route in bench.at(slip.key):
            value, title = bench.value(route, slip.key), route.mistake.misconception.title
            if title != slip.route.mistake.misconception.title and value is not None:
                alike = abs(value - slip.filled[slip.key]) <= 2 * bench.sheet.tolerances[slip.key]
                near += alike
                assert not (alike and title in here), (slip, title)
    assert near


def test_slips_of_other_steps_are_those_of_the_nearest_steps():
    """At most nine others are nearer than one that is to choose."""
    far = 0
    for bench, slip in itertools.islice(all_slips("momentum"), 40):
        here = {route.mistake.misconception.title for route in bench.at(slip.key)}
        order = list(bench.sheet.plan.asked)
        away = {}
        for route in bench.sheet.plan.showing:
            distance = abs(order.index(route.shown_at) - order.index(slip.route.shown_at))
            away.setdefault(route.mistake.misconception.title, []).append(distance)
        nearest = {title: min(distances) for title, distances in away.items() if title not in here}
        for option in bench.distractors(slip, Chance([0.5])):
            if "another step" in option.said:
                far += 1
                assert sum(one < nearest[option.words] for one in nearest.values()) < 10
    assert far


@pytest.mark.unmeasured
def test_slips_are_of_many_kinds_and_stand_in_many_places():
    found = [(one.slip.route.mistake.code, one.slip.key) for one in of_kind("find_slip", 20)]
    assert len({code for code, _ in found}) > 40
    assert len({key for _, key in found}) > 30


def test_a_slip_that_spoils_the_rest_of_the_sheet_is_not_made():
    """The net input of an output that should be a share: its logarithm is no number to write where it is negative."""
    made = set()
    for instance in itertools.islice(draw_many(BANK["find-slip-logistic"], np.random.default_rng(5)), 20):
        bench = slips_module.Bench(instance.as_sheet)
        (skipped,) = (route for route in instance.plan.showing if route.mistake.code == "a1:activation_skipped")
        lost = (instance.values["z1[1]"] < 0) == (instance.values["t[1]"] == 1) or instance.values["z1[1]"] > 1
        made.add((lost, bench.made(skipped, "a1[1]") is None))
    assert (True, True) in made


def test_without_enough_slips_to_choose_from_there_is_no_question(monkeypatch):
    instance = draw(BANK["find-slip-logistic"], np.random.default_rng(0))
    monkeypatch.setattr(slips_module, "_FEWEST", 40)
    with pytest.raises(NoQuestionError, match="too few slips"):
        _ = Instance(instance.exercise, instance.given).questions


def test_no_slip_is_told_where_none_can_be_made():
    instance = draw(BANK["find-slip-logistic"], np.random.default_rng(0))
    alone = instance.exercise.model_copy(
        update={"asked": ("b1_new",), "blind_spots": tuple(instance.plan.certified_codes)}
    )
    codes = Plan(alone).certified_codes
    blind = alone.model_copy(update={"blind_spots": (*alone.blind_spots, *codes)})
    with pytest.raises(NoQuestionError, match="no slip can be told without doubt"):
        _ = Instance(blind, instance.given).questions
