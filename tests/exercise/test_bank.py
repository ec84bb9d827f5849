"""Exercise files: what is read from them, and how all their problems are told at once."""

import errno
import os
import re
import tomllib

import numpy as np
import pytest

from quizprop.engine.catalogue import LESSONS
from quizprop.engine.lessons.composition import Composition
from quizprop.exercise.bank import BankError, load_bank, load_exercise, read_exercise
from quizprop.exercise.certify import Plan
from quizprop.exercise.generate import certified, draw_block
from quizprop.exercise.instance import Instance
from quizprop.exercise.lesson_words import spelled
from quizprop.exercise.question import NoQuestionError
from quizprop.exercise.spec import Exercise, LessonSpec

GOOD = """
format = 1
title = "A unit"
sentence = "One unit."
places = 4
asked = ["z1", "a1"]

[network]
layers = [2, 1]
activations = ["sigmoid"]

[values]
x = { low = -1.0, high = 1.0, step = 0.1 }
t = { choices = [0, 1] }
W1 = [[0.5, -0.25]]
b1 = [0.1]
eta = 0.5
"""


@pytest.fixture
def problems(tmp_path):
    def told(text):
        file = tmp_path / "unit.toml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(BankError) as caught:
            load_exercise(file)
        return str(caught.value).splitlines()

    return told


@pytest.mark.unmeasured
def test_the_shipped_bank_is_valid_and_every_family_certifies():
    bank = load_bank()
    assert {"mazur", "mazur-like", "han-kamber", "forward-pass", "deltas", "logistic-unit", "chain"} <= set(bank)
    for slug, exercise in bank.items():
        assert exercise.slug == slug
        plan = Plan(exercise)
        count = 1 if exercise.fixed else 2000 if exercise.question == "sheet" else 400
        block = certified(plan, draw_block(exercise, np.random.default_rng(0), count))
        assert len(block.passed) > 0.2 * count, block.rejected


def test_a_good_file_is_an_exercise_and_survives_json(tmp_path):
    file = tmp_path / "unit.toml"
    file.write_text(GOOD, encoding="utf-8")
    exercise = load_exercise(file)
    assert exercise.slug == "unit"
    assert not exercise.fixed
    assert Exercise.model_validate_json(exercise.model_dump_json()) == exercise
    assert load_bank(tmp_path) == {"unit": exercise}


def test_a_grid_holds_every_decimal_exactly_and_leaves_out_zero():
    points = load_bank()["mazur-like"].values["W1"].points
    assert points.tolist() == [round(k / 10, 1) for k in range(-12, 13) if k]


