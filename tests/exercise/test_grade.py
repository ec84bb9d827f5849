"""Grading Mazur's sheet and its relatives, case by case."""

import json
import math

import numpy as np
import pytest

from quizprop.exercise.bank import load_bank
from quizprop.exercise.figures import to_places
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import HIDDEN_BY_EARLIER, Sent, Verdict, grade, verdicts
from quizprop.exercise.instance import Instance

HIDDEN = (HIDDEN_BY_EARLIER,)
BANK = tuple(load_bank())


@pytest.fixture(scope="module")
def mazur():
    return draw(load_bank()["mazur"], np.random.default_rng(0))


@pytest.fixture(scope="module")
def honest(mazur):
    return {cell.key: f"{mazur.values[cell.key]:.4f}" for cell in mazur.cells}


def test_hidden_deltas_through_updated_weights_are_named_and_the_rest_follows(mazur, honest):
    # The figures of the readers who update the output weights first: 0.4 and 0.5 have become 0.3589 and 0.5113.
    slip = {
        "dE_da1[1]": "0.0302",
        "dE_da1[2]": "0.0352",
        "delta1[1]": "0.0073",
        "delta1[2]": "0.0085",
        "grad_W1[1,2]": "0.0007",
        "W1_new[1,2]": "0.1996",
    }
    graded = grade(mazur, {**honest, **slip})
    assert graded.first_error == "dE_da1[1]"
    mark = graded.marks["dE_da1[1]"]
    assert mark.verdict is Verdict.MISTAKE
    assert mark.codes == ("path2:updated_weights",)
    assert "updated" in mark.sentences[0]
    assert graded.marks["delta1[1]"].verdict is Verdict.FOLLOWS
    assert graded.points == graded.out_of - 2


def test_working_and_a_decimal_comma_are_read(mazur, honest):
    answers = {**honest, "a1[1]": "1/(1+exp(-0.3775))", "z1[1]": "0.15*0.05 + 0.2*0.1 + 0.35"}
    graded = grade(mazur, answers)
    assert graded.complete
    assert graded.marks["z1[1]"].reading.echo == "0.3775"
    commas = {key: text.replace(".", ",") for key, text in honest.items()}
    assert grade(mazur, commas, decimal_comma=True).complete
    assert grade(mazur, commas).points == 0


def test_several_mistakes_that_give_the_same_number_are_all_named():
    instance = draw(load_bank()["deltas"], np.random.default_rng(0))
    # Nothing but the sign is seen: it may have gone wrong in the derivative or in the delta.
    answer = -instance.values["delta2[1]"]
    mark = grade(instance, {"delta2[1]": repr(answer)}).marks["delta2[1]"]
    assert {"dE_da2:sign_flipped", "delta2:sign_flipped"} <= set(mark.codes)
    assert len(set(mark.sentences)) == len(mark.sentences) <= len(mark.codes)


def test_the_activation_before_dropout_is_named_at_kept_and_at_dropped_units():
    instance = draw(load_bank()["dropout"], np.random.default_rng(0))
    values = instance.values
    keys = [key for key in values if key.startswith("grad_v[")]
    assert set(np.ravel(instance.given["m"])) == {0, 1}
    marks = grade(instance, {key: repr(values["grad_y"] * values[f"a{key[6:]}"]) for key in keys}).marks
    assert [marks[key].verdict for key in keys] == [Verdict.MISTAKE] * len(keys)
    left_out = ["scale" if kept else "mask" for kept in np.ravel(instance.given["m"])]
    assert [marks[key].codes for key in keys] == [(f"grad_v:{one}_left_out",) for one in left_out]


@pytest.mark.parametrize("places", [1, 2, 3])
@pytest.mark.parametrize("step", [round, lambda value, places: math.trunc(value * 10**places) / 10**places])
def test_right_values_with_too_few_decimals_are_told_so(mazur, step, places):
    answers = {cell.key: f"{step(mazur.values[cell.key], places):.{places}f}" for cell in mazur.cells}
    refused = [mark for mark in grade(mazur, answers).marks.values() if not mark.verdict.accepted]
    assert len(refused) > 5
    assert all("too few decimals: write 4" in mark.sentences[-1] for mark in refused if mark.sentences[:1] != HIDDEN)


