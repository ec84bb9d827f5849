r"""A circuit of gates with numbers on its wires: what comes back along them, and what adds up where a wire forks.

Every value is a scalar. A circuit is written as it is computed, a gate a line: ``q = x + y``, ``f = q * z``. Source:
Karpathy, Li and Johnson, CS231n, "Backpropagation, Intuitions" (2016).
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, reduce
from types import MappingProxyType
from typing import Any, ClassVar, Final

import numpy as np

from quizprop.engine.activations import sigmoid, sigmoid_slope, tanh, tanh_slope
from quizprop.engine.arrays import Array, choose
from quizprop.engine.graph import Formula, Quantity, step
from quizprop.engine.lessons.pieces import Form, partial
from quizprop.engine.mistakes import Misconception, reading
from quizprop.engine.model import Given, Lesson, Rule, Shape
from quizprop.engine.words import phrase

__all__ = ["Circuit"]


# --- gates ----------------------------------------------------------------------------------------------------------


def added(*terms: Array) -> Array:
    """An addition gate."""
    return reduce(np.add, terms)


def multiplied(x: Array, y: Array) -> Array:
    """A multiplication gate."""
    return x * y


def larger(x: Array, y: Array) -> Array:
    """A maximum gate lets the larger of its inputs pass."""
    return choose(x - y, x, y)


def negative(x: Array) -> Array:
    """A gate that turns the sign."""
    return -x


def exponential(x: Array) -> Array:
    """A gate for the power of e."""
    return np.exp(x)


def one_more(x: Array) -> Array:
    """A gate that adds the constant 1."""
    return 1 + x


def reciprocal(x: Array) -> Array:
    """A gate for 1 over its input."""
    return 1 / x


def squared(x: Array) -> Array:
    """A gate for the square."""
    return x**2


@dataclass(frozen=True, slots=True)
class _Slip:
    """A wrong value of a gate, or a wrong derivative of it, with a tutor's words; it ``reads`` as ``_Gate`` does."""

    kind: str
    title: str
    sentence: str
    reads: tuple[str, ...]
    function: Form
    where: Form | None = None


@dataclass(frozen=True, slots=True)
class _Gate:
    """A kind of gate: how it is written, its value, its derivative by one input, and what goes wrong at both.

    The derivative is a number, or a function of what it ``reads``: ``own``, the input in question, ``other``, the other
    input, or ``out``, the gate's value. In the LaTeX these are ``$own``, ``$other`` and ``$out``. A ``switch`` lets one
    input pass, whole, and nothing of the other.
    """

    pattern: str
    title: str
    value: Form
    latex: Callable[..., str]
    idea: str
    local: float | Form
    reads: tuple[str, ...] = ()
    local_latex: str = ""
    switch: bool = False
    forward: tuple[_Slip, ...] = ()
    backward: tuple[_Slip, ...] = ()


_NAME: Final = r"([A-Za-z]+\d*)"


def _called(function: str, arguments: int = 1) -> str:
    return rf"{function}\({', '.join([_NAME] * arguments)}\)"


