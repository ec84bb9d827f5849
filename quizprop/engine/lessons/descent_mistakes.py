"""What goes wrong when a unit is trained: in the penalty, in what an optimizer keeps, in the step, and after it."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from quizprop.engine.arrays import Array, total
from quizprop.engine.losses import LOSSES
from quizprop.engine.misconceptions import ACTIVATION_SKIPPED, OLD_WEIGHTS, STEP_ADDED
from quizprop.engine.mistakes import Misconception, reading

if TYPE_CHECKING:
    from quizprop.engine.lessons.descent import Descent

__all__ = ["descent_mistakes"]


def first(_lesson: "Descent", t: int | None) -> bool:
    """In the first step."""
    return t == 1


def later(_lesson: "Descent", t: int | None) -> bool:
    """In the second step."""
    return t != 1


def _compares(lesson: "Descent", _t: int | None) -> bool:
    """Where the error of the first step is that of the first weights."""
    return lesson.optimizer != "nesterov"


def _moved(direction: Array) -> Array:
    return direction != 0


HISTORY_FORGOTTEN = "What was kept from the step before is missing. A running average takes a share of it."
SHARES_SWAPPED = "The two shares are swapped: the larger one belongs to what was kept, the rest to what is new."
SHARE_LEFT_OUT = "The new part was taken whole. In a running average it gets only the share that the old part leaves."
NOT_SQUARED = "The gradient was not squared. This average is one of squares, so that signs do not cancel."

_PENALTY: Final = (
    Misconception(
        "half_left_out",
        "R",
        "half left out",
        "The one half is missing: the penalty is lambda over 2 times the sum of the squares.",
        (lambda weights, decay: decay * total(weights**2, -1),),
    ),
    Misconception(
        "not_squared",
        "R",
        "weights not squared",
        "The weights were not squared. The penalty does not ask for their sign, only for their size.",
        (lambda weights, decay: decay / 2 * total(weights, -1),),
    ),
    Misconception(
        "lambda_left_out",
        "R",
        "lambda left out",
        "Lambda is missing: it says how much the penalty weighs against the error on the data.",
        (lambda weights: total(weights**2, -1) / 2,),
    ),
    Misconception(
        "bias_punished",
        "R",
        "bias punished too",
        "The bias was counted among the weights. The penalty leaves it out; see the conventions.",
        (lambda weights, b, decay: decay / 2 * (total(weights**2, -1) + b**2),),
        lambda lesson, _t: lesson.bias,
    ),
    Misconception(
        "penalty_left_out",
        "E",
        "penalty left out",
        "This is the error on the data alone. The penalty belongs to what is minimised.",
        (lambda D: D,),
    ),
    Misconception(
        "penalty_subtracted",
        "E",
        "penalty subtracted",
        "The penalty was taken away. Large weights make the total worse: it is added.",
        (lambda D, R: D - R,),
    ),
    Misconception(
        "half_kept",
        "dR_dw",
        "half kept",
        "The one half is still there. It cancels with the 2 that comes down from the square.",
        (lambda weights, decay: decay[..., None] / 2 * weights,),
    ),
    Misconception(
        "factor_two",
        "dR_dw",
        "factor 2 too many",
        "There is a 2 too many: it comes down from the square and cancels with the one half of the penalty.",
        (lambda weights, decay: 2 * decay[..., None] * weights,),
    ),
    Misconception(
        "lambda_left_out",
        "dR_dw",
        "lambda left out",
        "This is the weight alone. The penalty carries lambda, and so does its derivative.",
        (lambda weights: weights + 0,),
    ),
    Misconception(
        "penalty_left_out",
        "grad_w",
        "penalty left out",
        "This is the gradient of the error on the data alone. The penalty has a gradient too.",
        (lambda dD_dw: dD_dw,),
    ),
    Misconception(
        "penalty_subtracted",
        "grad_w",
        "penalty subtracted",
        "The gradient of the penalty was taken away. The total is a sum, and so is its gradient.",
        (lambda dD_dw, dR_dw: dD_dw - dR_dw,),
    ),
)

_MOMENTUM: Final = (
    Misconception(
        "velocity_forgotten",
        "v",
        "velocity so far forgotten",
        "This is the gradient alone. Momentum keeps a share of the velocity so far and adds the gradient to it.",
        (lambda grad_w: grad_w,),
    ),
    Misconception(
        "velocity_whole",
        "v",
        "velocity so far kept whole",
        "The velocity so far was kept whole. Beta says which share of it is kept.",
        (lambda v_prev, grad_w: v_prev + grad_w,),
    ),
    Misconception(
        "gradient_share",
        "v",
        "share of the gradient only",
        "The gradient was scaled down as in a running average. Here it enters whole; see the conventions.",
        (lambda beta, v_prev, grad_w: beta[..., None] * v_prev + (1 - beta[..., None]) * grad_w,),
    ),
    Misconception(
        "eta_in_velocity",
        "v",
        "learning rate in the velocity",
        "The learning rate was put into the velocity. Here it comes in later, with the step; see the conventions.",
        (lambda beta, v_prev, eta, grad_w: beta[..., None] * v_prev + eta[..., None] * grad_w,),
    ),
    Misconception(
        "gradient_subtracted",
        "v",
        "gradient subtracted",
        "The gradient was taken away. Here the velocity adds gradients up, and the step goes against it.",
        (lambda beta, v_prev, grad_w: beta[..., None] * v_prev - grad_w,),
    ),
    Misconception(
        "plain_step",
        "w",
        "step against the gradient alone",
        "This is a plain gradient step. With momentum the weight moves against the velocity, not "
        "against the gradient alone.",
        (lambda w_prev, eta, grad_w: w_prev - eta[..., None] * grad_w,),
    ),
)

_NESTEROV: Final = (
    Misconception(
        "no_look_ahead",
        "ahead",
        "no look ahead",
        "This is the old weight. Nesterov first goes where the velocity alone would lead, and looks at the gradient "
        "there.",
        (lambda w_prev: w_prev,),
    ),
    Misconception(
        "looked_back",
        "ahead",
        "looked back",
        "This looks back to where the weight has come from. The step goes *against* the velocity, so looking ahead "
        "subtracts.",
        (lambda w_prev, eta, beta, v_prev: w_prev + eta[..., None] * beta[..., None] * v_prev,),
    ),
    Misconception(
        "eta_forgotten",
        "ahead",
        "learning rate forgotten",
        "The learning rate is missing: the weight will move by the learning rate times the velocity.",
        (lambda w_prev, beta, v_prev: w_prev - beta[..., None] * v_prev,),
    ),
    Misconception(
        "beta_left_out",
        "ahead",
        "beta left out",
        "Beta is missing: only that share of the velocity will be left in the step to come.",
        (lambda w_prev, eta, v_prev: w_prev - eta[..., None] * v_prev,),
    ),
    Misconception(
        "step_from_look_ahead",
        "w",
        "step made from the look-ahead point",
        "The step was made from the point looked ahead to. It starts from the old weight: the velocity has that way "
        "in it.",
        (lambda ahead, eta, v: ahead - eta[..., None] * v,),
    ),
)

_RMSPROP: Final = (
    Misconception(
        "history_forgotten",
        "s",
        "average so far forgotten",
        HISTORY_FORGOTTEN,
        (lambda rho, grad_w: (1 - rho[..., None]) * grad_w**2, lambda grad_w: grad_w**2),
    ),
    Misconception(
        "shares_swapped",
        "s",
        "shares swapped",
        SHARES_SWAPPED,
        (lambda rho, s_prev, grad_w: (1 - rho[..., None]) * s_prev + rho[..., None] * grad_w**2,),
    ),
    Misconception(
        "share_left_out",
        "s",
        "new part taken whole",
        SHARE_LEFT_OUT,
        (lambda rho, s_prev, grad_w: rho[..., None] * s_prev + grad_w**2,),
    ),
    Misconception(
        "not_squared",
        "s",
        "gradient not squared",
        NOT_SQUARED,
        (lambda rho, s_prev, grad_w: rho[..., None] * s_prev + (1 - rho[..., None]) * grad_w,),
    ),
    Misconception(
        "root_left_out",
        "root",
        "root left out",
        "The square root is missing. It brings the average of squares back to the size of a gradient.",
        (lambda s: s,),
    ),
    Misconception(
        "not_divided",
        "ratio",
        "not divided by the root",
        "This is the gradient itself. Here it is divided by the root of the average first.",
        (lambda grad_w: grad_w,),
    ),
    Misconception(
        "times_root",
        "ratio",
        "multiplied by the root",
        "The gradient was multiplied by the root. Divided by it, large gradients are tamed and small ones raised.",
        (lambda grad_w, root: grad_w * root,),
    ),
    Misconception(
        "plain_step",
        "w",
        "plain gradient step",
        "This is a plain gradient step. Here the step goes along the gradient divided by the root.",
        (lambda w_prev, eta, grad_w: w_prev - eta[..., None] * grad_w,),
    ),
)


def _averaging(stem: str, beta: str) -> tuple[Misconception, ...]:
    """What goes wrong in one of Adam's two averages, of the gradient or of its square, and in its correction."""
    power = 1 if stem == "m" else 2

    def mistaken(share_old: Callable[[Array], Array], share_new: Callable[[Array], Array]) -> Callable[..., Array]:
        return reading(
            lambda b, old, g: share_old(b[..., None]) * old + share_new(b[..., None]) * g**power,
            beta,
            f"{stem}_prev",
            "grad_w",
        )

    def begun(share: Callable[[Array], Array]) -> Callable[..., Array]:
        return reading(lambda b, g: share(b[..., None]) * g**power, beta, "grad_w")

    return (
        Misconception("history_forgotten", stem, "average so far forgotten", HISTORY_FORGOTTEN,
            (begun(lambda b: 1 - b),), later),
        Misconception("shares_swapped", stem, "shares swapped", SHARES_SWAPPED, (begun(lambda b: b),), first),
        Misconception("shares_swapped", stem, "shares swapped", SHARES_SWAPPED,
            (mistaken(lambda b: 1 - b, lambda b: b),), later),
        Misconception("share_left_out", stem, "new part taken whole", SHARE_LEFT_OUT,
            (begun(lambda b: 1 + 0 * b),), first),
        Misconception("share_left_out", stem, "new part taken whole", SHARE_LEFT_OUT,
            (mistaken(lambda b: b, lambda b: 1 + 0 * b),), later),
        Misconception(
            "correction_left_out",
            f"{stem}_hat",
            "correction left out",
            "This is the average as it stands. It started from 0 and is still too close to it: divide by what it has "
            "gathered.",
            (reading(lambda average: average, stem),),
        ),
        Misconception(
            "correction_multiplied",
            f"{stem}_hat",
            "correction multiplied",
            "The correction was multiplied. The average is still too close to 0: dividing moves it away.",
            (reading(lambda average, b: average * (1 - b[..., None]), stem, beta),),
            first,
        ),
        Misconception(
            "power_left_out",
            f"{stem}_hat",
            "power of beta left out",
            "This is the correction of the first step. Beta is raised to the number of the step.",
            (reading(lambda average, b: average / (1 - b[..., None]), stem, beta),),
            later,
        ),
        Misconception(
            "divided_by_beta",
            f"{stem}_hat",
            "divided by beta",
            "This was divided by a power of beta. What the average has gathered is 1 minus that power.",
            (reading(lambda average, b: average / b[..., None], stem, beta),),
            first,
        ),
    )  # fmt: skip