def test_a_value_cut_off_at_the_last_decimal_is_told_so(mazur):
    assert mazur.values["W1_new[1,1]"] == pytest.approx(0.14978, abs=1e-5)
    mark = grade(mazur, {"W1_new[1,1]": "0.1497"}).marks["W1_new[1,1]"]
    assert "cut off" in mark.sentences[-1]


def test_nobody_who_writes_all_decimals_is_told_of_too_few(mazur, honest):
    for answer in ("-0.0364", "0.5364", "1/27", "0.", "0.04"):
        mark = grade(mazur, {**honest, "dE_da1[1]": answer}).marks["dE_da1[1]"]
        assert any("too few decimals" in sentence for sentence in mark.sentences) == (answer == "0.04")


def test_a_value_is_cut_off_also_where_it_follows_from_a_slip(mazur, honest):
    assert 1 / (1 + math.exp(-0.5)) == pytest.approx(0.6225, abs=1e-4)
    mark = grade(mazur, {**honest, "z1[1]": "0.5", "a1[1]": "0.62"}).marks["a1[1]"]
    assert "too few decimals" in mark.sentences[-1]


def test_what_two_mistakes_have_to_be_told_is_said_once():
    """The states and what comes back are the same in both steps, so either may have been left out."""
    instance = draw(load_bank()["recurrent-each-step"], np.random.default_rng(0))
    own = {"h1": "0.5", "h2": "0.5", "grad_y1": "0.25", "grad_y2": "0.25", "grad_v": "0.375"}
    mark = grade(instance, own).marks["grad_v"]
    assert {"part_v1:input_left_out", "part_v2:input_left_out"} <= set(mark.codes)
    assert len(set(mark.sentences)) == len(mark.sentences) < len(mark.codes)


def test_a_mistake_that_only_the_students_own_values_allow_is_named():
    instance = draw(load_bank()["forward-relu"], np.random.default_rng(0))
    assert instance.values["z1[1]"] > 0, "a unit that is on passes its net input"
    mark = grade(instance, {"z1[1]": "-0.5", "a1[1]": "-0.5"}).marks["a1[1]"]
    assert mark.codes == ("a1:activation_skipped",)


@pytest.mark.parametrize("net_input", ["0.5", "0.3775"])
def test_a_mistake_is_named_be_it_made_on_the_students_own_values_or_on_the_right_ones(mazur, honest, net_input):
    mark = grade(mazur, {**honest, "z1[1]": "0.5", "a1[1]": net_input}).marks["a1[1]"]
    assert "a1:activation_skipped" in mark.codes


def test_a_wrong_number_that_no_mistake_gives_is_just_wrong(mazur, honest):
    mark = grade(mazur, {**honest, "z1[1]": "0.7"}).marks["z1[1]"]
    assert (mark.verdict, mark.codes, mark.sentences) == (Verdict.WRONG, (), ())


def test_zeros_upstream_hide_everything_and_earn_nothing(mazur, honest):
    answers = {**honest, "dE_da2[1]": "0", "dE_da2[2]": "0"}
    for key in honest:
        if key.startswith(("delta", "grad", "dE_da1")):
            answers[key] = "0"
        if "_new" in key:
            answers[key] = repr(mazur.values[key.replace("_new", "")])
    marks = grade(mazur, answers).marks
    for key, mark in marks.items():
        if key.startswith(("delta", "grad", "dE_da")) or "_new" in key:
            assert not mark.verdict.accepted
    assert marks["delta2[1]"].sentences == (HIDDEN_BY_EARLIER,)
    assert marks["W2_new[1,1]"].sentences == (HIDDEN_BY_EARLIER,)


