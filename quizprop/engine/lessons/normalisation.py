r"""Normalisation by hand: mean, variance, scale and shift, and the way back through all of them.

x, the targets and everything that each number has of its own are ``(numbers,)``; mu, var, sd, E, eps and eta are
scalars. Over a batch the numbers are one feature of several examples, which share gamma and beta; over a layer they are
the features of one example, each with a gamma and a beta of its own. Sources: Ioffe and Szegedy, "Batch Normalization"
(2015); Ba, Kiros and Hinton, "Layer Normalization" (2016).
"""

from dataclasses import dataclass
from typing import ClassVar, Final, Literal

import numpy as np

from quizprop.engine.arrays import Array, total
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.pieces import (
    difference,
    difference_mistakes,
    half_squares,
    half_squares_mistakes,
    partial,
    step_mistakes,
    updated,
)
from quizprop.engine.mistakes import Misconception
from quizprop.engine.model import NOT_NEGATIVE, POSITIVE, Given, Lesson, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Normalisation"]


_BY_VAR: Final = partial(r"\sigma^2")
_BY_MU: Final = partial(r"\mu")
_BY_XHAT: Final = partial(r"\hat{x}_k")
_BY_Y: Final = partial("y_k")


# --- forward --------------------------------------------------------------------------------------------------------


@step("mu", title="mean", latex=r"\mu = \frac{1}{n} \sum_k x_k", phase="forward", text="μ", symbol=r"\mu")
def mu(x: Array) -> Array:
    """The mean of the numbers."""
    return total(x, -1) / x.shape[-1]


@step("c", title="centred value", latex=r"c_k = x_k - \mu", phase="forward", text="c_$k", symbol="c_{$k}")
def c(x: Array, mu: Array) -> Array:
    """Each number minus the mean; with their signs these add up to 0."""
    return x - mu[..., None]


@step(
    "var",
    title="variance",
    latex=r"\sigma^2 = \frac{1}{n} \sum_k c_k^2",
    phase="forward",
    text="σ²",
    symbol=r"\sigma^{2}",
    guard="positive",
)
def var(c: Array) -> Array:
    """The mean of the squared distances: divided by how many there are."""
    return total(c**2, -1) / c.shape[-1]


@step(
    "sd",
    title="standard deviation",
    latex=r"s = \sqrt{\sigma^2 + \varepsilon}",
    phase="forward",
    text="s",
    symbol="s",
)
def sd(var: Array, eps: Array) -> Array:
    """The root of the variance; epsilon, under the root, keeps it from 0."""
    return np.sqrt(var + eps)


@step(
    "xhat",
    title="normalised value",
    latex=r"\hat{x}_k = \frac{c_k}{s}",
    phase="forward",
    text="x̂_$k",
    symbol=r"\hat{x}_{$k}",
)
def xhat(c: Array, sd: Array) -> Array:
    """The distance from the mean, in standard deviations."""
    return c / sd[..., None]


def scaled_alike(gamma: Array, xhat: Array, beta: Array) -> Array:
    """Scaled and shifted by what the network has learnt: one gamma and one beta for the whole batch."""
    return gamma[..., None] * xhat + beta[..., None]


def scaled_each(gamma: Array, xhat: Array, beta: Array) -> Array:
    """Scaled and shifted by what the network has learnt: each feature has a gamma and a beta of its own."""
    return gamma * xhat + beta


def half_mean_square(y: Array, t: Array) -> Array:
    """Half the mean of the squared differences."""
    return total((t - y) ** 2, -1) / (2 * y.shape[-1])


# --- backward -------------------------------------------------------------------------------------------------------


def mean_difference(y: Array, t: Array) -> Array:
    """Output minus target, divided by how many there are: the error is a mean."""
    return (y - t) / y.shape[-1]


def gathered(grad_y: Array, xhat: Array) -> Array:
    """Gamma multiplies each normalised value of the batch: what comes back from all of them adds up."""
    return total(grad_y * xhat, -1)