_GATES: Final[Mapping[str, _Gate]] = MappingProxyType({
    "add": _Gate(
        rf"{_NAME}(?: \+ {_NAME})+",
        "sum",
        added,
        lambda *names: " + ".join(names),
        "An addition passes what comes back on to each of its inputs, whole and unchanged.",
        1.0,
        forward=(
            _Slip(
                "gates_swapped",
                "multiplied instead of added",
                "The inputs were multiplied. This gate adds them.",
                (),
                lambda *terms: reduce(np.multiply, terms),
            ),
        ),
        backward=(
            _Slip(
                "times_other_input",
                "addition taken for multiplication",
                "This was multiplied by the other input, as at a multiplication. An addition passes on what comes back "
                "as it is.",
                ("other",),
                lambda other: other,
            ),
            _Slip(
                "gradient_split",
                "divided between the inputs",
                "What comes back was divided between the inputs. An addition passes the *whole* of it on to each.",
                ("own",),
                lambda own: 0 * own + 0.5,
            ),
        ),
    ),
    "multiply": _Gate(
        rf"{_NAME} \* {_NAME}",
        "product",
        multiplied,
        r"{}\,{}".format,
        "A multiplication passes back what has come to it, times the *other* input.",
        lambda other: other,
        ("other",),
        "$other",
        forward=(
            _Slip(
                "gates_swapped",
                "added instead of multiplied",
                "The inputs were added. This gate multiplies them.",
                (),
                lambda x, y: x + y,
            ),
        ),
        backward=(
            _Slip(
                "own_input",
                "own input instead of the other",
                "This was multiplied by the input itself. At a multiplication the inputs change places: take the "
                "*other* one.",
                ("own",),
                lambda own: own,
            ),
        ),
    ),
    "max": _Gate(
        _called("max", 2),
        "maximum",
        larger,
        r"\max({}, {})".format,
        "A maximum is a switch: all that comes back goes to the larger input, nothing to the other.",
        lambda own, other: choose(own - other, 1.0, 0.0),
        ("own", "other"),
        "[$own > $other]",
        switch=True,
        forward=(
            _Slip(
                "smaller_input",
                "the smaller input",
                "This is the smaller of the two. A maximum lets the larger one pass: mind the signs.",
                (),
                lambda x, y: choose(x - y, y, x),
            ),
        ),
        backward=(
            _Slip(
                "switch_reversed",
                "passed to the smaller input",
                "The switch is the wrong way round. What comes back goes to the input that was let through.",
                ("own", "other"),
                lambda own, other: choose(own - other, 0.0, 1.0),
            ),
            _Slip(
                "passed_to_both",
                "passed to both inputs",
                "A maximum does not pass on to both. An input that was not let through has no part in the result.",
                ("own",),
                lambda own: 0 * own + 1,
                lambda own, other: own <= other,
            ),
        ),
    ),
    "negate": _Gate(
        rf"-{_NAME}",
        "negative",
        negative,
        "-{}".format,
        "The sign turns on the way back just as on the way there.",
        -1.0,
        forward=(
            _Slip(
                "sign_left_out",
                "sign left out",
                "The sign was not turned. This gate gives the negative of its input.",
                (),
                lambda x: x,
            ),
        ),
        backward=(
            _Slip(
                "sign_left_out",
                "sign left out",
                "The sign was not turned on the way back. The derivative of this gate is -1.",
                ("own",),
                lambda own: 0 * own + 1,
            ),
        ),
    ),
    "exp": _Gate(
        _called("exp"),
        "power of e",
        exponential,
        "e^{{{}}}".format,
        "The power of e is its own derivative: what comes back is multiplied by the value that you have.",
        lambda out: out,
        ("out",),
        "$out",
        forward=(
            _Slip(
                "exponent_sign",
                "sign of the exponent",
                "Look at the sign in the exponent again: the input goes in as it is.",
                (),
                lambda x: np.exp(-x),
            ),
        ),
        backward=(
            _Slip(
                "input_for_value",
                "input instead of value",
                "This was multiplied by the exponent. The derivative of the power of e is that power itself.",
                ("own",),
                lambda own: own,
            ),
        ),
    ),
    "one_more": _Gate(
        rf"1 \+ {_NAME}",
        "sum with 1",
        one_more,
        "1 + {}".format,
        "A constant that is added changes nothing on the way back.",
        1.0,
        forward=(
            _Slip("one_left_out", "1 left out", "The 1 is missing: this gate adds it to its input.", (), lambda x: x),
        ),
        backward=(
            _Slip(
                "times_value",
                "multiplied by the value",
                "This was multiplied by the gate's value. A constant that is added leaves the derivative 1.",
                ("out",),
                lambda out: out,
            ),
        ),
    ),
    "reciprocal": _Gate(
        rf"1 / {_NAME}",
        "reciprocal",
        reciprocal,
        r"\frac{{1}}{{{}}}".format,
        "The derivative of 1 over the input is minus 1 over its square.",
        lambda own: -(1 / own**2),
        ("own",),
        r"\left(-\frac{1}{$own^2}\right)",
        forward=(
            _Slip("not_inverted", "not inverted", "This is the input. The gate gives 1 over it.", (), lambda x: x),
        ),
        backward=(
            _Slip(
                "minus_left_out",
                "minus left out",
                "The minus is missing: the larger the denominator, the smaller the fraction.",
                ("own",),
                lambda own: 1 / own**2,
            ),
            _Slip(
                "not_squared",
                "not squared",
                "The square is missing: the derivative of 1 over a number has the *square* of it below.",
                ("own",),
                lambda own: -(1 / own),
            ),
        ),
    ),
    "square": _Gate(
        rf"{_NAME}\^2",
        "square",
        squared,
        "{}^2".format,
        "The derivative of a square is twice the input.",
        lambda own: 2 * own,
        ("own",),
        r"2\,$own",
        forward=(
            _Slip("doubled", "doubled", "The input was doubled. This gate squares it.", (), lambda x: 2 * x),
        ),
        backward=(
            _Slip(
                "two_left_out",
                "two left out",
                "The 2 that comes down from the exponent is missing.",
                ("own",),
                lambda own: own,
            ),
            _Slip(
                "value_for_derivative",
                "value instead of derivative",
                "This was multiplied by the square itself. The way back takes its *derivative*.",
                ("out",),
                lambda out: out,
            ),
        ),
    ),
    "sigmoid": _Gate(
        _called("sigmoid"),
        "sigmoid",
        sigmoid,
        r"\sigma({})".format,
        "The sigmoid's derivative needs only its value: it times what is missing to 1.",
        lambda out: sigmoid_slope(out),
        ("out",),
        r"$out\,(1 - $out)",
        forward=(
            _Slip(
                "exponent_sign",
                "sign of the exponent",
                "Look at the sign in the exponent: the sigmoid has e to the power of *minus* its input.",
                (),
                lambda x: 1 / (1 + np.exp(x)),
            ),
        ),
        backward=(
            _Slip(
                "slope_at_net_input",
                "slope at the net input",
                "The slope was taken at the input. Put in the *value*: the sigmoid's slope is never negative.",
                ("own",),
                lambda own: own * (1 - own),
            ),
            _Slip(
                "slope_one_minus_a",
                "one factor of the slope",
                "Only one minus the value is here. The sigmoid's slope has two factors.",
                ("out",),
                lambda out: 1 - out,
            ),
        ),
    ),
    "tanh": _Gate(
        _called("tanh"),
        "hyperbolic tangent",
        tanh,
        r"\tanh({})".format,
        "The derivative of tanh needs only its value: what the square of it lacks to 1.",
        lambda out: tanh_slope(out),
        ("out",),
        "(1 - $out^2)",
        forward=(
            _Slip(
                "sigmoid_for_tanh",
                "sigmoid instead of tanh",
                "This is the logistic sigmoid. The gate is tanh, which runs from -1 to 1.",
                (),
                sigmoid,
            ),
        ),
        backward=(
            _Slip(
                "slope_not_squared",
                "slope not squared",
                "The square is missing: the slope of tanh is one minus the *square* of its value.",
                ("out",),
                lambda out: 1 - out,
            ),
        ),
    ),
})  # fmt: skip


