"""Other questions than a sheet to fill in: what all have in common, values to choose, true or false."""

import itertools
import re

import numpy as np
import orjson
import pytest

from quizprop.engine.network import Network
from quizprop.exercise import choose as choose_module
from quizprop.exercise import statements as statements_module
from quizprop.exercise.acceptance import acceptance
from quizprop.exercise.answers import grade_row, read_row
from quizprop.exercise.bank import load_bank
from quizprop.exercise.certify import PICK, Plan, plan_of
from quizprop.exercise.find_slip import SLIP
from quizprop.exercise.generate import CannotCertifyError, draw, draw_many
from quizprop.exercise.grade import Verdict, grade
from quizprop.exercise.instance import Instance
from quizprop.exercise.names import NOTATIONS
from quizprop.exercise.question import Chance, NoQuestionError, Option, in_text, posed, read_choice, spoken
from quizprop.exercise.record import RecordError, RecordFile, blank, read_record, record_blocks
from quizprop.exercise.spec import Exercise
from quizprop.exercise.statements import COUNT, Facts
from tests.exercise.conftest import of_kind

BANK = load_bank()


def right_answers(instance):
    return {question.key: str(question.right) for question in instance.questions}


# --- every kind -----------------------------------------------------------------------------------------------------


def test_the_right_choices_get_full_points_and_every_other_is_wrong_and_told_something(posed_instances):
    for instance in posed_instances:
        right = right_answers(instance)
        assert grade(instance, right).complete
        for question in instance.questions:
            for number, option in enumerate(question.options, start=1):
                if number == question.right:
                    continue
                graded = grade(instance, {**right, question.key: str(number)})
                mark = graded.marks[question.key]
                assert mark.verdict is (Verdict.MISTAKE if option.code else Verdict.WRONG)
                assert mark.codes == ((option.code,) if option.code else ())
                assert mark.sentences == (option.said,)
                assert len(option.said) > 20
                assert graded.points == len(right) - 1
                assert graded.first_error == question.key


def test_options_are_distinct_in_every_notation_and_numbers_stand_for_them(posed_instances):
    for instance in posed_instances:
        for question in instance.questions:
            for notation, _ in NOTATIONS:
                words = [in_text(option.words, instance.model, notation) for option in question.options]
                assert len({word.casefold() for word in words}) == len(words) >= 2
                assert "{" not in " ".join(
                    [*words, in_text(question.words + question.reason, instance.model, notation)]
                )
            assert 1 <= question.right <= len(question.options)


def test_what_is_asked_is_known_without_the_numbers(posed, posed_instances):
    for instance in posed_instances:
        assert [cell.key for cell in instance.cells] == [question.key for question in instance.questions]
    assert blank(posed).cells == posed_instances[0].cells
    assert Plan(posed).asked_count == len(posed_instances[0].cells)


def test_exercise_and_given_alone_determine_the_questions(posed, posed_instances):
    for instance in posed_instances:
        again = Instance(
            Exercise.model_validate_json(posed.model_dump_json()), orjson.loads(orjson.dumps(instance.given))
        )
        assert again.questions == instance.questions
    assert [one.given for one in itertools.islice(draw_many(posed, np.random.default_rng(2)), 8)] == [
        one.given for one in posed_instances
    ]


def test_the_pick_is_short_decimals_and_no_number_of_the_network(posed_instances):
    for instance in posed_instances:
        assert all(0 <= number < 1 and len(repr(number)) <= 8 for number in instance.given[PICK])
        assert PICK not in instance.arrays
        assert PICK not in instance.needed
        assert PICK not in instance.values
        assert PICK not in instance.as_sheet.given
        assert instance.as_sheet.as_sheet is instance.as_sheet


def test_another_pick_asks_something_else_of_the_same_numbers(posed, posed_instances):
    given = posed_instances[0].given
    asked = set()
    for number in range(12):
        try:
            asked.add(Instance(posed, {**given, PICK: [number / 12, 0.5]}).questions)
        except NoQuestionError:
            continue
    assert len(asked) > 3


