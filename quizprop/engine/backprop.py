r"""Backpropagation in textbook order: one formula a line, then the table of contents of one training step.

A formula's parameters are named by role: ``a_prev`` is the activation of the layer below, ``W_next`` the weights of the
layer above. ``Network.source`` turns roles into names.
Shapes, after any leading axes: x, z, a, t, e, dE_da, da_dz, delta are ``(m, units)``; path is ``(m, to, from)``; W and
grad_W ``(to, from)``; b and grad_b ``(units,)``; E and eta scalars. Sources: Rumelhart, Hinton and Williams (1986); M.
Mazur, "A Step by Step Backpropagation Example" (2015); Goodfellow, Bengio and Courville, "Deep Learning" (2016), ch. 6.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.arrays import Array, choose, largest, matvec, outer, total
from quizprop.engine.graph import Formula, Graph, Quantity, formula, quantity_name
from quizprop.engine.losses import LOSSES

if TYPE_CHECKING:
    from quizprop.engine.network import Network

__all__ = ["training_step"]

# --- forward --------------------------------------------------------------------------------------------------------


@formula(
    "z",
    title="net input",
    latex=r"z_j = \sum_i w_{ji}\,a_i + b_j",
    matrix=r"$Z^{[$l]} = W^{[$l]} $A^{[$p]} + b^{[$l]}",
    idea=(
        "A unit first adds up what reaches it: each activation of the layer below times the weight on its way, "
        "and the bias on top. Look for the weights that lead into this unit."
    ),
)
def z(W: Array, a_prev: Array, b: Array) -> Array:
    """The weighted sum of what comes in, plus the bias."""
    return matvec(W, a_prev) + b[..., None, :]


@formula(
    "z",
    title="net input",
    latex=r"z_j = \sum_i w_{ji}\,a_i",
    matrix=r"$Z^{[$l]} = W^{[$l]} $A^{[$p]}",
    idea=(
        "A unit first adds up what reaches it: each activation of the layer below times the weight on its way. "
        "Look for the weights that lead into this unit; there is no bias here."
    ),
)
def z_without_bias(W: Array, a_prev: Array) -> Array:
    """The weighted sum of what comes in; the network has no biases."""
    return matvec(W, a_prev)


def a(network: "Network", layer: int) -> Formula:
    """The activation of a layer."""
    activation = ACTIVATIONS[network.activations[layer - 1]]
    matrix = rf"$A^{{[$l]}} = {activation.matrix}"
    return Formula(
        "a",
        "activation",
        activation.latex,
        activation.function,
        idea=activation.idea,
        matrix=matrix,
        guard=activation.guard,
    )


# --- loss -----------------------------------------------------------------------------------------------------------


def e(network: "Network") -> Formula:
    """The error of each output alone."""
    loss = LOSSES[network.loss]
    matrix = rf"\mathcal{{L}} = {loss.matrix}"
    return Formula("e", "error of one output", loss.latex, loss.error, idea=loss.idea, matrix=matrix)


@formula(
    "E",
    title="total error",
    latex=r"E = \sum_k E_k",
    per_example=False,
    matrix=r"J = \sum_{k$each} \mathcal{L}_{k$each}",
    idea=(
        "How wrong the network is as a whole: the errors of all outputs added up, over all examples if there are "
        "several."
    ),
)
def E_sum(e: Array) -> Array:
    """The errors of all outputs (and examples) added up."""
    return total(total(e, -1), -1)


@formula(
    "E",
    title="mean error",
    latex=r"E = \frac{1}{n} \sum_k E_k",
    per_example=False,
    matrix=r"J = \frac{1}{n} \sum_{k$each} \mathcal{L}_{k$each}",
    idea=(
        "How wrong the network is as a whole: the errors of the outputs, averaged because the loss is a mean over"
        " outputs."
    ),
)
def E_mean_outputs(e: Array) -> Array:
    """Averaged over the outputs, summed over the examples."""
    return total(total(e, -1), -1) / e.shape[-1]


@formula(
    "E",
    title="mean error",
    latex=r"E = \frac{1}{m} \sum_i \sum_k E_k^{(i)}",
    per_example=False,
    matrix=r"J = \frac{1}{m} \sum_{k$each} \mathcal{L}_{k$each}",
    idea="How wrong the network is as a whole: add up the errors of the outputs of each example, then "
    "average over the examples.",
)
def E_mean_examples(e: Array) -> Array:
    """Summed over the outputs, averaged over the examples."""
    return total(total(e, -1), -1) / e.shape[-2]


@formula(
    "E",
    title="mean error",
    latex=r"E = \frac{1}{m\,n} \sum_i \sum_k E_k^{(i)}",
    per_example=False,
    matrix=r"J = \frac{1}{m\,n} \sum_{k$each} \mathcal{L}_{k$each}",
    idea="How wrong the network is as a whole: the errors averaged over the outputs and over the examples.",
)
def E_mean_both(e: Array) -> Array:
    """Averaged over the outputs and over the examples."""
    return total(total(e, -1), -1) / (e.shape[-1] * e.shape[-2])


# --- deltas ---------------------------------------------------------------------------------------------------------


def dE_da_output(network: "Network") -> Formula:
    """How the loss of an example changes with each output."""
    loss = LOSSES[network.loss]
    latex = r"\frac{\partial E}{\partial a_k} = " + loss.derivative_latex
    title, matrix = "derivative of the error by the activation", rf"d$A^{{[$l]}} = {loss.derivative_matrix}"
    return Formula("dE_da", title, latex, loss.derivative, idea=loss.derivative_idea, matrix=matrix)


@formula(
    "path",
    title="error along one weight",
    latex=r"w_{kj}\,\delta_k",
    idea=(
        "What one unit of the layer above hands back along one weight: how strongly it wants its net input "
        "changed, times how strongly this weight moves that net input."
    ),
)
def path(W: Array, delta: Array) -> Array:
    """What unit k sends back to unit j of the layer below, through the weight between them."""
    return W[..., None, :, :] * delta[..., :, :, None]


@formula(
    "dE_da",
    title="derivative of the error by the activation",
    latex=r"\frac{\partial E}{\partial a_j} = \sum_k w_{kj}\,\delta_k",
    matrix=r"d$A^{[$l]} = W^{[$n]T}\,d$Z^{[$n]}",
    idea=(
        "An activation moves the loss through every unit that it feeds. Follow each of its outgoing weights, take"
        " weight times delta at the far end, and add up all of them."
    ),
)
def dE_da_hidden(path_next: Array) -> Array:
    """All paths from unit j to the loss, added up."""
    return total(path_next, -2)


def da_dz(network: "Network", layer: int) -> Formula | None:
    """The slope of the layer's activation; None for softmax, whose outputs depend on all net inputs at once."""
    activation = ACTIVATIONS[network.activations[layer - 1]]
    if activation.slope is None:
        return None
    latex = r"\frac{\mathrm{d} a_j}{\mathrm{d} z_j} = " + activation.slope_latex
    matrix = rf"g'^{{[$l]}}($Z^{{[$l]}}) = {activation.slope_matrix}"
    return Formula(
        "da_dz",
        "slope of the activation",
        latex,
        activation.slope,
        idea=activation.slope_idea,
        matrix=matrix,
        guard="slope" if activation.saturates else "",
    )