def test_all_problems_of_a_file_are_told_at_once(problems):
    told = problems(
        GOOD.replace("places = 4", "places = 40")
        .replace('title = "A unit"', 'titel = "A unit"')
        .replace("format = 1", "format = 2")
        .replace("step = 0.1", "step = -1")
    )
    assert all(line.startswith("unit.toml: ") for line in told)
    keys = [line.split(": ")[1] for line in told]
    assert {"format", "title", "titel", "places", "values.x.step"} <= set(keys)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("format = 1", "", "format: is missing; write format = 1"),
        ("format = 1", 'format = 1\nslug = "x"', "slug: the file's name is the slug"),
        ("layers = [2, 1]", "layers = [2]", "layers: at least an input and an output"),
        ('["sigmoid"]', '["softmax"]', "a softmax of one unit is always 1"),
        ('["sigmoid"]', '["sine"]', "network.activations.0"),
        ('asked = ["z1", "a1"]', 'asked = ["z9"]', "asked: nothing is named z9; this network has z1, a1"),
        ('asked = ["z1", "a1"]', 'asked = ["z1", "z1"]', "asked: a quantity is asked twice"),
        ('asked = ["z1", "a1"]', 'asked = ["z1"]\nshown = ["z1"]', "shown: z1 is asked; show it or ask it, not both"),
        ('asked = ["z1", "a1"]', 'asked = ["a1"]\nshown = ["q"]', "shown: nothing is named q; this network has z1, a1"),
        (
            'asked = ["z1", "a1"]',
            'asked = ["a1"]\nblind_spots = ["q"]',
            "blind_spots: no mistake has the code q; known:",
        ),
        ("eta = 0.5", "", "values: missing eta"),
        ("eta = 0.5", "eta = 0.5\nW2 = 1", "values: W2 is not a value of this network"),
        ('asked = ["z1", "a1"]', 'asked = ["z1[1]", "a1"]\nshown = ["z1"]', "shown: z1 is asked; show it or ask it"),
        ("[[0.5, -0.25]]", "[0.5]", "values: W1: has shape 1, the network needs 1 by 2 (or one number for all)"),
        ("[[0.5, -0.25]]", "[0.5, -0.25]", "values: W1: a list of rows: [[0.5, -0.25]] (or one number for all)"),
        ("[[0.5, -0.25]]", "[[0.5, -0.25], [1]]", "values: W1: the rows differ in length"),
        ("eta = 0.5", "eta = { one_hot = true }", "values: eta: one_hot is for the targets t"),
        ("low = -1.0", "low = 2.0", "values.x: low = 2.0 is above high = 1.0"),
        ("step = 0.1", "step = 0.3", "values.x: high - low is not a multiple of step = 0.3"),
        ("low = -1.0, high = 1.0", "low = 0, high = 0", "values.x: the grid holds only zero"),
        ("step = 0.1", "step = 0.000001", "values.x: more than 100,000 points"),
        (
            "low = -1.0, high = 1.0, step = 0.1",
            "low = 0, high = 100_001, step = 1",
            "values.x: more than 100,000 points",
        ),
        ("low = -1.0", "low = -1_000_001.0", "values.x: low is beyond 1,000,000"),
        ("step = 0.1", "step = 1e-300", "values.x: step has more than 12 decimals"),
        ("step = 0.1", "step = 1e300", "values.x: step is beyond 1,000,000"),
        ('sentence = "One unit."', 'sentence = " "', "sentence: is blank"),
        ("places = 4", "place = 4", "place: is not known here; did you mean places?"),
        (
            "places = 4",
            "zzz = 4",
            "zzz: is not known here; take one of format, title, sentence, topic,",
        ),
        ("layers", "lasers", "network.lasers: is not known here; did you mean layers?"),
        ("layers", "q = 1\nlayers", "network.q: is not known here; take one of layers, activations, loss, bias,"),
        ("step = 0.1", "steps = 0.1", "values.x.steps: is not known here; did you mean step?"),
        ("[0, 1] }", "[0, 1], zzz = 1 }", "values.t.zzz: is not known here; take one of choices"),
        ("{ low = -1.0, high = 1.0, step = 0.1 }", "[0.1, 0.2]", "x: one row for each example: [[0.1, 0.2]]"),
        ("eta = 0.5", "eta = [0.5]", "values: eta: has shape 1, the network needs a number"),
        ("layers = [2, 1]", "layers = 2", "network.layers: is a list, in brackets, as in [2]"),
        ('asked = ["z1", "a1"]', 'asked = "z1"', 'asked: is a list, in brackets, as in ["z1"]'),
        ('["z1", "a1"]', '"grad_W1[1,2], a1"', 'asked: is a list, in brackets, as in ["grad_W1[1,2]", "a1"]'),
        ('["z1", "a1"]', "{}", "asked: is a list, in brackets"),
        ('title = "A unit"', "title = 3", 'title: is text, in quotes, as in "2-2-2"'),
        ("places = 4", 'places = "four"', "places: is a whole number, as in 4"),
        ("places = 4", "places = 4.5", "places: is a whole number, as in 4"),
        ("places = 4", "places = []", "places: is a whole number, as in 4"),
        ("places = 4", "places = inf", "places: is a finite number"),
        ("[network]", '[network]\nupdate_biases = "maybe"', "update_biases: is true or false, without quotes"),
        ("[network]", "[network]\nupdate_biases = []", "update_biases: is true or false, without quotes"),
        ('["z1", "a1"]', "[]", "asked: is empty; write at least one"),
        ('["z1", "a1"]', '["grad_W1[1, 2]"]', "asked: grad_W1[1, 2] is written grad_W1[1,2]"),
        ('["z1", "a1"]', '["W1_new[1,3]"]', "W1_new[1,3] is no cell; there are W1_new[1,1] to W1_new[1,2]"),
        ('["z1", "a1"]', '["a1[7]"]', "asked: a1[7] is no cell; there is a1[1] alone"),
        ('["z1", "a1"]', '["a1"]\nshown = ["z1[2]"]', "shown: z1[2] is no cell; there is z1[1] alone"),
        ("eta = 0.5", "eta = nan", "values.eta"),
        ("[network]", "[network", "is not TOML"),
    ],
)
def test_a_problem_is_told_with_its_key_and_what_to_change(problems, old, new, told):
    assert any(told in line for line in problems(GOOD.replace(old, new))), problems(GOOD.replace(old, new))