_ADAM: Final = (
    *_averaging("m", "beta1"),
    *_averaging("v", "beta2"),
    Misconception(
        "not_squared",
        "v",
        "gradient not squared",
        NOT_SQUARED,
        (lambda beta2, grad_w: (1 - beta2[..., None]) * grad_w,),
        first,
    ),
    Misconception(
        "not_squared",
        "v",
        "gradient not squared",
        NOT_SQUARED,
        (lambda beta2, v_prev, grad_w: beta2[..., None] * v_prev + (1 - beta2[..., None]) * grad_w,),
        later,
    ),
    Misconception(
        "root_left_out",
        "root",
        "root left out",
        "The square root is missing. It brings the average of squares back to the size of a gradient.",
        (lambda v_hat: v_hat,),
    ),
    Misconception(
        "not_divided",
        "ratio",
        "not divided by the root",
        "This is the corrected average itself. Adam divides it by the root of the corrected average of the squares.",
        (lambda m_hat: m_hat,),
    ),
    Misconception(
        "times_root",
        "ratio",
        "multiplied by the root",
        "The average was multiplied by the root. Divided by it, large gradients are tamed and small ones raised.",
        (lambda m_hat, root: m_hat * root,),
    ),
    Misconception(
        "gradient_for_average",
        "ratio",
        "gradient instead of its average",
        "The newest gradient was taken. Adam's step goes along the corrected running average of the gradients.",
        (lambda grad_w, root: grad_w / root,),
        later,
    ),
    Misconception(
        "plain_step",
        "w",
        "plain gradient step",
        "This is a plain gradient step. Adam goes against the corrected average of the gradient, "
        "divided by the root of that of the squares.",
        (lambda w_prev, eta, grad_w: w_prev - eta[..., None] * grad_w,),
    ),
)