@formula(
    "delta",
    title="delta",
    latex=r"\delta_j = \frac{\partial E}{\partial a_j}\,\frac{\mathrm{d} a_j}{\mathrm{d} z_j}",
    matrix=r"d$Z^{[$l]} = d$A^{[$l]} \odot g'^{[$l]}($Z^{[$l]})",
    idea=(
        "The error has reached the activation; one more factor takes it to the net input. Ask how much the "
        "activation moves when the net input does: that is the slope of the activation."
    ),
)
def delta(dE_da: Array, da_dz: Array) -> Array:
    """The chain rule through the activation: how the loss changes with the net input."""
    return dE_da * da_dz


@formula(
    "delta",
    title="delta",
    latex=r"\delta_k = a_k - t_k",
    matrix=r"d$Z^{[$l]} = $A^{[$l]} - $Y",
    idea=(
        "Cross-entropy was made for this activation: its slope and the derivative of the loss cancel. What is "
        "left is how far the output is from its target, with its sign."
    ),
)
def delta_fused(a: Array, t: Array) -> Array:
    """Cross-entropy over its own activation: the slope cancels and leaves the difference."""
    return a - t


@formula(
    "delta",
    title="delta",
    latex=r"\delta_j = a_j \left(g_j - \sum_k g_k\,a_k\right),\; g_k = \frac{\partial E}{\partial a_k}",
    matrix=r"d$Z^{[$l]} = $A^{[$l]} \odot (d$A^{[$l]} - \mathbf{1}\,\mathbf{1}^T ($A^{[$l]} \odot d$A^{[$l]}))",
    idea=(
        "With softmax, raising one net input lowers all other outputs. So each unit gets its own share of the "
        "error, less the average error of all outputs, weighted by their probabilities."
    ),
)
def delta_softmax(dE_da: Array, a: Array) -> Array:
    """The chain rule through softmax: every output depends on every net input."""
    return a * (dE_da - total(dE_da * a, -1, keepdims=True))