@pytest.mark.parametrize(
    ("x", "told"),
    [
        (
            "[[{ low = -1, high = 1, step = 1 }, { choices = [1] }]]",
            "a range or choice is for the whole given",
        ),
        ("[{ low = -1, high = 1, step = 1 }, 1]", "a range or choice is for the whole given"),
        ('{ choices = ["a"] }', "values.x.choices.0: is a number, as in 0.5"),
        ("{ choices = [inf] }", "values.x.choices.0: is a finite number"),
        ('{ low = "a", high = 1, step = 1 }', "values.x.low: is a number, as in 0.5"),
        ("{ low = [], high = 1, step = 1 }", "values.x.low: is a number, as in 0.5"),
        ('{ one_hot = "yes" }', "values.x.one_hot: is true, without quotes, or is left out"),
        ("{ choices = [] }", "is empty; write at least one"),
        ("true", "values: x: true and false are no numbers; write 1 or 0"),
        ("[[0.5, false]]", "values: x: true and false are no numbers; write 1 or 0"),
        ("{ choices = [true] }", "values: x: true and false are no numbers; write 1 or 0"),
    ],
)
def test_a_problem_of_a_value_is_told_once(problems, x, told):
    (line,) = problems(GOOD.replace("{ low = -1.0, high = 1.0, step = 0.1 }", x))
    assert told in line


def test_a_row_is_wanted_for_each_of_several_examples(problems):
    text = GOOD.replace("layers", "examples = 2\nlayers").replace("{ low = -1.0, high = 1.0, step = 0.1 }", "[1, 2]")
    assert problems(text) == [
        "unit.toml: values: x: one row for each example: [[1.0, 2.0], [1.0, 2.0]] (or one number for all)"
    ]


def test_a_cell_of_several_examples_is_told_with_its_example(problems):
    text = GOOD.replace("layers", "examples = 2\nlayers").replace('["z1", "a1"]', '["z1[1]@3"]')
    assert "unit.toml: asked: z1[1]@3 is no cell; there are z1[1]@1 to z1[1]@2" in problems(text)


def test_what_needs_the_network_is_not_blamed_where_the_network_is_wrong(problems):
    told = problems(
        GOOD.replace("layers = [2, 1]", "layers = [2]").replace(
            'asked = ["z1", "a1"]', 'asked = ["z9"]\nshown = ["q"]\nblind_spots = ["q"]'
        )
    )
    assert [line.split(": ")[1] for line in told] == ["network"]


def softmax(t):
    text = GOOD.replace("layers = [2, 1]", 'loss = "cce"\nlayers = [2, 2]').replace('"sigmoid"', '"softmax"')
    return text.replace("{ choices = [0, 1] }", t).replace("[[0.5, -0.25]]", "0.5").replace("[0.1]", "0.1")


@pytest.mark.parametrize("t", ["{ one_hot = true }", "[[0.25, 0.75]]"])
def test_targets_of_categorical_cross_entropy_may_be_shares_of_one(t):
    assert read_exercise("unit", softmax(t)).network.loss == "cce"