def each_gathered(grad_y: Array, xhat: Array) -> Array:
    """Each gamma multiplies the normalised value of its own feature."""
    return grad_y * xhat


def added_up(grad_y: Array) -> Array:
    """Beta is added to each value of the batch: what comes back from all of them adds up."""
    return total(grad_y, -1)


def passed_on(grad_y: Array) -> Array:
    """Each beta is added to the value of its own feature."""
    return grad_y


def back_alike(grad_y: Array, gamma: Array) -> Array:
    """Back through the scale: times gamma."""
    return grad_y * gamma[..., None]


def back_each(grad_y: Array, gamma: Array) -> Array:
    """Back through the scale: times the feature's own gamma."""
    return grad_y * gamma


@step(
    "grad_var",
    title="derivative by the variance",
    latex=rf"{_BY_VAR} = -\frac{{1}}{{2\,s^3}} \sum_k {_BY_XHAT}\,c_k",
    phase="backward",
    text="∂E/∂σ²",
    symbol=partial(r"\sigma^{2}"),
)
def grad_var(grad_xhat: Array, c: Array, sd: Array) -> Array:
    """A larger variance brings every normalised value closer to 0: all of them add up.

    Under the root stands the variance, so that 1/s has the derivative -1/(2 s**3).
    """
    return -(total(grad_xhat * c, -1) / (2 * sd**3))


@step(
    "grad_mu",
    title="derivative by the mean",
    latex=rf"{_BY_MU} = -\frac{{1}}{{s}} \sum_k {_BY_XHAT}",
    phase="backward",
    text="∂E/∂μ",
    symbol=partial(r"\mu"),
)
def grad_mu(grad_xhat: Array, sd: Array) -> Array:
    """A larger mean moves every centred value down.

    The way through the variance adds nothing: there the centred values add up, and their sum is 0.
    """
    return -(total(grad_xhat, -1) / sd)


@step(
    "grad_x",
    title="derivative by the input",
    latex=rf"{partial('x_k')} = {_BY_XHAT}\,\frac{{1}}{{s}} + "
    rf"{_BY_VAR}\,\frac{{2\,c_k}}{{n}} + {_BY_MU}\,\frac{{1}}{{n}}",
    phase="backward",
    text="∂E/∂x_$k",
    symbol=partial("x_{$k}"),
)
def grad_x(grad_xhat: Array, sd: Array, grad_var: Array, c: Array, grad_mu: Array) -> Array:
    """Three ways add up: straight on, through the variance, and through the mean."""
    size = c.shape[-1]
    return grad_xhat / sd[..., None] + grad_var[..., None] * 2 * c / size + grad_mu[..., None] / size


# --- what goes wrong ------------------------------------------------------------------------------------------------