@pytest.mark.parametrize(
    ("pick", "shuffled", "flags", "options"),
    [
        ((0.123456, 0.654321), "befdacg", "TTTTFTTT", "ac?b"),
        ((0.654321, 0.123456), "bcfadeg", "FTTFFTFF", "ab?c"),
        ((0.000251, 0.999999), "defcbag", "FTTFFTFF", "cba?"),  # a little less than 251 millionths, as a float
    ],
)
def test_what_chance_has_settled_once_stays_so(pick, shuffled, flags, options):
    """Golden values: of a stored question the numbers are kept alone, and its options must never change places."""
    chance = Chance(pick)
    assert "".join(chance.shuffled("abcdefg")) == shuffled
    assert "".join("FT"[chance.flag()] for _ in flags) == flags
    question = posed("q", "Which?", Option("?"), [Option(word) for word in "abc"], chance=Chance(pick))
    assert "".join(option.words for option in question.options) == options
    assert question.option(question.right).words == "?"


def test_blank_and_unreadable_answers_cost_only_themselves(posed_instances):
    instance = posed_instances[0]
    right = right_answers(instance)
    for text, verdict in (
        ("", Verdict.BLANK),
        ("0", Verdict.UNREADABLE),
        ("99", Verdict.UNREADABLE),
        ("1.5", Verdict.UNREADABLE),
        ("abc", Verdict.UNREADABLE),
    ):
        for key in right:
            marks = grade(instance, {**right, key: text}).marks
            assert marks[key].verdict is verdict
            assert all(mark.verdict is Verdict.CORRECT for other, mark in marks.items() if other != key)


def test_the_words_of_an_option_answer_as_well_as_its_number(posed_instances):
    instance = posed_instances[0]
    words = {
        question.key: in_text(question.option(question.right).words, instance.model, instance.exercise.notation).upper()
        for question in instance.questions
    }
    assert grade(instance, words).complete


def test_a_line_holds_the_questions_and_is_all_that_grading_needs(posed, posed_instances, tmp_path):
    lines = [line for block in record_blocks(posed, seed=2, count=5) for line in block]
    assert lines == [line for block in record_blocks(posed, seed=2, count=9) for line in block][:5]
    for index, (line, instance) in enumerate(zip(lines, posed_instances, strict=False)):
        written, record = orjson.loads(line), read_record(line)
        assert record.index == written["index"] == index
        assert written["question"]["kind"] == posed.question
        assert record.instance.questions == instance.questions
        assert written["given"] == instance.given
        for asked, question in zip(written["asked"], instance.questions, strict=True):
            words = [in_text(option.words, instance.model, posed.notation) for option in question.options]
            assert asked["options"] == words
            assert (asked["answer"], asked["tolerance"]) == (question.right, 0)
        if instance.slip:
            assert written["question"]["sheet"] == {
                cell.key: instance.slip.filled[cell.key] for cell in instance.as_sheet.cells
            }
        row = orjson.dumps({"index": index, "answers": {one["key"]: one["answer"] for one in written["asked"]}})
        assert grade_row(record.instance, read_row(row)).complete


def test_a_changed_line_is_refused():
    line = next(record_blocks(BANK["find-slip-logistic"], seed=2, count=1))[0]
    record = orjson.loads(line)
    asked = [{**record["asked"][0], "answer": 7}, record["asked"][1]]
    with pytest.raises(RecordError, match="asked: cell is"):
        read_record(orjson.dumps({**record, "asked": asked}))
    record = orjson.loads(next(record_blocks(BANK["choose-update"], seed=2, count=1))[0])
    with pytest.raises(RecordError, match="given: W1_new has fewer than 3 wrong values"):
        read_record(orjson.dumps({**record, "given": {**record["given"], "eta": 0}}))


def test_blind_spots_travel_with_a_line(tmp_path):
    exercise = BANK["find-slip-logistic"].model_copy(update={"blind_spots": ("z1:bias_left_out",)})
    line = next(record_blocks(exercise, seed=4, count=1))[0]
    assert read_record(line).instance.exercise.blind_spots == exercise.blind_spots
    (tmp_path / "one").write_bytes(line)
    with (tmp_path / "one").open("rb") as file:
        assert RecordFile(file).find(0).questions