@pytest.mark.parametrize("t", ["{ choices = [0, 1] }", "[[1, 1]]", "1"])
def test_targets_of_categorical_cross_entropy_add_up_to_one(problems, t):
    assert any("t: with cce the targets of an example add up to 1" in line for line in problems(softmax(t)))


def test_a_target_of_categorical_cross_entropy_is_a_share(problems):
    told = problems(softmax("[[3.0, -2.0]]"))
    assert told == ["unit.toml: values: t: with cce a target is a share, from 0 to 1; write t = { one_hot = true }"]


SHARES = ["{ choices = [0, 1] }", "{ low = 0.1, high = 0.9, step = 0.1 }", "[[0.25]]", "{ one_hot = true }"]
NO_SHARES = ["{ choices = [-1, 1] }", "{ low = 0.5, high = 1.5, step = 0.1 }", "2", "[[1.5]]"]


@pytest.mark.parametrize("t", SHARES)
def test_targets_of_binary_cross_entropy_may_be_shares(t):
    text = GOOD.replace("layers", 'loss = "bce"\nlayers').replace("{ choices = [0, 1] }", t)
    assert read_exercise("unit", text).network.loss == "bce"


@pytest.mark.parametrize("t", NO_SHARES)
def test_targets_of_binary_cross_entropy_are_nothing_else(problems, t):
    told = problems(GOOD.replace("layers", 'loss = "bce"\nlayers').replace("{ choices = [0, 1] }", t))
    assert any("t: with bce a target is a share, from 0 to 1; write t = { choices = [0, 1] }" in line for line in told)


def lesson(kind, options="", **values):
    """The file of a lesson; every given is one half, or 1 where it can't be, but for these."""
    model = LessonSpec.model_validate({"kind": kind, **tomllib.loads(options)}).build()
    half = np.array(0.5)
    usual = {name: model.bounds[name].keeps(half) if name in model.bounds else True for name in model.givens()}
    given = {**{name: "0.5" if fits else "1" for name, fits in usual.items()}, **values}
    asked = next(iter(model.graph())).name
    lines = "\n".join(f"{name} = {value}" for name, value in given.items())
    head = f'format = 1\ntitle = "A lesson"\nsentence = "One."\nasked = ["{asked}"]'
    return f'{head}\n[network]\nkind = "{kind}"\n{options}\n[values]\n{lines}'


@pytest.mark.parametrize("kind", ["descent", "inverse", "gradient_check"])
def test_the_target_of_a_lesson_with_cross_entropy_is_a_share(problems, kind):
    told = problems(lesson(kind, 'loss = "bce"', y="3"))
    assert [line for line in told if "values: y: with bce a target is a share, from 0 to 1" in line] == told
    assert read_exercise("lesson", lesson(kind, 'loss = "bce"', y="0.3")).values["y"] == 0.3
    assert read_exercise("lesson", lesson(kind, y="3")).values["y"] == 3


@pytest.mark.parametrize("network", ["5", "true", '"kind"', '["kind"]', "1979-05-27"])
def test_a_network_is_a_table(problems, network):
    head, _, rest = GOOD.partition("[network]")
    told = problems(f"{head}network = {network}\n[values]{rest.partition('[values]')[2]}")
    assert told == [
        "unit.toml: network: is a table; write [network], and below it layers and activations, or a lesson's kind"
    ]


def test_a_sheet_asks_for_something(problems):
    all_shown = GOOD.replace('["z1", "a1"]', '["z1"]\nshown = ["z1[1]"]')
    assert problems(all_shown) == ["unit.toml: shown: all that is asked is shown; ask for something more, or show less"]
    more = all_shown.replace('asked = ["z1"]', 'asked = ["z1", "a1"]')
    assert list(Plan(read_exercise("unit", more)).asked) == ["a1"]