_FORWARD: Final = (
    Misconception(
        "mean_left_out",
        "mu",
        "sum instead of mean",
        "This is the sum. Divide it by how many numbers there are.",
        (lambda x: total(x, -1),),
    ),
    Misconception(
        "mean_added",
        "c",
        "mean added",
        "The mean was added. To centre the numbers it is taken away.",
        (lambda x, mu: x + mu[..., None],),
    ),
    Misconception(
        "sign_flipped",
        "c",
        "sign flipped",
        "The difference is the wrong way round: the number minus the mean, so that larger numbers stay larger.",
        (lambda x, mu: mu[..., None] - x,),
    ),
    Misconception(
        "unbiased",
        "var",
        "divided by one less",
        "The sum was divided by one less than the count, as a statistician estimates. Here it is divided by the count "
        "itself; see the conventions.",
        (lambda c: total(c**2, -1) / (c.shape[-1] - 1),),
    ),
    Misconception(
        "mean_left_out",
        "var",
        "sum instead of mean",
        "This is the sum of the squares. A variance is their mean: divide by how many there are.",
        (lambda c: total(c**2, -1),),
    ),
    Misconception(
        "not_squared",
        "var",
        "not squared",
        "The distances themselves were averaged. A variance is the mean of their *squares*.",
        (lambda c: total(abs(c), -1) / c.shape[-1],),
    ),
    Misconception(
        "not_centred",
        "var",
        "not centred",
        "The numbers themselves were squared. A variance takes their distances from the mean.",
        (lambda x: total(x**2, -1) / x.shape[-1],),
    ),
    Misconception(
        "root_left_out",
        "sd",
        "root left out",
        "The root is missing. The values are divided by the standard deviation, not by the variance.",
        (lambda var, eps: var + eps,),
    ),
    Misconception(
        "epsilon_outside",
        "sd",
        "epsilon outside the root",
        "Epsilon was added after the root. It is added to the variance, under the root.",
        (lambda var, eps: np.sqrt(var) + eps,),
    ),
    Misconception(
        "epsilon_left_out",
        "sd",
        "epsilon left out",
        "Epsilon is missing. It is added to the variance before the root is taken.",
        (lambda var: np.sqrt(var),),
    ),
    Misconception(
        "not_centred",
        "xhat",
        "not centred",
        "The numbers themselves were divided. Take the mean away first: a normalised feature has the mean 0.",
        (lambda x, sd: x / sd[..., None],),
    ),
    Misconception(
        "variance_for_deviation",
        "xhat",
        "divided by the variance",
        "This was divided by the variance. Divide by its root, the standard deviation.",
        (lambda c, var: c / var[..., None],),
    ),
)

_BACKWARD: Final = (
    Misconception(
        "one_path_only",
        "grad_var",
        "one value only",
        "Only one value was counted. The variance is in every normalised value: add up what comes back from each.",
        (
            lambda grad_xhat, c, sd: -grad_xhat[..., 0] * c[..., 0] / (2 * sd**3),
            lambda grad_xhat, c, sd: -grad_xhat[..., -1] * c[..., -1] / (2 * sd**3),
        ),
    ),
    Misconception(
        "minus_left_out",
        "grad_var",
        "minus left out",
        "The minus is missing. The deviation stands in a denominator: where it grows, the quotient shrinks.",
        (lambda grad_xhat, c, sd: total(grad_xhat * c, -1) / (2 * sd**3),),
    ),
    Misconception(
        "by_deviation",
        "grad_var",
        "derivative by the deviation",
        "This is the derivative by the standard deviation. One more factor, the derivative of the root, takes it to "
        "the variance.",
        (lambda grad_xhat, c, sd: -total(grad_xhat * c, -1) / sd**2,),
    ),
    Misconception(
        "half_left_out",
        "grad_var",
        "half left out",
        "The one half is missing: it comes down from the exponent of the root.",
        (lambda grad_xhat, c, sd: -total(grad_xhat * c, -1) / sd**3,),
    ),
    Misconception(
        "minus_left_out",
        "grad_mu",
        "minus left out",
        "The minus is missing: the mean is taken away from each number.",
        (lambda grad_xhat, sd: total(grad_xhat, -1) / sd,),
    ),
    Misconception(
        "deviation_left_out",
        "grad_mu",
        "deviation left out",
        "The division by the standard deviation is missing: it lies between the centred and the normalised value.",
        (lambda grad_xhat: -total(grad_xhat, -1),),
    ),
    Misconception(
        "one_path_only",
        "grad_mu",
        "one value only",
        "Only one value was counted. The mean is taken away from every number: add up what comes back from each.",
        (
            lambda grad_xhat, sd: -grad_xhat[..., 0] / sd,
            lambda grad_xhat, sd: -grad_xhat[..., -1] / sd,
        ),
    ),
    Misconception(
        "constants",
        "grad_x",
        "mean and variance as constants",
        "Mean and variance were treated as constants. Each number moves them too: two more ways come back.",
        (lambda grad_xhat, sd: grad_xhat / sd[..., None],),
    ),
    Misconception(
        "mean_forgotten",
        "grad_x",
        "way through the mean forgotten",
        "The way through the mean is missing: each number moves it by its share.",
        (lambda grad_xhat, sd, grad_var, c: grad_xhat / sd[..., None] + grad_var[..., None] * 2 * c / c.shape[-1],),
    ),
    Misconception(
        "variance_forgotten",
        "grad_x",
        "way through the variance forgotten",
        "The way through the variance is missing: each number moves it, the more the farther it lies from the mean.",
        (lambda grad_xhat, sd, grad_mu: grad_xhat / sd[..., None] + grad_mu[..., None] / grad_xhat.shape[-1],),
    ),
    Misconception(
        "shares_left_out",
        "grad_x",
        "count left out",
        "Mean and variance are means: each number moves them by its share only. Divide these two ways by the count.",
        (
            lambda grad_xhat, sd, grad_var, c, grad_mu: (
                grad_xhat / sd[..., None] + grad_var[..., None] * 2 * c + grad_mu[..., None]
            ),
        ),
    ),
    Misconception(
        "two_left_out",
        "grad_x",
        "two left out",
        "The 2 that comes down from the square is missing on the way through the variance.",
        (
            lambda grad_xhat, sd, grad_var, c, grad_mu: (
                grad_xhat / sd[..., None] + (grad_var[..., None] * c + grad_mu[..., None]) / c.shape[-1]
            ),
        ),
    ),
)