def test_where_earlier_values_leave_no_number_the_cell_says_so():
    instance = draw(load_bank()["logistic-unit"], np.random.default_rng(0))
    # An activation of 1.5 has no logarithm of 1 - a.
    mark = grade(instance, {"a1[1]": "1.5", "E": "0.7"}).marks["E"]
    assert (mark.verdict, mark.sentences) == (Verdict.WRONG, (HIDDEN_BY_EARLIER,))


def test_a_blank_beside_a_right_value_blames_nobody():
    instance = draw(load_bank()["mazur-like"], np.random.default_rng(2))
    right = f"{instance.values['dE_da2[1]']:.4f}"
    # Twice the delta: a factor 2 in the derivative would explain it, but that derivative is written, and right.
    answers = {"dE_da2[1]": right, "delta2[1]": repr(2 * instance.values["delta2[1]"])}
    assert not any(code.startswith("dE_da2") for code in grade(instance, answers).marks["delta2[1]"].codes)


def test_what_is_never_asked_does_not_hide_what_is():
    instance = draw(load_bank()["han-kamber"], np.random.default_rng(0))
    answers = {cell.key: f"{instance.values[cell.key]:.4f}" for cell in instance.cells}
    weight, eta = instance.values["W1[1,1]"], instance.values["eta"]
    own_output = instance.values["delta1[1]"] * instance.values["a1[1]"]
    mark = grade(instance, {**answers, "W1_new[1,1]": f"{weight - eta * own_output:.4f}"}).marks["W1_new[1,1]"]
    assert not any(code.startswith("grad_W1") for code in mark.codes)


@pytest.fixture(scope="module")
def pooled():
    """A sheet on which a position is chosen, with the numbers of its largest and of another that is on."""
    instance = draw(load_bank()["max-pooling"], np.random.default_rng(0))
    order = sorted((1, 2, 3), key=lambda place: instance.values[f"a[{place}]"])
    return instance, order[2], order[1]


def test_a_choice_that_follows_from_earlier_values_follows_be_it_no_or_yes(pooled):
    instance, largest, other = pooled
    slip = {f"a[{other}]": "9", f"switch[{largest}]": "0", f"switch[{other}]": "1"}
    marks = grade(instance, slip).marks
    assert marks[f"switch[{largest}]"].verdict is Verdict.FOLLOWS
    assert marks[f"switch[{other}]"].verdict is Verdict.FOLLOWS


def test_a_tie_among_a_students_own_values_falls_either_way(pooled):
    instance, largest, other = pooled
    for choice in ("0", "1"):
        slip = {f"a[{largest}]": "9", f"a[{other}]": "9", f"switch[{other}]": choice}
        mark = grade(instance, slip).marks[f"switch[{other}]"]
        assert mark.verdict.accepted or mark.sentences == (HIDDEN_BY_EARLIER,)


def test_a_slip_on_the_way_is_said_to_be_on_the_way():
    instance = draw(load_bank()["mazur-like"], np.random.default_rng(2))
    z, error = instance.values["z2[1]"], instance.values["dE_da2[1]"]
    mark = grade(instance, {"delta2[1]": repr(error * z * (1 - z))}).marks["delta2[1]"]
    sentence = mark.sentences[mark.codes.index("da_dz2:slope_at_net_input")]
    assert sentence.startswith("On the way (slope of the activation): ")


@pytest.mark.unmeasured
def test_a_forgotten_learning_rate_that_is_rounded_does_not_follow():
    exercise = load_bank()["mazur-like"]
    for seed in range(20):
        instance = draw(exercise, np.random.default_rng(seed))
        old = instance.values["W2[1,1]"]
        for gradient in np.arange(0.0002, 0.003, 0.00016):
            answers = {"grad_W2[1,1]": f"{gradient:.5f}", "W2_new[1,1]": f"{old - gradient:.4f}"}
            marks = grade(instance, answers).marks
            if not marks["grad_W2[1,1]"].verdict.accepted:
                assert not marks["W2_new[1,1]"].verdict.accepted