@pytest.mark.parametrize(
    ("kind", "given", "rule"),
    [
        ("shapes", "n1 = 2.5", "is a whole number from 1 on, and 2.5 is not"),
        ("shapes", "m = { low = -5, high = 5, step = 1 }", "is a whole number from 1 on, and -5 is not"),
        ("dropout", "p = { choices = [0.5, 2] }", "is above 0 and at most 1, and 2 is not"),
        ("dropout", "p = -0.5", "is above 0 and at most 1, and -0.5 is not"),
        ("dropout", "m = [1, 0, 0.5]", "is 0 or 1, and 0.5 is not"),
        ("adam", "beta1 = 1.5", "is at least 0 and below 1, and 1.5 is not"),
        ("momentum", "beta = 1", "is at least 0 and below 1, and 1 is not"),
        ("rmsprop", "s0 = [1, -1]", "is at least 0, and -1 is not"),
        ("normalisation", "eps = -0.1", "is at least 0, and -0.1 is not"),
        ("gradient_check", "epsilon = 0", "is above 0, and 0 is not"),
        ("residual", "eta = { low = -0.1, high = 0.5, step = 0.1 }", "is above 0, and -0.1 is not"),
    ],
)
def test_a_given_has_numbers_that_make_sense(problems, kind, given, rule):
    options = "" if kind in LESSONS else f'optimizer = "{kind}"'
    name, _, wrong = given.partition(" = ")
    text = lesson(kind if kind in LESSONS else "descent", options, **{name: wrong})
    assert problems(text) == [f"unit.toml: values: {name}: {rule}; take other numbers"]
    assert read_exercise("old", text, kept=True).slug == "old"


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("shapes", {"m": "{ low = 0, high = 5, step = 1 }"}),
        ("dropout", {"p": "1", "m": "{ choices = [0, 1] }"}),
        ("normalisation", {"eps": "0", "beta": "-1"}),
    ],
)
def test_a_given_may_have_the_last_number_that_makes_sense(kind, given):
    assert read_exercise("lesson", lesson(kind, **given)).slug == "lesson"


@pytest.mark.parametrize("name", ["pick", "index", "exercise", "seed", "student"])
@pytest.mark.parametrize("gates", ['["f = x + {}"]', '["{} = x * y", "f = {} + z"]'])
def test_a_wire_has_no_name_that_tables_have_taken(problems, gates, name):
    text = lesson("circuit", f"gates = {gates.format(name, name)}")
    told = f"network: {name} can't be the name of a value, for tables have such a column; take another one"
    assert problems(text) == [f"unit.toml: {told}"]
    assert read_exercise("old", text, kept=True).slug == "old"


@pytest.mark.parametrize("x", ["-1e300", "{ choices = [1, -1e300] }", "[[0.5, -1e300]]"])
def test_no_number_is_farther_out_than_a_range_may_be(problems, x):
    text = GOOD.replace("{ low = -1.0, high = 1.0, step = 0.1 }", x)
    way_out = "nobody works with that by hand: take a smaller one"
    assert problems(text) == [f"unit.toml: values: x: -1e+300 is beyond 1,000,000; {way_out}"]
    assert read_exercise("old", text, kept=True).slug == "old"
    assert read_exercise("new", text.replace("-1e300", "-1e6")).slug == "new"


def test_a_step_of_a_network_goes_downhill(problems):
    told = problems(GOOD.replace("eta = 0.5", "eta = 0"))
    assert told == ["unit.toml: values: eta: is above 0, and 0 is not; take other numbers"]


def relu(asked, dead, *, hidden="relu"):
    text = GOOD.replace('"z1", "a1"', asked).replace("places = 4", f"dead_units = {dead}")
    text = text.replace("[2, 1]", "[2, 3, 1]").replace('["sigmoid"]', f'["{hidden}", "relu"]')
    return text.replace("[[0.5, -0.25]]", "1").replace("b1 = [0.1]", "b1 = 1\nW2 = 1\nb2 = 1")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD.replace("places = 4", "dead_units = 1"), "no unit can be off, for none is a ReLU; leave it out"),
        (relu('"a2"', 5), "5 is more than the 4 that can be off; take fewer"),
        (relu('"a2"', 2, hidden="leaky_relu"), "2 is more than the 1 that can be off; take fewer"),
        (relu('"z1"', 1), "nothing asked is worked with a2; ask further on, or leave it out"),
    ],
)
def test_only_units_that_can_be_off_are_counted_as_off(problems, text, told):
    assert problems(text) == [f"unit.toml: dead_units: {told}"]
    assert read_exercise("old", text, kept=True).dead_units