# --- circuits -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Node:
    """A gate at its place: the name of its value, its kind, and the names on its inputs."""

    name: str
    gate: _Gate
    reads: tuple[str, ...]


@lru_cache(maxsize=256)
def _parsed(gates: tuple[str, ...]) -> tuple[_Node, ...]:
    return tuple(_node(line) for line in gates)


def _node(line: str) -> _Node:
    name, equals, right = line.partition(" = ")
    for gate in _GATES.values():
        if equals and re.fullmatch(_NAME, name) and re.fullmatch(gate.pattern, right):
            reads = tuple(re.findall(rf"(?<![A-Za-z0-9]){_NAME}(?![A-Za-z0-9]*\()", right))
            return _Node(name, gate, reads)
    shapes = "x + y, x * y, max(x, y), -x, 1 + x, 1 / x, x^2, exp(x), sigmoid(x), tanh(x)"
    raise ValueError(f"{line!r} is not a gate; write name = one of {shapes}")


def _check(nodes: tuple[_Node, ...]) -> None:
    names = [node.name for node in nodes]
    if not names or names[-1] != "f" or len(set(names)) < len(names):
        raise ValueError(f"gates are named {', '.join(names)}; give each its own name, and the last one the name f")
    for place, node in enumerate(nodes):
        later = sorted(set(node.reads).intersection(names[place:]))
        if later or len(set(node.reads)) < len(node.reads):
            raise ValueError(f"gate {node.name} reads {', '.join(node.reads)}; it takes different, earlier values")
    unread = [name for name in names[:-1] if not any(name in node.reads for node in nodes)]
    if unread:
        raise ValueError(f"no gate reads {', '.join(unread)}; leave it out or use it")


def _spelled(name: str) -> str:
    """A name in LaTeX: w0 has an index."""
    return re.sub(r"(\d+)$", r"_{\1}", name)


def _written(template: str, use: "_Use") -> str:
    for role, name in use.roles.items():
        template = template.replace(f"${role}", _spelled(name))
    return template


# --- back -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Term:
    """A summand of a formula: the names that it reads and the function of these."""

    reads: tuple[str, ...]
    function: Form


def _steady(ways: list[tuple[float | Form, float | None]]) -> float | None:
    """A derivative that is the same number whatever goes into the circuit, from the gates on its ways."""
    numbers = [local * back for local, back in ways if isinstance(local, float) and back is not None]
    return sum(numbers) if len(numbers) == len(ways) else None


