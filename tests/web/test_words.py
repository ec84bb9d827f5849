"""Laws of what pages say: rules, Markdown, shares, summaries."""

import numpy as np
import pytest

from quizprop.engine.network import Network
from quizprop.exercise.bank import load_bank
from quizprop.exercise.conventions import conventions, loss_latex
from quizprop.exercise.generate import draw
from quizprop.exercise.grade import Verdict
from quizprop.exercise.notation import NOTATIONS, mathml
from quizprop.web.feedback import WORDS, Feedback, summarise
from quizprop.web.rendering import emphasis, markdown, moment, percent
from quizprop.web.sheet import Work, diagram, givens, sections, solution
from tests.exercise.conftest import ZOO
from tests.web.conftest import words

FAMILIES = {**load_bank(), **ZOO}


@pytest.fixture(scope="module", params=FAMILIES)
def instance(request):
    return draw(FAMILIES[request.param], np.random.default_rng(5)).as_sheet


@pytest.mark.parametrize("notation", [name for name, _ in NOTATIONS])
def test_every_kind_of_network_can_be_shown_in_every_notation(instance, notation):
    work = Work({cell.key: "1" for cell in instance.cells}, feedback={})
    assert [entry.key for part in sections(instance, notation, work) for entry in part.entries] == [
        cell.key for cell in instance.cells
    ]
    for rule in conventions(instance, notation):
        assert rule.name
        assert not rule.latex or mathml(rule.latex)
    listed = [key for row in givens(instance, notation) for key, _, _ in row.values]
    assert len(listed) == len(set(listed))
    assert set(listed) <= set(instance.values)
    assert "<svg" in diagram(instance, notation, {}, done=True)
    steps = [step for _, lines in solution(instance, notation, work).rest for step in lines]
    assert sum(step.asked for step in steps) == len(instance.cells)
    for step in steps:
        assert step.own is None or mathml(step.own.numbers.latex)


def test_the_rules_are_those_that_matter_for_what_is_asked():
    bank = load_bank()
    names = {
        slug: [rule.name for rule in conventions(draw(bank[slug], np.random.default_rng(1)), "plain")]
        for slug in ("mazur", "forward-pass", "deltas")
    }
    assert names["mazur"] == ["Carry", "Learning rate", "Loss", "Activation", "Biases"]
    assert names["forward-pass"] == ["Carry", "Hidden", "Output", "Biases"]
    assert names["deltas"] == ["Carry", "Loss", "Activation"]


@pytest.mark.parametrize(
    ("network", "notation", "latex"),
    [
        (Network(layers=(2, 1), activations=("sigmoid",)), "plain", r"E = \tfrac{1}{2}\,(t - a)^2"),
        (
            Network(layers=(2, 2), activations=("sigmoid",)),
            "mazur",
            r"E_{\text{total}} = \sum_k \tfrac{1}{2}\,(\text{target}_k - \text{out}_k)^2",
        ),
        (
            Network(layers=(2, 1), activations=("sigmoid",), loss="bce", examples=3),
            "course",
            r"J = -\frac{1}{3}\sum_{\text{all examples}} \left(y \ln a + (1 - y) \ln (1 - a)\right)",
        ),
        (
            Network(layers=(2, 3), activations=("softmax",), loss="cce"),
            "plain",
            r"E = -\sum_k t_k \ln a_k",
        ),
        (
            Network(layers=(2, 2), activations=("tanh",), loss="mse", examples=2, reduction="sum"),
            "plain",
            r"E = \sum_{\text{all examples}} \frac{1}{2}\sum_k (t_k - a_k)^2",
        ),
    ],
)
def test_the_loss_is_one_formula(network, notation, latex):
    assert loss_latex(network, notation) == latex
    assert mathml(latex)


def test_instructors_words_are_markdown_without_markup():
    assert markdown("two *words*") == "<p>two <em>words</em></p>\n"
    dangerous = markdown('<script>x</script> [a](javascript:alert(1)) ![b](http://e.org/c.png) <b onclick="x">')
    assert "<script" not in dangerous
    assert "<img" not in dangerous
    assert "<b" not in dangerous
    assert 'href="javascript' not in dangerous


def test_a_tutors_sentence_has_emphasis_and_no_markup():
    assert emphasis("the *column* <b>") == "the <em>column</em> &lt;b&gt;"
    assert emphasis("2 * 3 * 4") == "2 * 3 * 4"


def test_a_hundred_percent_is_full_marks_only():
    said = [percent(share) for share in (None, 0.0, 0.29, 38 / 39, 0.9999, 1.0)]
    assert said == ["—", "0%", "29%", "97%", "99%", "100%"]


def test_a_moment_is_said_in_utc_for_those_without_a_script():
    assert moment(0) == '<time datetime="1970-01-01T00:00:00+00:00">1 January 1970, 00:00 UTC</time>'


def test_every_verdict_has_a_sign_and_a_word():
    assert set(WORDS) == set(Verdict)
    assert len({word.sign for word in WORDS.values()}) == len({word.word for word in WORDS.values()}) == len(WORDS)


def test_the_summary_points_to_the_first_error_and_claims_no_more_than_is_true():
    def told(*verdicts):
        return summarise({f"c{place}": Feedback(verdict) for place, verdict in enumerate(verdicts)}, 1.0)

    right, blank, wrong, follows = Verdict.CORRECT, Verdict.BLANK, Verdict.WRONG, Verdict.FOLLOWS
    assert (told(right, wrong, right).first_error, told(right, wrong, right).clean_before) == ("c1", True)
    assert told(blank, wrong).clean_before is False
    assert told(right, blank).first_error is None
    assert told(right, blank).first_blank == "c1"
    assert told(right, follows).complete
    assert told(right, wrong, follows, blank).counts == ((right, 1), (follows, 1), (wrong, 1), (blank, 1))


def test_what_is_said_never_is_nothing_where_something_is_wrong():
    for verdict in (Verdict.WRONG, Verdict.FOLLOWS):
        assert words(Feedback(verdict).said[0])
    assert Feedback(Verdict.UNREADABLE, problem="Type a number.").said == ("Type a number.",)