# --- gradients ------------------------------------------------------------------------------------------------------


@formula(
    "grad_W",
    title="gradient of a weight",
    latex=r"\frac{\partial E}{\partial w_{ji}} = \sum \delta_j\,a_i",
    per_example=False,
    matrix=r"dW^{[$l]} = d$Z^{[$l]}\,$A^{[$p]T}",
    idea=(
        "A weight multiplies what comes into it. So its gradient is the delta of the unit that it leads to, times"
        " the activation that it carries; several examples add up."
    ),
)
def grad_W_sum(delta: Array, a_prev: Array) -> Array:
    """Delta times the activation that came in, summed over the examples."""
    return total(outer(delta, a_prev), -3)


@formula(
    "grad_W",
    title="gradient of a weight",
    latex=r"\frac{\partial E}{\partial w_{ji}} = \frac{1}{m} \sum \delta_j\,a_i",
    per_example=False,
    matrix=r"dW^{[$l]} = \frac{1}{m}\,d$Z^{[$l]}\,$A^{[$p]T}",
    idea=(
        "A weight multiplies what comes into it. So its gradient is the delta of the unit that it leads to, times"
        " the activation that it carries, averaged over the examples."
    ),
)
def grad_W_mean(delta: Array, a_prev: Array) -> Array:
    """Delta times the activation that came in, averaged over the examples."""
    return total(outer(delta, a_prev), -3) / delta.shape[-2]


@formula(
    "grad_b",
    title="gradient of a bias",
    latex=r"\frac{\partial E}{\partial b_j} = \sum \delta_j",
    per_example=False,
    matrix=r"db^{[$l]} = ${sum}d$Z^{[$l]}$at_each",
    idea=(
        "A bias is a weight on a constant one. So its gradient is the delta of its unit as it stands; several "
        "examples add up."
    ),
)
def grad_b_sum(delta: Array) -> Array:
    """Delta, summed over the examples: a bias is a weight on a constant 1."""
    return total(delta, -2)


@formula(
    "grad_b",
    title="gradient of a bias",
    latex=r"\frac{\partial E}{\partial b_j} = \frac{1}{m} \sum \delta_j",
    per_example=False,
    matrix=r"db^{[$l]} = \frac{1}{m} ${sum}d$Z^{[$l]}$at_each",
    idea=(
        "A bias is a weight on a constant one. So its gradient is the delta of its unit, averaged over the examples."
    ),
)
def grad_b_mean(delta: Array) -> Array:
    """Delta, averaged over the examples."""
    return total(delta, -2) / delta.shape[-2]