def test_a_forgotten_learning_rate_does_not_follow_either_where_the_gradient_is_rounded():
    drawn = draw(load_bank()["mazur-like"], np.random.default_rng(0))
    instance = Instance(drawn.exercise, {**drawn.given, "eta": 0.5})
    old = instance.values["W2[1,1]"]
    for gradient in np.arange(0.00011, 0.0004, 0.00001):
        assert abs(instance.values["grad_W2[1,1]"]) > 0.01
        answers = {"grad_W2[1,1]": f"{gradient:.4f}", "W2_new[1,1]": f"{old - gradient:.6f}"}
        assert not grade(instance, answers).marks["W2_new[1,1]"].verdict.accepted


def test_what_follows_can_be_worth_less(mazur, honest):
    answers = {**honest, "z1[1]": "0.5", "a1[1]": f"{1 / (1 + np.exp(-0.5)):.4f}"}
    full, half = grade(mazur, answers), grade(mazur, answers, follow_credit=0.5)
    assert full.marks["a1[1]"].verdict is Verdict.FOLLOWS
    follows = sum(mark.verdict is Verdict.FOLLOWS for mark in full.marks.values())
    assert half.points == full.points - follows / 2


def test_many_sheets_at_once_are_judged_as_each_by_itself(mazur, honest):
    bias_left_out = {"z1[1]": "0.0275", "a1[1]": "0.5069", "z2[1]": "x", "E": "", "dE_da2[1]": "0", "dE_da2[2]": "0"}
    typed = ({}, honest, honest | bias_left_out, dict.fromkeys(honest, "0"))
    sheets = [Sent(mazur, answers, only=only) for answers in typed for only in (None, {"z1[1]", "E"})]
    sheets.append(Sent(mazur, {"z1[1]": "0,3775", "z1[2]": "0.3925"}, decimal_comma=True))
    rng = np.random.default_rng(7)
    for slug in BANK:  # in turns, so that sheets of one exercise stand apart
        for instance in (draw(load_bank()[slug], np.random.default_rng(seed)) for seed in (1, 2)):
            sheets.append(Sent(instance, {cell.key: "1" for cell in instance.cells}))
            sheets.append(Sent(instance, _typed(instance, rng)))
    rng.shuffle(sheets)
    explained = 0
    for sent, found in zip(sheets, verdicts(sheets), strict=True):
        again = Instance(sent.instance.exercise, sent.instance.given)
        alone = grade(again, sent.answers, decimal_comma=sent.decimal_comma, only=sent.only)
        assert list(found) == list(alone.marks)
        for key, mark in alone.marks.items():
            named = mark.verdict is Verdict.MISTAKE and not sent.instance.questions
            assert found[key] is (Verdict.WRONG if named else mark.verdict), (sent.instance.exercise.slug, key)
            explained += named
    assert explained > len(BANK)


def _typed(instance, rng):
    """Honest work with a slip, a blank and what can't be read here and there."""
    odd = ("{}7", "-{}", "", "?")
    texts = {}
    for cell in instance.cells:
        right = instance.questions and next(one.right for one in instance.questions if one.key == cell.key)
        texts[cell.key] = to_places(right or instance.values.get(cell.key, 0), instance.exercise.places)
        if rng.random() < 0.3:
            texts[cell.key] = odd[rng.integers(len(odd))].format(texts[cell.key])
    return texts


@pytest.mark.parametrize("slug", BANK)
def test_a_sheet_is_judged_alike_whether_its_exact_values_are_there_already_or_not(slug):
    drawn = draw(load_bank()[slug], np.random.default_rng(3))
    texts = _typed(drawn, np.random.default_rng(4))
    fresh, known = (Instance(drawn.exercise, drawn.given) for _ in range(2))
    assert known.sheet
    assert grade(fresh, texts) == grade(known, texts)
    assert drawn.questions or fresh.is_worked
    assert fresh.tolerances == pytest.approx(known.tolerances, rel=1e-9, nan_ok=True)


def test_no_sheets_at_once_are_none():
    assert verdicts([]) == []