@dataclass(frozen=True, slots=True)
class _Use:
    """A value at one input of one gate; ``back`` is the name of what has come back to the gate, none at the last.

    It is ``plain`` where that is 1 whatever the numbers.
    """

    own: str
    node: _Node
    plain: bool

    @property
    def back(self) -> str | None:
        return None if self.node.name == "f" else f"grad_{self.node.name}"

    @property
    def roles(self) -> dict[str, str]:
        other = next((name for name in self.node.reads if name != self.own), "")
        return {"own": self.own, "out": self.node.name, "other": other}

    def placed(self, reads: tuple[str, ...], function: Form) -> _Term:
        """A function of roles as one of names."""
        return _Term(tuple(self.roles[role] for role in reads), function)

    def times_back(self, local: _Term) -> _Term:
        """What has come back to the gate, times a derivative of the gate."""
        if self.back is None:
            return local
        return _Term((self.back, *local.reads), lambda back, *values: back * local.function(*values))

    @property
    def right(self) -> _Term:
        """What comes back to the value from this gate."""
        local = self.node.gate.local
        if not isinstance(local, float):
            return self.times_back(self.placed(self.node.gate.reads, local))
        if self.back is None:
            return _Term((self.own,), lambda own: 0 * own + local)
        return _Term((self.back,), lambda back: back if local > 0 else -back)

    @property
    def latex(self) -> str:
        """The same in LaTeX."""
        local = self.node.gate.local
        if not isinstance(local, float):
            factor = _written(self.node.gate.local_latex, self)
        else:
            factor = ("1" if self.back is None else "") if local > 0 else ("-1" if self.back is None else "-")
        if self.back is None:
            return factor
        through = partial(_spelled(self.node.name), "f")
        return f"-{through}" if factor == "-" else rf"{through}\,{factor}" if factor else through


def _joined(terms: list[_Term], join: Callable[[Any, Any], Any] = np.add) -> _Term:
    """Terms joined into one, each of the names that they read taken once."""
    names = tuple(dict.fromkeys(name for term in terms for name in term.reads))

    def joined(*values: Array) -> Array:
        known = dict(zip(names, values, strict=True))
        return reduce(join, [term.function(*(known[name] for name in term.reads)) for term in terms])

    return _Term(names, joined)


def _derivative(name: str, uses: tuple[_Use, ...]) -> Formula:
    """The derivative of the result by a value on a wire."""
    term = _joined([use.right for use in uses])

    def gathered(*values: Array) -> Array:
        """What comes back from every gate that reads it, added up."""
        return term.function(*values)

    forked = "This value feeds several gates: what comes back from each of them adds up."
    return step(
        f"grad_{name}",
        title=phrase("derivative by {name}", name=name),
        latex=f"{partial(_spelled(name), 'f')} = {' + '.join(use.latex for use in uses)}",
        phase="backward",
        text=f"∂f/∂{name}",
        symbol=partial(_spelled(name), "f"),
        idea=forked if len(uses) > 1 else uses[0].node.gate.idea,
        reads=term.reads,
    )(gathered)


# --- what goes wrong ------------------------------------------------------------------------------------------------


def _forward_mistakes(node: _Node) -> Iterator[Misconception]:
    for slip in node.gate.forward:
        yield Misconception(slip.kind, node.name, slip.title, slip.sentence, (reading(slip.function, *node.reads),))


def _backward_mistakes(name: str, uses: tuple[_Use, ...]) -> Iterator[Misconception]:
    """Everything that can go wrong at one of the gates that read a value, each kind with a form for each gate."""
    found: dict[str, tuple[_Slip, list[Form], list[_Term]]] = {}
    for place, use in enumerate(uses):
        for slip in (*use.node.gate.backward, *_general(use)):
            terms = [each.right for each in uses]
            terms[place] = use.times_back(use.placed(slip.reads, slip.function))
            if slip.kind == "incoming_left_out":
                terms[place] = use.placed(slip.reads, slip.function)
            wrong = _joined(terms)
            _, forms, wheres = found.setdefault(slip.kind, (slip, [], []))
            forms.append(reading(wrong.function, *wrong.reads))
            if slip.where is not None:
                wheres.append(use.placed(("own", "other"), slip.where))
    for kind, (slip, forms, wheres) in found.items():
        where = _joined(wheres, np.logical_or) if wheres else None
        yield Misconception(
            kind,
            f"grad_{name}",
            slip.title,
            slip.sentence,
            tuple(forms),
            where=None if where is None else reading(where.function, *where.reads),
        )
    if len(uses) > 1:
        yield from _fork_mistakes(name, uses)