_DECAY: Final = (
    Misconception(
        "eta_forgotten",
        "kept",
        "learning rate forgotten",
        "The learning rate is missing: in each step the weight loses the share learning rate times lambda of itself.",
        (lambda w_prev, decay: (1 - decay[..., None]) * w_prev,),
    ),
    Misconception(
        "decay_added",
        "kept",
        "decay added",
        "The weight has moved away from 0. Decay takes a little of it away.",
        (lambda w_prev, eta, decay: (1 + eta[..., None] * decay[..., None]) * w_prev,),
    ),
    Misconception(
        "decay_alone",
        "kept",
        "decay alone",
        "This is what decay takes away. What it leaves of the weight goes into the step.",
        (lambda w_prev, eta, decay: eta[..., None] * decay[..., None] * w_prev,),
    ),
    Misconception(
        "same_for_all",
        "kept",
        "same amount off each weight",
        "The same amount was taken off whatever the weight. Decay takes a share of the weight itself.",
        (lambda w_prev, eta, decay: w_prev - eta[..., None] * decay[..., None],),
    ),
    Misconception(
        "decay_left_out",
        "w",
        "decay left out",
        "This is a plain gradient step from the old weight. It starts from what decay has left of it.",
        (lambda w_prev, eta, grad_w: w_prev - eta[..., None] * grad_w,),
    ),
)

