"""Every quantity explains itself."""

import inspect
import re

import pytest

from quizprop.engine import activations, backprop, losses
from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.graph import Formula
from quizprop.engine.losses import LOSSES
from quizprop.engine.structure import structure_of
from quizprop.exercise.notation import layer_formula, mathml


def test_every_quantity_has_a_title_mathematics_and_a_docstring(network):
    for quantity in structure_of(network).graph:
        words = quantity.formula
        assert words.title, quantity.name
        assert words.title[0].islower(), words.title
        assert not words.title.endswith("."), words.title
        assert mathml(words.latex).startswith("<math"), quantity.name
        assert words.function.__doc__, quantity.name
        assert words.function.__doc__.rstrip().endswith("."), quantity.name


def test_every_quantity_says_its_idea_in_plain_words(network):
    for quantity in structure_of(network).graph:
        idea = quantity.formula.idea
        assert idea[0].isupper(), quantity.name
        assert idea.endswith("."), quantity.name
        assert idea != quantity.formula.function.__doc__, quantity.name
        assert not re.search(r"[0-9_=*^\\]", idea), idea


def test_what_says_no_idea_says_its_first_line():
    def doubled(a):
        """Twice the activation.

        And more.
        """
        return 2 * a

    assert Formula("d", "double", "2a", doubled).idea == "Twice the activation."
    assert Formula("d", "double", "2a", lambda a: 2 * a).idea == ""


def test_every_quantity_up_to_the_step_but_single_values_has_a_formula_in_matrices(network):
    for quantity in structure_of(network).graph:
        formula = layer_formula(quantity, network)
        alone = quantity.formula.stem in ("path", "prediction", "change", "fell") or quantity.after
        assert (formula is None) == alone, quantity.name
        if formula is not None:
            assert mathml(formula.latex).startswith("<math")
            assert not re.search(r"[\\{}$]", formula.text), formula.text
            assert (",i" in formula.text) <= (network.examples > 1)


def test_a_formula_divides_by_m_exactly_where_examples_are_averaged(network):
    averages = network.examples > 1 and network.reduction == "mean"
    for quantity in structure_of(network).graph:
        words = quantity.formula.latex
        if quantity.formula.stem in ("grad_W", "grad_b", "E"):
            assert (r"\frac{1}{m" in words) == averages, words


def test_every_formula_of_the_textbook_is_used_in_some_network(all_networks):
    written = {name for name, value in vars(backprop).items() if isinstance(value, Formula)}
    functions = {quantity.formula.function for net in all_networks.values() for quantity in structure_of(net).graph}
    assert written == {name for name in written if getattr(backprop, name).function in functions}


@pytest.mark.parametrize("module", [activations, losses], ids=lambda module: module.__name__)
def test_every_plain_function_says_its_formula(module):
    functions = [
        function
        for _, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
    ]
    assert functions
    assert all(function.__doc__ for function in functions)


def test_every_activation_and_loss_has_its_title_and_mathematics():
    for activation in ACTIVATIONS.values():
        assert activation.title
        assert mathml(activation.latex).startswith("<math")
        assert bool(activation.slope) == bool(activation.slope_latex)
    for loss in LOSSES.values():
        assert loss.title
        assert mathml(loss.latex).startswith("<math")
        assert mathml(loss.derivative_latex).startswith("<math")


def test_a_mistake_at_a_quantity_can_be_told_from_the_right_formula_by_its_title(network):
    structure = structure_of(network)
    for mistake in structure.mistakes:
        assert mistake.misconception.title != structure.graph[mistake.name].formula.title
        assert all(form.formula.title == mistake.misconception.title for form in mistake.wrong)