@formula(
    "grad_b",
    title="gradient of the bias",
    latex=r"\frac{\partial E}{\partial b} = \sum_j \delta_j",
    per_example=False,
    matrix=r"db^{[$l]} = \sum_{k$each} d$Z^{[$l]}_{k$each}",
    idea="One bias feeds every unit of the layer, so it moves the loss through each of them: add up their deltas.",
)
def grad_b_shared_sum(delta: Array) -> Array:
    """One bias feeds every unit of the layer, so the layer's deltas add up; summed over the examples."""
    return total(total(delta, -2), -1, keepdims=True)


@formula(
    "grad_b",
    title="gradient of the bias",
    latex=r"\frac{\partial E}{\partial b} = \frac{1}{m} \sum_j \delta_j",
    per_example=False,
    matrix=r"db^{[$l]} = \frac{1}{m} \sum_{k$each} d$Z^{[$l]}_{k$each}",
    idea=(
        "One bias feeds every unit of the layer, so it moves the loss through each of them: add up their deltas, "
        "and average over the examples."
    ),
)
def grad_b_shared_mean(delta: Array) -> Array:
    """One bias feeds every unit of the layer, so the layer's deltas add up; averaged over the examples."""
    return total(total(delta, -2), -1, keepdims=True) / delta.shape[-2]


# --- update ---------------------------------------------------------------------------------------------------------


@formula(
    "W_new",
    title="updated weight",
    latex=r"w_{ji}^{+} = w_{ji} - \eta\,\frac{\partial E}{\partial w_{ji}}",
    per_example=False,
    matrix=r"W^{[$l]} \coloneqq W^{[$l]} - \alpha\,dW^{[$l]}",
    idea=(
        "The gradient points uphill, to more loss. Step the other way: from the old weight, take away the "
        "learning rate times the gradient."
    ),
)
def W_new(W: Array, eta: Array, grad_W: Array) -> Array:
    """One step against the gradient."""
    return W - eta[..., None, None] * grad_W


@formula(
    "b_new",
    title="updated bias",
    latex=r"b_j^{+} = b_j - \eta\,\frac{\partial E}{\partial b_j}",
    per_example=False,
    matrix=r"b^{[$l]} \coloneqq b^{[$l]} - \alpha\,db^{[$l]}",
    idea="A bias learns like a weight: from the old bias, take away the learning rate times its gradient.",
)
def b_new(b: Array, eta: Array, grad_b: Array) -> Array:
    """One step against the gradient; a shared bias has one cell."""
    return b[..., : grad_b.shape[-1]] - eta[..., None] * grad_b


@formula(
    "b_new",
    title="bias after the step",
    latex=r"b_j^{+} = b_j",
    per_example=False,
    matrix=r"b^{[$l]} \coloneqq b^{[$l]}",
    idea="Look at the rules of this sheet: its biases are not trained, so a step leaves them as they are.",
)
def b_kept(b: Array) -> Array:
    """The exercise leaves its biases as they are, one a unit."""
    return b


@formula(
    "b_new",
    title="bias after the step",
    latex=r"b^{+} = b",
    per_example=False,
    matrix=r"b^{[$l]} \coloneqq b^{[$l]}",
    idea="Look at the rules of this sheet: its bias is not trained, so a step leaves it as it is.",
)
def b_kept_shared(b: Array) -> Array:
    """The exercise leaves its shared bias as it is."""
    return b[..., :1]


PREDICTION = (
    "A classifier answers with the class that it finds most likely: look for the largest output, not at its size."
)

# --- what it was good for -------------------------------------------------------------------------------------------


@formula(
    "change",
    title="change of the error",
    latex=r"\Delta E = E^{+} - E",
    per_example=False,
    idea="What the step was good for: the error after it less the error before. Progress is a negative number.",
)
def change(E_new: Array, E: Array) -> Array:
    """The error after the step less the error before: negative where the step has helped."""
    return E_new - E