# --- choose ---------------------------------------------------------------------------------------------------------


@pytest.mark.unmeasured
def test_four_values_one_right_and_the_others_of_known_mistakes():
    for instance in of_kind("choose", 10):
        sheet = instance.as_sheet
        known = {mistake.code for mistake in instance.structure.mistakes}
        for question in instance.questions:
            values = [float(option.words.replace("\N{MINUS SIGN}", "-")) for option in question.options]
            assert len(values) == 4
            right = values[question.right - 1]
            assert abs(right - instance.values[question.key]) <= sheet.plan.half * 1.001
            assert {option.code for option in question.options} - {""} <= known
            for one, other in itertools.combinations(values, 2):
                assert abs(one - other) > sheet.tolerances[question.key]
            for option in question.options:
                if option.code:
                    mark = grade(sheet, {**honest(sheet), question.key: option.words}).marks[question.key]
                    assert mark.verdict is Verdict.MISTAKE
                    assert option.code in mark.codes


def honest(sheet):
    return {cell.key: repr(sheet.values[cell.key]) for cell in sheet.cells}


def test_what_has_too_few_wrong_values_is_not_asked():
    instance = draw(BANK["choose-update"], np.random.default_rng(0))
    with pytest.raises(NoQuestionError, match="W1_new has fewer than 3 wrong values that can be told apart"):
        _ = Instance(instance.exercise, {**instance.given, "eta": 0.0}).questions


def test_a_network_without_any_question_is_given_up_soon(monkeypatch):
    monkeypatch.setattr(choose_module, "WRONG", 50)
    given = draw(BANK["forward-pass"], np.random.default_rng(1)).given
    exercise = Exercise.model_validate({**BANK["forward-pass"].model_dump(), "question": "choose", "values": given})
    with pytest.raises(CannotCertifyError, match=r"forward-pass: no instance can be certified.*fewer than 50 wrong"):
        draw(exercise, np.random.default_rng(0))


# --- true or false --------------------------------------------------------------------------------------------------


def loss_after(instance, key, by):
    """The error with one weight moved, by the network as it is defined."""
    name, place = instance.structure.places[key]
    arrays = {other: array.copy() for other, array in instance.as_sheet.arrays.items()}
    arrays[name][(0, *place)] += by
    return forward(instance.network, arrays)[2]


def forward(network, arrays):
    """Net inputs, activations and error, written anew."""
    functions = {
        "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
        "relu": lambda z: np.maximum(z, 0),
        "identity": lambda z: z,
        "softmax": lambda z: np.exp(z) / np.exp(z).sum(),
    }
    a, nets, outs = arrays["x"][0, 0], [], [arrays["x"][0, 0]]
    for layer, activation in enumerate(network.activations, start=1):
        z = arrays[f"W{layer}"][0] @ a + arrays[f"b{layer}"][0]
        a = functions[activation](z)
        nets.append(z)
        outs.append(a)
    t = arrays["t"][0, 0]
    error = -(t * np.log(a)).sum() if network.loss == "cce" else ((t - a) ** 2).sum() / 2
    return nets, outs, error


def gradient(instance, key):
    return (loss_after(instance, key, 1e-6) - loss_after(instance, key, -1e-6)) / 2e-6


def net_gradient(instance, layer, unit):
    """How the error changes with a net input: as with a bias of the unit."""
    return gradient(instance, f"b{layer}[{unit}]")


def stepped(instance):
    arrays = instance.as_sheet.arrays
    moved = dict(arrays)
    for layer in range(1, instance.network.depth + 1):
        for name in (f"W{layer}", *([f"b{layer}"] if instance.network.update_biases else [])):
            slope = np.frompyfunc(lambda key: gradient(instance, key), 1, 1)(instance.structure.keys[name])
            moved[name] = arrays[name] - arrays["eta"] * slope.astype(float)[None]
    return moved