def test_all_units_may_be_off():
    assert read_exercise("unit", relu('"a2"', 4)).dead_units == 4


@pytest.mark.parametrize(
    ("asked", "shown", "idle"),
    [
        ('"z1"', '"a1"', "a1"),
        ('"z2"', '"z1", "E", "e"', "E, e"),
        ('"a1[3]"', '"z1[2]", "z1[3]"', "z1[2]"),
    ],
)
def test_what_is_shown_is_worked_with(problems, asked, shown, idle):
    text = relu(asked, 1).replace("dead_units = 1", f"shown = [{shown}]")
    assert problems(text) == [f"unit.toml: shown: nothing asked is computed from {idle}; leave it out"]
    assert read_exercise("old", text, kept=True).shown


@pytest.mark.parametrize(("asked", "shown"), [('"z2"', '"z1"'), ('"z2[1]"', '"a1"'), ('"a1", "z2"', '"a1[3]"')])
def test_what_is_shown_may_be_far_above_or_a_sample(asked, shown):
    assert read_exercise("unit", relu(asked, 1).replace("dead_units = 1", f"shown = [{shown}]")).shown


TOO_FEW = [
    (GOOD.replace('"z1", "a1"', '"a1", "fell"'), "fell has 1"),
    (GOOD.replace('"z1", "a1"', '"z1"').replace("[2, 1]", "[1, 1]").replace("[[0.5, -0.25]]", "0.5"), "z1 has 2"),
    (lesson("circuit", 'gates = ["q = x + y", "f = q * z"]', x="0.3"), "q has 1"),
    (lesson("shapes", **dict.fromkeys(["n0", "n1", "n2", "m"], "{ low = 2, high = 9, step = 1 }")), "W_rows1 has 2"),
    (lesson("tied"), "z has 2"),
]


@pytest.mark.parametrize(("text", "few"), TOO_FEW)
def test_values_to_choose_from_that_there_can_never_be_are_missed_at_once(problems, text, few):
    text = text.replace("[network]", 'question = "choose"\n[network]')
    way_out = "ask for other cells, or make it a sheet"
    assert problems(text) == [
        f"unit.toml: question: choose takes 3 known wrong values of each cell, but {few}; {way_out}"
    ]
    exercise = read_exercise("unit", text, kept=True)
    drawn = draw_block(exercise, np.random.default_rng(0), 20)
    for number in range(20):
        with pytest.raises(NoQuestionError):
            _ = Instance(exercise, {name: array[number].tolist() for name, array in drawn.items()}).questions


def test_values_beyond_all_bounds_are_no_choice(problems):
    text = lesson("composition", 'middle = "square"\nouter = "exp"', x="1000").replace(
        "[network]", 'question = "choose"\n[network]'
    )
    (told,) = problems(re.sub("asked = .*", 'asked = ["y", "grad_x"]', text))
    assert "y has 0, grad_x has 0" in told


def test_where_there_are_enough_values_to_choose_from_it_is_for_the_numbers_to_tell_them_apart():
    assert read_exercise("unit", GOOD.replace("[network]", 'question = "choose"\n[network]')).question == "choose"


def test_what_a_release_took_is_read_where_it_was_kept():
    shown = GOOD.replace('["z1", "a1"]', '["z1"]\nshown = ["z1[1]"]')
    for text in (softmax("[[3.0, -2.0]]"), lesson("descent", 'loss = "bce"', y="3"), shown):
        assert read_exercise("old", text, kept=True).asked


@pytest.mark.parametrize("kind", ["normalisation", "dropout", "residual"])
def test_a_lessons_targets_are_no_vector_with_a_single_1(problems, kind):
    told = problems(lesson(kind, t="{ one_hot = true }"))
    assert any("values: t: one_hot is for the targets t of a plain network" in line for line in told)