_MEAN_ERROR: Final = (
    Misconception(
        "mean_left_out",
        "E",
        "sum instead of mean",
        "The squares were added up. This error is their mean; see the conventions.",
        (half_squares,),
    ),
    Misconception(
        "half_left_out",
        "E",
        "half left out",
        "The mean is right, but this error has a factor of one half in front.",
        (lambda y, t: total((t - y) ** 2, -1) / y.shape[-1],),
    ),
    Misconception(
        "mean_left_out",
        "grad_y",
        "count left out",
        "This error is a mean, so its derivative by one output carries the same division.",
        (difference,),
    ),
    Misconception(
        "sign_flipped",
        "grad_y",
        "sign flipped",
        "The sign is the other way round: compare the output with its target. More output raises the error where it is "
        "already too large.",
        (lambda y, t: (t - y) / y.shape[-1],),
    ),
)


def _shared(*, alike: bool) -> tuple[Misconception, ...]:
    """What goes wrong with gamma and beta, one for all or one for each."""
    spread = (..., None) if alike else (...,)

    def gathered_by(grad_y: Array, value: Array) -> Array:
        return total(grad_y * value, -1) if alike else grad_y * value

    one_only = (
        Misconception(
            "one_path_only",
            "grad_gamma",
            "one value only",
            "Only one value was counted. Gamma scales the whole batch: add up what comes back from each value.",
            (lambda grad_y, xhat: grad_y[..., 0] * xhat[..., 0], lambda grad_y, xhat: grad_y[..., -1] * xhat[..., -1]),
        ),
        Misconception(
            "one_path_only",
            "grad_beta",
            "one value only",
            "Only one value was counted. Beta shifts the whole batch: add up what comes back from each value.",
            (lambda grad_y: grad_y[..., 0], lambda grad_y: grad_y[..., -1]),
        ),
        Misconception(
            "paths_averaged",
            "grad_beta",
            "averaged",
            "The values were averaged. Changes that reach the error by different ways add up.",
            (lambda grad_y: total(grad_y, -1) / grad_y.shape[-1],),
        ),
    )
    return (
        Misconception(
            "shift_left_out",
            "y",
            "shift left out",
            "Beta is missing: after the scale comes the shift.",
            (lambda gamma, xhat: gamma[spread] * xhat,),
        ),
        Misconception(
            "scale_left_out",
            "y",
            "scale left out",
            "Gamma is missing: the normalised value is scaled before it is shifted.",
            (lambda xhat, beta: xhat + beta[spread],),
        ),
        Misconception(
            "centred_for_normalised",
            "y",
            "centred instead of normalised",
            "The centred value was scaled. Divide it by the standard deviation first.",
            (lambda gamma, c, beta: gamma[spread] * c + beta[spread],),
        ),
        Misconception(
            "gamma_and_beta_swapped",
            "y",
            "gamma and beta swapped",
            "Gamma and beta changed places: gamma multiplies, beta is added.",
            (lambda gamma, xhat, beta: beta[spread] * xhat + gamma[spread],),
        ),
        Misconception(
            "input_for_normalised",
            "grad_gamma",
            "input instead of normalised value",
            "The input itself was used. Gamma multiplies the *normalised* value.",
            (lambda grad_y, x: gathered_by(grad_y, x),),
        ),
        Misconception(
            "output_for_normalised",
            "grad_gamma",
            "output instead of normalised value",
            "The output was used. Gamma multiplies the normalised value that comes before the shift.",
            (lambda grad_y, y: gathered_by(grad_y, y),),
        ),
        Misconception(
            "times_normalised",
            "grad_beta",
            "multiplied by the normalised value",
            "The normalised value belongs to gamma. Beta is only added: its factor is 1.",
            (lambda grad_y, xhat: gathered_by(grad_y, xhat),),
        ),
        Misconception(
            "gamma_left_out",
            "grad_xhat",
            "gamma left out",
            "Gamma is missing: it lies between the normalised value and the output.",
            (lambda grad_y: grad_y,),
        ),
        Misconception(
            "divided_by_gamma",
            "grad_xhat",
            "divided by gamma",
            "This was divided by gamma. On the way back a factor multiplies, just as on the way there.",
            (lambda grad_y, gamma: grad_y / gamma[spread],),
        ),
        *(one_only if alike else ()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Normalisation(Lesson):
    """A few numbers, normalised, scaled and shifted, against targets."""

    kind: ClassVar[str] = "normalisation"
    over: Literal["batch", "layer"] = "batch"
    numbers: Literal[3, 4] = 3
    reduction: Literal["sum", "mean"] = "sum"

    @property
    def _alike(self) -> bool:
        """Whether all numbers share gamma and beta."""
        return self.over == "batch"

    def given(self) -> tuple[Given, ...]:
        """The numbers and their targets, what is learnt, and the two constants."""
        learnt = () if self._alike else (self.numbers,)
        index, braced = ("", "") if self._alike else ("_$k", "_{$k}")
        return (
            Given("x", (self.numbers,), "Inputs", "x_$k", "x_{$k}"),
            Given("t", (self.numbers,), "Targets", "t_$k", "t_{$k}"),
            Given("gamma", learnt, "Scale", f"γ{index}", rf"\gamma{braced}"),
            Given("beta", learnt, "Shift", f"β{index}", rf"\beta{braced}"),
            Given("eps", (), "Epsilon", "ε", r"\varepsilon", within=NOT_NEGATIVE),
            Given("eta", (), "Learning rate", "η", r"\eta", within=POSITIVE),
        )

    def quantities(self) -> tuple[Quantity, ...]:
        """There, and back by all ways."""
        formulas = (mu, c, var, sd, xhat, self._y(), *self._error(), *self._learnt(), grad_var, grad_mu, grad_x)
        return tuple(map(self.place, (*formulas, *self._update())))

    def _y(self) -> Formula:
        index = "" if self._alike else "_k"
        latex = rf"y_k = \gamma{index}\,\hat{{x}}_k + \beta{index}"
        words = step("y", title="output", latex=latex, phase="forward", text="y_$k", symbol="y_{$k}")
        return words(scaled_alike if self._alike else scaled_each)

    def _error(self) -> tuple[Formula, Formula]:
        mean = self.reduction == "mean"
        loss = r"E = \frac{1}{2\,n} \sum_k (t_k - y_k)^2" if mean else r"E = \tfrac{1}{2} \sum_k (t_k - y_k)^2"
        by = rf"{_BY_Y} = \frac{{1}}{{n}}\,(y_k - t_k)" if mean else rf"{_BY_Y} = y_k - t_k"
        E = step("E", title="error", latex=loss, phase="loss", text="E", symbol="E")
        grad_y = step(
            "grad_y",
            title="derivative by the output",
            latex=by,
            phase="backward",
            text="∂E/∂y_$k",
            symbol=partial("y_{$k}"),
        )
        return (E(half_mean_square), grad_y(mean_difference)) if mean else (E(half_squares), grad_y(difference))

    def _learnt(self) -> tuple[Formula, ...]:
        alike = self._alike
        plain, own, braced, sum_ = ("", "", "", r"\sum_k ") if alike else ("_$k", "_k", "_{$k}", "")
        by_gamma, by_beta = partial(rf"\gamma{own}"), partial(rf"\beta{own}")
        grad_gamma = step(
            "grad_gamma",
            title="gradient of the scale",
            latex=rf"{by_gamma} = {sum_}{_BY_Y}\,\hat{{x}}_k",
            phase="backward",
            text=f"∂E/∂γ{plain}",
            symbol=partial(rf"\gamma{braced}"),
        )
        grad_beta = step(
            "grad_beta",
            title="gradient of the shift",
            latex=rf"{by_beta} = {sum_}{_BY_Y}",
            phase="backward",
            text=f"∂E/∂β{plain}",
            symbol=partial(rf"\beta{braced}"),
        )
        grad_xhat = step(
            "grad_xhat",
            title="derivative by the normalised value",
            latex=rf"{_BY_XHAT} = {_BY_Y}\,\gamma{own}",
            phase="backward",
            text="∂E/∂x̂_$k",
            symbol=partial(r"\hat{x}_{$k}"),
        )
        return (
            grad_gamma(gathered if alike else each_gathered),
            grad_beta(added_up if alike else passed_on),
            grad_xhat(back_alike if alike else back_each),
        )

    def _update(self) -> tuple[Formula, ...]:
        plain, braced = ("", "") if self._alike else ("_$k", "_{$k}")
        axes = 0 if self._alike else 1
        return (
            updated("gamma", axes, "scale", text=f"γ{plain}", latex=r"\gamma", symbol=rf"\gamma^{{+}}{braced}"),
            updated("beta", axes, "shift", text=f"β{plain}", latex=r"\beta", symbol=rf"\beta^{{+}}{braced}"),
        )

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong in a normalisation."""
        error = (*half_squares_mistakes("E", "y", "t"), *difference_mistakes("grad_y", "y", "t"))
        axes = 0 if self._alike else 1
        return (
            *_FORWARD,
            *_shared(alike=self._alike),
            *(_MEAN_ERROR if self.reduction == "mean" else error),
            *_BACKWARD,
            *step_mistakes("gamma", axes),
            *step_mistakes("beta", axes),
        )

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Variance, epsilon, what is learnt, error."""
        who = "one for the whole batch" if self._alike else "one for each feature"
        loss, _ = self._error()
        return (
            Rule("Variance", "divided by the count itself", var.latex),
            Rule("Epsilon", "under the root", sd.latex),
            Rule("Scale and shift", who, self._y().latex),
            Rule(
                "Error",
                "half squared error, averaged" if self.reduction == "mean" else "half squared error",
                loss.latex,
            ),
        )

    @property
    def sketch(self) -> Shape:
        """The numbers, normalised."""
        return (self.numbers, 1, self.numbers)

    @property
    def outline(self) -> str:
        """What is normalised."""
        return (
            phrase("{number} examples", number=self.numbers)
            if self._alike
            else phrase("{number} features", number=self.numbers)
        )