def cells_of(text):
    """Layer and indices of all cells in a phrase."""
    return [(int(m[1]), *map(int, m[2].split(","))) for m in re.finditer(r"\{[A-Za-z_]+(\d)\[([\d,]+)\]\}", text)]


def size_of_gradient(instance, weight):
    return abs(gradient(instance, "W{}[{},{}]".format(*weight)))


def oracle(instance, kind, text):  # noqa: C901, PLR0911 - a table
    """Whether a statement is true, by finite differences and a forward pass of our own."""
    network, arrays = instance.network, instance.as_sheet.arrays
    nets, outs, error = forward(network, arrays)
    first, *rest = cells_of(text) or [(0,)]
    match kind:
        case "slope":
            return ("lowers" in text) == (gradient(instance, "W{}[{},{}]".format(*first)) < 0)
        case "delta":
            return ("negative" in text) == (net_gradient(instance, *first) < 0)
        case "step":
            return ("larger" in text) == (gradient(instance, "W{}[{},{}]".format(*first)) < 0)
        case "steepest":
            layer, to, _ = rest[0]
            width = network.layers[layer - 1]
            sizes = [size_of_gradient(instance, (layer, to, source)) for source in range(1, width + 1)]
            return size_of_gradient(instance, rest[0]) == max(sizes)
        case "output":
            unit = first[1] - 1
            return ("large" in text) == (outs[-1][unit] > arrays["t"][0, 0, unit])
        case "progress":
            return ("falls" in text) == (forward(network, stepped(instance))[2] < error)
        case "switch":
            return text.endswith("off.") == (nets[first[0] - 1][first[1] - 1] < 0)
        case "still":
            layer, unit = first
            moved = any(
                size_of_gradient(instance, (layer, unit, source)) > 1e-7
                for source in range(1, network.layers[layer - 1] + 1)
            )
            return ("leaves" in text) == (not moved)
        case "bias":
            layer, unit = first
            return ("negative" in text) == (nets[layer - 1][unit - 1] < arrays[f"b{layer}"][0, unit - 1])
        case "saturation":
            layer, unit = first
            return int(np.argmax(np.abs(nets[layer - 1]))) == unit - 1
        case "largest":
            return int(np.argmax(outs[-1])) == first[1] - 1
        case "path":
            (layer, unit), (_, to, _) = first, rest[0]
            sizes = [
                abs(arrays[f"W{layer + 1}"][0, k - 1, unit - 1] * net_gradient(instance, layer + 1, k))
                for k in range(1, network.layers[layer + 1] + 1)
            ]
            return int(np.argmax(sizes)) == to - 1
    raise AssertionError(kind)


def test_statements_agree_with_an_independent_computation():
    kinds = set()
    for instance in of_kind("true_false", 6):
        for fact in Facts(instance.as_sheet, instance.network).all():
            kinds.add(fact.kind)
            assert oracle(instance, fact.kind, fact.true), fact
            assert not oracle(instance, fact.kind, fact.false), fact
    assert len(kinds) == 12


def explains(instance, fact):  # noqa: PLR0911 - a table
    """Whether a reason is true of the values that it names."""
    text = str(fact.reason)
    first, *rest = re.findall(r"\{([^{}]+)\}", text)
    values = instance.values
    match fact.kind:
        case "slope" | "step" | "switch":
            return ("negative" in text) == (values[first] < 0)
        case "delta":
            return ("lower" in text) == (net_gradient(instance, *cells_of(text)[0]) < 0)
        case "steepest" | "saturation":
            return abs(values[first]) > abs(values[rest[0]])
        case "output":
            return ("above" in text) == (values[fact.about] > values[first])
        case "progress":
            return ("less" in text) == (values[first] < values[rest[0]])
        case "bias":
            return ("negative" in text) == (values[rest[0]] < values[first])
        case "largest":
            return values[first] > values[rest[0]]
        case "still":
            layer, unit = cells_of(text)[0]
            off, moves = values[f"z{layer}[{unit}]"] < 0, values[f"grad_{rest[0]}"] != 0
            return cells_of(text)[1][:2] == (layer, unit) and ("off" in text, "moves" in text) == (off, moves)
        case "path":
            large, small = (values[f"W{to}[{k},{j}]"] * values[f"delta{to}[{k}]"] for to, k, j in cells_of(text))
            return abs(large) > abs(small)
    raise AssertionError(fact)