def _general(use: _Use) -> Iterator[_Slip]:
    """What goes wrong at any gate, so far as it makes a difference there."""
    gate = use.node.gate
    local, switch = gate.local, gate.switch
    if not use.plain and not switch:
        yield _Slip(
            "incoming_left_out",
            "what came back left out",
            "This is the gate's own derivative alone. Multiply it by what has come back to the gate.",
            ("own",) if isinstance(local, float) else gate.reads,
            _constant(local) if isinstance(local, float) else local,
        )
    if not isinstance(local, float) and not switch and use.back is not None:
        yield _Slip(
            "local_left_out",
            "the gate's derivative left out",
            "What came back to the gate was passed on unchanged. Multiply it by the gate's own derivative.",
            ("own",),
            _constant(1.0),
        )


def _constant(number: float) -> Form:
    return lambda own: 0 * own + number


def _fork_mistakes(name: str, uses: tuple[_Use, ...]) -> Iterator[Misconception]:
    mean = _joined([use.right for use in uses])
    count = len(uses)
    yield Misconception(
        "one_path_only",
        f"grad_{name}",
        "one path only",
        "Only one path was counted. This value feeds several gates: what comes back from each of them adds up.",
        tuple(reading(use.right.function, *use.right.reads) for use in uses),
    )
    yield Misconception(
        "paths_averaged",
        f"grad_{name}",
        "paths averaged",
        "The paths were averaged. Changes that reach the result by different ways add up.",
        (reading(lambda *values: mean.function(*values) / count, *mean.reads),),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Circuit(Lesson):
    """A circuit of gates; the last gate is called f, and every name that no gate defines is given."""

    kind: ClassVar[str] = "circuit"
    objective: ClassVar[str] = "f"
    gates: tuple[str, ...]

    def __post_init__(self) -> None:
        _check(_parsed(self.gates))

    @property
    def _nodes(self) -> tuple[_Node, ...]:
        return _parsed(self.gates)

    @property
    def _inputs(self) -> tuple[str, ...]:
        """The names that no gate defines, as they come."""
        defined = {node.name for node in self._nodes}
        return tuple(dict.fromkeys(name for node in self._nodes for name in node.reads if name not in defined))

    @property
    def _wires(self) -> tuple[tuple[str, tuple[_Use, ...]], ...]:
        """Every value but the result with its uses, from the result back."""
        found: dict[str, tuple[_Use, ...]] = {}
        steady: dict[str, float | None] = {"f": 1.0}
        for name in (*(node.name for node in reversed(self._nodes[:-1])), *self._inputs):
            readers = [node for node in self._nodes if name in node.reads]
            found[name] = tuple(_Use(name, node, plain=steady[node.name] == 1) for node in readers)
            steady[name] = _steady([(node.gate.local, steady[node.name]) for node in readers])
        return tuple(found.items())

    def given(self) -> tuple[Given, ...]:
        """What the circuit starts from."""
        return tuple(Given(name, (), "Input", name, _spelled(name)) for name in self._inputs)

    def quantities(self) -> tuple[Quantity, ...]:
        """Every gate, and then back along every wire."""
        forward = (
            step(
                node.name,
                title="result" if node.name == "f" else node.gate.title,
                latex=f"{_spelled(node.name)} = {node.gate.latex(*map(_spelled, node.reads))}",
                phase="forward",
                text=node.name,
                symbol=_spelled(node.name),
                reads=node.reads,
            )(node.gate.value)
            for node in self._nodes
        )
        return tuple(map(self.place, (*forward, *(_derivative(name, uses) for name, uses in self._wires))))

    @property
    def misconceptions(self) -> tuple[Misconception, ...]:
        """What goes wrong at each gate, there and back."""
        return (
            *(kind for node in self._nodes for kind in _forward_mistakes(node)),
            *(kind for name, uses in self._wires for kind in _backward_mistakes(name, uses)),
        )

    @property
    def has_zeros(self) -> bool:
        """A maximum lets nothing back to its smaller input."""
        return any(node.gate.switch for node in self._nodes)

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The circuit."""
        lines = (f"{_spelled(node.name)} = {node.gate.latex(*map(_spelled, node.reads))}" for node in self._nodes)
        return (Rule("Circuit", "", r",\quad ".join(lines)),)

    @property
    def sketch(self) -> Shape:
        """What goes in, what stands between, the result."""
        return (len(self._inputs), max(1, len(self._nodes) - 1), 1)

    @property
    def outline(self) -> str:
        """How many gates it has."""
        return phrase("{number} gates", number=len(self._nodes))