@formula(
    "fell",
    title="did the error fall",
    latex=r"E^{+} < E",
    per_example=False,
    whole=True,
    options=("no", "yes"),
    idea="Gradient descent promises a smaller error for a small enough step. Look whether this one kept it.",
)
def fell(change: Array) -> Array:
    """1 where the error fell, else 0."""
    return choose(-change, 1.0, 0.0)


@formula("prediction", title="predicted class", latex=r"\operatorname{arg}\max_k a_k", whole=True, idea=PREDICTION)
def prediction(a: Array) -> Array:
    """Which output is the largest, counted from 1."""
    return largest(a)


@formula(
    "prediction", title="predicted class", latex=r"1 \text{ if } a > 0.5 \text{, else } 0", whole=True, idea=PREDICTION
)
def prediction_of_one(a: Array) -> Array:
    """1 where a single sigmoid is above one half, else 0."""
    return choose(a - 0.5, 1.0, 0.0)[..., 0]


# --- table of contents ----------------------------------------------------------------------------------------------


def training_step(network: "Network") -> Graph:
    """Everything that one gradient step computes by hand: forward, loss, backward, gradients, update."""
    layers = range(1, network.depth + 1)
    return Graph(
        (
            *(quantity for layer in layers for quantity in _forward(network, layer)),
            *_prediction(network),
            network.place(e(network), network.depth, named="e"),
            network.place(_total(network), network.depth, named="E"),
            *(quantity for layer in reversed(layers) for quantity in _backward(network, layer)),
            # The derivative by the inputs: one layer below the first.
            network.place(dE_da_hidden, 0),
            *(quantity for layer in reversed(layers) for quantity in _gradients(network, layer)),
            *(quantity for layer in reversed(layers) for quantity in _update(network, layer)),
            *(quantity for layer in layers for quantity in _forward(network, layer, after=True)),
            network.place(e(network), network.depth, named="e_new", after=True),
            network.place(_total(network), network.depth, named="E_new", after=True),
            network.place(change, network.depth, named="change"),
            network.place(fell, network.depth, named="fell"),
        )
    )


def _forward(network: "Network", layer: int, *, after: bool = False) -> Iterator[Quantity]:
    for words in (z_without_bias if network.bias == "none" else z, a(network, layer)):
        name = quantity_name(words.stem, layer)
        yield network.place(words, layer, named=network.renewed(name) if after else name, after=after)


def _prediction(network: "Network") -> Iterator[Quantity]:
    if network.layers[-1] > 1:
        yield network.place(prediction, network.depth, named="prediction")
    elif network.activations[-1] == "sigmoid":
        yield network.place(prediction_of_one, network.depth, named="prediction")


def _total(network: "Network") -> Formula:
    over_examples = network.examples > 1 and network.reduction == "mean"
    if LOSSES[network.loss].mean_over_outputs:
        return E_mean_both if over_examples else E_mean_outputs
    return E_mean_examples if over_examples else E_sum


def _backward(network: "Network", layer: int) -> Iterator[Quantity]:
    output = layer == network.depth
    yield network.place(dE_da_output(network) if output else dE_da_hidden, layer)
    slope = da_dz(network, layer)
    if slope is not None:
        yield network.place(slope, layer)
    if output and network.fused:
        yield network.place(delta_fused, layer)
    else:
        yield network.place(delta_softmax if slope is None else delta, layer)
    yield network.place(path, layer)


def _gradients(network: "Network", layer: int) -> Iterator[Quantity]:
    mean = network.examples > 1 and network.reduction == "mean"
    yield network.place(grad_W_mean if mean else grad_W_sum, layer)
    if network.bias == "unit":
        yield network.place(grad_b_mean if mean else grad_b_sum, layer)
    if network.bias == "shared":
        yield network.place(grad_b_shared_mean if mean else grad_b_shared_sum, layer)


def _update(network: "Network", layer: int) -> Iterator[Quantity]:
    yield network.place(W_new, layer)
    if network.bias != "none":
        kept = b_kept_shared if network.bias == "shared" else b_kept
        yield network.place(b_new if network.update_biases else kept, layer)