_OWN: Final[Mapping[str, tuple[Misconception, ...]]] = {
    "sgd": (),
    "momentum": _MOMENTUM,
    "nesterov": (*_NESTEROV, *_MOMENTUM),
    "rmsprop": _RMSPROP,
    "adam": _ADAM,
    "weight_decay": _DECAY,
}

_AGAIN: Final = (
    Misconception(
        "old_weights",
        "z",
        "weights from before the step",
        OLD_WEIGHTS,
        (lambda w_prev_prev, x, b: total(w_prev_prev * x, -1) + b,),
        lambda lesson, t: t > 1 and lesson.bias and lesson.optimizer != "nesterov",
    ),
    Misconception(
        "old_weights",
        "z",
        "weights from before the step",
        OLD_WEIGHTS,
        (lambda w_prev_prev, x: total(w_prev_prev * x, -1),),
        lambda lesson, t: t > 1 and not lesson.bias and lesson.optimizer != "nesterov",
    ),
    Misconception(
        "old_gradient",
        "grad_w",
        "gradient of the step before",
        "This is the gradient of the step before. The weights have moved: forward and backward pass start anew.",
        (lambda grad_w_prev: grad_w_prev,),
        later,
    ),
)


_STEPPING: Final = (
    Misconception(
        "step_added",
        "w",
        "step added",
        STEP_ADDED,
        (lambda start, eta, direction: start + eta[..., None] * direction,),
        forbidden=True,
        where=_moved,
    ),
    Misconception(
        "eta_forgotten",
        "w",
        "learning rate forgotten",
        "The learning rate is missing: it says how far the step goes.",
        (lambda start, direction: start - direction,),
        forbidden=True,
        where=_moved,
    ),
    Misconception(
        "no_step",
        "w",
        "no step made",
        "This is the old weight. The step still has to be made, however small it is: keep all the decimals.",
        (lambda w_prev: w_prev + 0,),
        forbidden=True,
        where=_moved,
    ),
    Misconception(
        "step_only",
        "w",
        "only the step",
        "This is the step alone. The new weight is the old weight minus the step.",
        (lambda eta, direction: eta[..., None] * direction, lambda eta, direction: -(eta[..., None] * direction)),
    ),
    Misconception(
        "weight_scaled",
        "w",
        "weight scaled by the learning rate",
        "The learning rate was multiplied with the weight. It scales the step; the old weight enters whole.",
        (lambda start, eta, direction: eta[..., None] * (start - direction),),
    ),
    Misconception(
        "step_from_start",
        "w",
        "step made from the start",
        "The step was made from the weight before last. Each step goes on from where the one before it has ended.",
        (lambda w_prev_prev, eta, direction: w_prev_prev - eta[..., None] * direction,),
        later,
    ),
)