@pytest.mark.parametrize("name", ["Homework3", "home_work", "a--b", "x" * 61])
def test_a_file_whose_name_names_no_exercise_is_told_so_beside_its_other_problems(tmp_path, name):
    file = tmp_path / f"{name}.toml"
    file.write_text(GOOD.replace("places = 4", "places = 40"), encoding="utf-8")
    with pytest.raises(BankError) as caught:
        load_exercise(file)
    named, places = sorted(str(caught.value).splitlines(), key=lambda line: "places" in line)
    assert named.startswith(f"{name}.toml: the file's name has small letters and digits")
    assert places.startswith(f"{name}.toml: places: ")


def test_a_shared_bias_is_one_number(problems):
    shared = GOOD.replace("layers = [2, 1]", 'bias = "shared"\nlayers = [2, 2]').replace("[[0.5, -0.25]]", "0.5")
    assert any("b1: a shared bias has one value" in line for line in problems(shared.replace("[0.1]", "[0.1, 0.2]")))


def test_a_folder_that_is_not_there_is_not_called_empty(tmp_path):
    (tmp_path / "file").touch()
    for name in ("nowhere", "file"):
        with pytest.raises(BankError, match=f"{name}: can't be read: "):
            load_bank(tmp_path / name)


def test_a_bank_tells_the_problems_of_all_its_files(tmp_path):
    with pytest.raises(BankError, match="holds no exercise file"):
        load_bank(tmp_path)
    (tmp_path / "one.toml").write_text("format = 2")
    (tmp_path / "two.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BankError) as caught:
        load_bank(tmp_path)
    assert "one.toml: format: 2 is not known" in str(caught.value)
    assert "two.toml: can't be read: it is not text in UTF-8; save it so" in str(caught.value)


def test_a_file_that_is_not_there_is_said_once(tmp_path):
    with pytest.raises(BankError) as caught:
        load_exercise(tmp_path / "none.toml")
    assert str(caught.value) == f"none.toml: can't be read: {os.strerror(errno.ENOENT)}"


LESSON = """
format = 1
title = "A chain"
sentence = "Three functions."
asked = ["u", "y"]

[network]
kind = "composition"
middle = "square"
outer = "sigmoid"

[values]
x = { low = -1.0, high = 1.0, step = 0.1 }
w = 0.5
b = 0.25
"""


def test_a_lesson_is_named_by_its_kind_and_survives_json(tmp_path):
    file = tmp_path / "chain.toml"
    file.write_text(LESSON, encoding="utf-8")
    exercise = load_exercise(file)
    assert exercise.model == Composition(middle="square", outer="sigmoid")
    assert Exercise.model_validate_json(exercise.model_dump_json()) == exercise


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('"composition"', '"poem"', "network: kind: 'poem' is not one of"),
        (
            'outer = "sigmoid"',
            "",
            "network: outer: is missing; it has to be there; the options of composition are middle, outer",
        ),
        (
            'outer = "sigmoid"',
            'outer = "sigmoid"\nouter_most = 1',
            "outer_most: is not known here; did you mean outer?",
        ),
        ('outer = "sigmoid"', 'outer = ["sigmoid"]', "network: outer: should be 'square'"),
    ],
)
def test_a_lessons_problems_are_told_with_its_options(problems, old, new, told):
    assert any(told in line for line in problems(LESSON.replace(old, new))), problems(LESSON.replace(old, new))


def test_what_a_lesson_says_of_its_options_is_told_as_it_is(problems):
    told = problems(LESSON.replace('"composition"', '"circuit"\ngates = ["f = x + x"]').partition("middle")[0])
    assert told[0] == "unit.toml: network: gate f reads x, x; it takes different, earlier values"
    told = problems(LESSON.replace('"composition"', '"circuit"\ngates = "f = max(x, y)"').partition("middle")[0])
    assert told[0] == 'unit.toml: network: gates: is a list, in brackets, as in ["f = max(x, y)"]'


def test_a_lesson_has_no_symbol_for_what_it_has_not():
    with pytest.raises(ValueError, match="'z1' is no cell of composition; a cell is named as in x"):
        spelled("z1", Composition(middle="square", outer="exp"))