def test_the_reason_of_a_statement_is_true_of_the_values_that_it_names():
    for instance in of_kind("true_false", 6):
        for fact in Facts(instance.as_sheet, instance.network).all():
            assert explains(instance, fact), fact


@pytest.mark.unmeasured
def test_no_statement_turns_on_what_is_rounded_away():
    """At one decimal many gradients are 0, and nothing is said of their sign or of a step that they take."""
    told = set()
    for slug, seed in itertools.product(("true-false-sigmoid", "true-false-relu"), range(20)):
        fine = draw(BANK[slug], np.random.default_rng(seed)).as_sheet
        coarse = Instance(fine.exercise.model_copy(update={"places": 1}), fine.given)
        for fact in Facts(coarse, coarse.network).all():
            told.add((fact.kind, "is on" in fact.reason))
            row = fact.about.replace("z", "grad_W").rstrip("]") + ","  # of a unit
            for key, value in coarse.values.items():
                of_a_unit_that_is_on = fact.kind == "still" and "is on" in fact.reason and key.startswith(row)
                if of_a_unit_that_is_on or (fact.kind == "slope" and key == f"grad_{fact.about}"):
                    assert round(value, 1) != 0, (fact, key)
    assert {("slope", False), ("still", True)} <= told


def test_what_is_clear_of_neither_of_two_values_is_not_clear_of_both():
    sheet = draw(BANK["true-false-sigmoid"], np.random.default_rng(0)).as_sheet
    facts = Facts(sheet, sheet.network)
    one, other = "grad_W1[1,1]", "grad_W1[1,2]"
    farthest = [max(d for d in np.geomspace(1e-7, 1, 200) if not facts.clear(d, key)) for key in (one, other)]
    assert not facts.clear(sum(farthest), one, other)


def test_five_different_statements_two_or_three_of_them_true():
    truths = set()
    for instance in of_kind("true_false", 10):
        phrases = {fact.true: (fact, True) for fact in Facts(instance.as_sheet, instance.network).all()}
        phrases |= {fact.false: (fact, False) for fact in Facts(instance.as_sheet, instance.network).all()}
        drawn = [phrases[question.words] for question in instance.questions]
        assert [truth for _, truth in drawn] == [question.right == 1 for question in instance.questions]
        truths.add(sum(truth for _, truth in drawn))
        assert len({fact.about for fact, _ in drawn}) == COUNT
        kinds, about = [fact.kind for fact, _ in drawn], {fact.about for fact, _ in drawn}
        assert all(kinds.count(kind) <= 2 for kind in kinds)
        others = [fact for fact, _ in phrases.values() if fact.kind not in kinds]
        assert len({*kinds}) == COUNT or all(fact.about in about for fact in others)  # a new kind goes first
        assert all(question.reason for question in instance.questions)
    assert truths == {2, 3}


def test_a_network_without_enough_clear_statements_is_rejected(monkeypatch):
    exercise = BANK["true-false-softmax"]
    monkeypatch.setattr(statements_module, "_CLEAR", 1e9)
    found = acceptance(exercise, np.random.default_rng(0), candidates=20)
    assert found.certified == 0
    assert found.rejected["fewer than 5 statements are clear"] > 0
    for slug in ("mazur-like", "softmax", "dead-relu"):
        instance = draw(BANK[slug], np.random.default_rng(0))
        assert list(Facts(instance, instance.network).all()) == []


def test_a_mini_batch_without_biases_has_statements_too():
    exercise = BANK["mini-batch"].model_dump()
    network = {**exercise["network"], "bias": "none", "layers": [2, 2, 2], "activations": ["relu", "sigmoid"]}
    values = {name: value for name, value in exercise["values"].items() if not name.startswith("b")}
    values = {**values, "W2": values["W1"]}
    asked = ["z1", "a1", "z2", "a2"]
    posed = Exercise.model_validate(
        {**exercise, "network": network, "values": values, "asked": asked, "question": "true_false"}
    )
    instance = draw(posed, np.random.default_rng(0))
    assert isinstance(instance.model, Network)
    kinds = {fact.kind for fact in Facts(instance.as_sheet, instance.model).all()}
    assert kinds <= {"slope", "delta", "step", "steepest", "output", "progress"}