@pytest.mark.parametrize("slug", ["max-pooling", "which-eta", "residual-relu", "adam-first-step"])
@pytest.mark.unmeasured
def test_a_mistake_that_may_give_anything_explains_nothing(slug):
    """Beyond a kink, a tie or a large exponential a mistake leads anywhere, to the right value too."""
    rng = np.random.default_rng(3)
    named = tried = 0
    for instance in (draw(load_bank()[slug], rng) for _ in range(5)):
        for cell in instance.cells:
            right = instance.values[cell.key]
            for off in rng.uniform(0.2, 2.0, 4) * rng.choice([-1, 1], 4):
                if not cell.options:
                    mark = grade(instance, {cell.key: f"{right + off:.7f}"}).marks[cell.key]
                    named, tried = named + (mark.verdict is Verdict.MISTAKE), tried + 1
    assert named < tried / 50


def test_a_mistake_that_may_give_what_is_right_is_not_named():
    instance = draw(load_bank()["circuit-cs231n"], np.random.default_rng(0))
    for value in ("-0.9", "-0.33", "0.05", "0.5"):
        assert "p1:gates_swapped" not in grade(instance, {"grad_n": value}).marks["grad_n"].codes


def test_no_mistake_is_told_of_what_an_earlier_slip_took_the_sense_from():
    instance = draw(load_bank()["adam"], np.random.default_rng(11))
    key, root = "v_hat1[1]", "root1[1]"
    mark = grade(instance, {key: "0", root: "0"}).marks[root]
    assert (mark.verdict, mark.sentences) == (Verdict.WRONG, HIDDEN)


def test_of_many_mistakes_that_fit_the_nearest_are_told():
    instance = draw(load_bank()["adam-first-step"], np.random.default_rng(0))
    most = 0
    for cell in instance.cells:
        mark = grade(instance, {cell.key: repr(-instance.values[cell.key])}).marks[cell.key]
        assert len(mark.sentences) <= 4
        most = max(most, len(mark.codes))
    assert most > 3


def test_a_blank_is_no_error_but_something_unreadable_is(mazur, honest):
    assert grade(mazur, {**honest, "z1[1]": ""}).first_error is None
    graded = grade(mazur, {**honest, "z1[1]": "nan", "a1[1]": "0.7"})
    assert graded.first_error == "z1[1]"
    assert graded.marks["z1[1]"].verdict is Verdict.UNREADABLE
    assert graded.marks["z1[1]"].reading.text == "nan"


def test_a_mistake_above_a_blank_cell_shows_below_it():
    instance = draw(load_bank()["mazur-like"], np.random.default_rng(2))
    # The slope is left blank, and taken at the net input on scratch paper.
    z, error = instance.values["z2[1]"], instance.values["dE_da2[1]"]
    mark = grade(instance, {"delta2[1]": repr(error * z * (1 - z))}).marks["delta2[1]"]
    assert "da_dz2:slope_at_net_input" in mark.codes


def test_marks_are_kept_as_json(mazur, honest):
    graded = grade(mazur, {**honest, "z1[1]": "0.0275"})
    stored = json.loads(json.dumps({key: mark.as_json() for key, mark in graded.marks.items()}))
    assert stored["z1[1]"] == {"verdict": "mistake", "codes": ["z1:bias_left_out"]}
    assert stored["z1[2]"] == {"verdict": "correct", "codes": []}


def test_cells_that_are_not_to_be_judged_earn_nothing_yet_and_carry_what_follows(mazur, honest):
    answers = {**honest, "z1[1]": "0.5", "a1[1]": f"{1 / (1 + np.exp(-0.5)):.4f}", "a2[1]": "", "E": ""}
    graded = grade(mazur, answers, only={"a1[1]", "a2[1]"})
    assert graded.marks["a1[1]"].verdict is Verdict.FOLLOWS
    assert graded.marks["z1[1]"].verdict is Verdict.UNCHECKED
    assert graded.marks["z1[1]"].reading.value == 0.5
    assert graded.marks["a2[1]"].verdict is graded.marks["E"].verdict is Verdict.BLANK
    assert (graded.points, graded.first_error, graded.complete) == (1, None, False)
    assert not Verdict.UNCHECKED.to_mend