_AFTER: Final = (
    Misconception(
        "old_weights",
        "z_after",
        "weights from before the step",
        OLD_WEIGHTS,
        (lambda w_prev, x, b: total(w_prev * x, -1) + b,),
        lambda lesson, _t: lesson.bias,
    ),
    Misconception(
        "old_weights",
        "z_after",
        "weights from before the step",
        OLD_WEIGHTS,
        (lambda w_prev, x: total(w_prev * x, -1),),
        lambda lesson, _t: not lesson.bias,
    ),
    Misconception(
        "old_activation",
        "a_after",
        "activation from before the step",
        "This is the activation from before the step. With the new weights the forward pass is done anew.",
        (lambda a: a,),
    ),
    Misconception(
        "activation_skipped",
        "a_after",
        "activation skipped",
        ACTIVATION_SKIPPED,
        (lambda z_after: z_after,),
        lambda lesson, _t: lesson.activation != "identity",
    ),
    Misconception(
        "old_weights",
        "R_after",
        "weights from before the step",
        "This is the penalty of the weights before the step. It changes with them.",
        (lambda weights, decay: decay / 2 * total(weights**2, -1),),
        lambda lesson, _t: lesson.penalty,
    ),
    Misconception(
        "penalty_left_out",
        "E_after",
        "penalty left out",
        "This is the error on the data alone. The penalty belongs to what is minimised.",
        (lambda D_after: D_after,),
        lambda lesson, _t: lesson.penalty,
    ),
    Misconception(
        "before_less_after",
        "change",
        "before less after",
        "The difference is the wrong way round. A change is the later value less the earlier one: negative is "
        "progress.",
        (lambda E_after, E1: E1 - E_after,),
        _compares,
    ),
    Misconception(
        "sign_misread",
        "fell",
        "sign misread",
        "Look at the sign of the change again: a negative change means that the error has become smaller.",
        (lambda change: (change.real >= 0) + 0.0,),
        _compares,
    ),
)


def _error_after(stem: str, loss: str) -> tuple[Misconception, ...]:
    """What goes wrong in the error with the last weights."""
    old = Misconception(
        "old_activation",
        stem,
        "activation from before the step",
        "The output from before the step was compared with the target. Take the one with the new weights.",
        (lambda a, y: LOSSES[loss].error(a, y),),
    )
    halved = Misconception(
        "half_left_out",
        stem,
        "half left out",
        "The square is right, but this loss has a factor of one half in front.",
        (lambda a_after, y: (y - a_after) ** 2,),
    )
    return (old, halved) if loss == "half_sse" else (old,)


def descent_mistakes(lesson: "Descent") -> tuple[Misconception, ...]:
    """What goes wrong in a lesson beside the mistakes of its unit."""
    return (
        *(_PENALTY if lesson.penalty else ()),
        *(_AGAIN if lesson.steps > 1 else ()),
        *_OWN[lesson.optimizer],
        *_STEPPING,
        *_error_after("D_after" if lesson.penalty else "E_after", lesson.loss),
        *_AFTER,
    )