LESSON = {
    "slug": "lesson",
    "title": "A lesson",
    "sentence": "One.",
    "places": 4,
    "network": {"kind": "composition", "middle": "square", "outer": "sigmoid"},
    "values": {name: {"low": "0.1", "high": "1.5", "step": "0.1"} for name in ("x", "w", "b")},
    "asked": ["u", "v", "y", "grad_v", "dv_du", "grad_u"],
}


def test_statements_are_for_plain_networks():
    with pytest.raises(ValueError, match="statements speak of the units of a plain network"):
        Exercise.model_validate({**LESSON, "question": "true_false"})
    for question in ("find_slip", "sheet"):
        instance = draw(Exercise.model_validate({**LESSON, "question": question}), np.random.default_rng(0))
        assert len(instance.questions) == (2 if question == "find_slip" else 0)


# --- words, choices, chance -----------------------------------------------------------------------------------------


def test_a_phrase_is_spoken_in_each_notation():
    model = BANK["mazur"].model
    assert in_text("Raising {W2[1,1]} moves {unit1[2]}.", model, "mazur") == "Raising w5 moves h2."
    (loss, words) = spoken("{E} falls", model, "matrix")
    assert (loss.latex, words) == ("J", " falls")


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("1", 1), (" Yes ", 1), ("NO", 0), ("2", None), ("maybe", None), ("", None), ("-1", None)],
)
def test_a_choice_is_read_by_number_or_by_word(text, value):
    reading = read_choice(text, ("no", "yes"), first=0)
    assert reading.value == value
    assert reading.blank == (text == "")
    assert bool(reading.problem) == (value is None and text != "")
    if reading.value is not None:  # what was understood is said in the words of the choice, however it was typed
        assert reading.echo == ("no", "yes")[int(reading.value)]


def test_what_is_no_choice_is_told_the_numbers_that_are():
    for first, last in ((0, 2), (1, 3)):
        for text in ("maybe", str(first - 1), str(last + 1), "1.5"):
            problem = read_choice(text, ("a", "b", "c"), first=first).problem
            assert problem == f"There is no such choice: its number is {first} to {last}."


def test_a_sheet_reads_yes_and_no_where_there_is_a_choice():
    exercise = BANK["logistic-unit"].model_copy(update={"asked": ("E", "fell")})
    instance = draw(exercise, np.random.default_rng(0))
    right, wrong = ("yes", "no") if instance.values["fell"] else ("no", "yes")
    assert grade(instance, {"fell": right}).marks["fell"].verdict is Verdict.CORRECT
    assert grade(instance, {"fell": wrong}).marks["fell"].verdict.to_mend


def test_chance_is_the_same_for_the_same_numbers_and_fair():
    assert Chance([0.25, 0.5]).shuffled("abcdef") == Chance([0.25, 0.5]).shuffled("abcdef")
    firsts = [Chance([number / 600, 0.1]).shuffled(range(6))[0] for number in range(600)]
    assert all(60 < firsts.count(place) < 140 for place in range(6))
    flags = [Chance([0.1, number / 600]).flag() for number in range(600)]
    assert 240 < sum(flags) < 360


def test_a_fixed_network_can_be_asked_about_in_many_ways():
    exercise = BANK["mazur"].model_copy(update={"question": "find_slip"})
    assert not exercise.fixed
    assert not exercise.drawn
    slips = {one.slip.key for one in itertools.islice(draw_many(exercise, np.random.default_rng(0)), 12)}
    assert len(slips) > 5


def test_a_plan_is_made_once():
    assert plan_of(BANK["mazur"]) is plan_of(BANK["mazur"])
    assert draw(BANK["find-slip-chain"], np.random.default_rng(0)).questions[1].key == SLIP
