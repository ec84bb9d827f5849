"""The exercise file: what a family of exercises is, checked as a whole before anything is drawn from it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    TypeAdapter,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from quizprop.engine.activations import ACTIVATIONS
from quizprop.engine.catalogue import LESSONS
from quizprop.engine.model import Lesson, Model
from quizprop.engine.network import Network
from quizprop.engine.structure import Structure, structure_of
from quizprop.exercise.findings import said
from quizprop.exercise.names import NotationName

__all__ = [
    "FARTHEST",
    "FORMS",
    "AnyNetwork",
    "Choices",
    "Exercise",
    "Grid",
    "LessonSpec",
    "NetworkSpec",
    "OneHot",
    "QuestionKind",
    "Topic",
    "Value",
    "numbers_of",
]


Points = npt.NDArray[np.float64]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


FARTHEST: Final = 1_000_000
"""Nobody works with a larger number by hand."""

_FINEST: Final = Decimal("1e-12")


class Grid(_Part):
    """Evenly spaced decimals, each as likely: ``low``, ``low + step`` ... ``high``; zero is left out.

    A weight or an input of zero would hide most of what can go wrong with it.
    """

    low: Decimal
    high: Decimal
    step: Annotated[Decimal, Field(gt=0)]

    @model_validator(mode="after")
    def _has_points(self) -> "Grid":
        for name, part in (("low", self.low), ("high", self.high), ("step", self.step)):
            if abs(part) > FARTHEST:
                raise ValueError(f"{name} is beyond {FARTHEST:,}; nobody works with that by hand: take a smaller one")
            if part != part.quantize(_FINEST):
                raise ValueError(f"{name} has more than 12 decimals; round it")
        if self.high < self.low:
            raise ValueError(f"low = {self.low} is above high = {self.high}; swap them")
        if self.high - self.low > 100_000 * self.step:
            raise ValueError("more than 100,000 points; take a larger step")
        if (self.high - self.low) % self.step:
            raise ValueError(f"high - low is not a multiple of step = {self.step}; move one of the three")
        if not len(self.points):
            raise ValueError("the grid holds only zero, which is left out; widen it")
        return self

    @property
    def points(self) -> Points:
        """The values, each the float64 nearest to its decimal."""
        count = int((self.high - self.low) / self.step)
        exponent = min(int(part.as_tuple().exponent) for part in (self.low, self.step))
        scale = 10 ** max(0, -exponent)
        whole = int(self.low * scale) + int(self.step * scale) * np.arange(count + 1)
        points: Points = whole[whole != 0] / scale
        return points


class Choices(_Part):
    """Any of some values, each as likely."""

    choices: Annotated[tuple[float, ...], Field(min_length=1)]

    @property
    def points(self) -> Points:
        """The values."""
        return np.array(self.choices, dtype=float)


class OneHot(_Part):
    """A target vector with a single 1 at a random place."""

    one_hot: Literal[True]


def _form(value: object) -> str:
    """Which form of value is meant, so that a mistake is reported against that one alone."""
    if isinstance(value, (dict, BaseModel)):
        keys = value if isinstance(value, dict) else type(value).model_fields
        return "choices" if "choices" in keys else "one_hot" if "one_hot" in keys else "range"
    if isinstance(value, (list, tuple)):
        return "rows" if any(isinstance(row, (list, tuple)) for row in value) else "list"
    return "number"


Value = Annotated[
    Annotated[Grid, Tag("range")]
    | Annotated[Choices, Tag("choices")]
    | Annotated[OneHot, Tag("one_hot")]
    | Annotated[float, Tag("number")]
    | Annotated[tuple[float, ...], Tag("list")]
    | Annotated[tuple[tuple[float, ...], ...], Tag("rows")],
    Discriminator(_form),
]
"""A given's value in an exercise file: a range, a choice, a one-hot target, or fixed numbers."""

FORMS: Final[Mapping[str, type[BaseModel]]] = MappingProxyType({"range": Grid, "choices": Choices, "one_hot": OneHot})
"""The forms of values that are tables."""


def numbers_of(value: Any) -> Iterator[float]:  # noqa: ANN401 - a `Value`
    """All numbers that a value may be or has; none of a one-hot target, which is always right."""
    if isinstance(value, (Grid, Choices)):
        yield from value.points
    elif isinstance(value, tuple):
        for part in value:
            yield from numbers_of(part)
    elif not isinstance(value, OneHot):
        yield value


_BENT: Final = tuple(name for name in ACTIVATIONS if name != "identity")


class NetworkSpec(_Part):
    """The network as an exercise file spells it; see ``quizprop.engine.network.Network``."""

    layers: tuple[Annotated[int, Field(ge=1, le=8)], ...]
    activations: tuple[Literal["sigmoid", "tanh", "relu", "leaky_relu", "identity", "softmax"], ...]
    loss: Literal["half_sse", "mse", "bce", "cce"] = "half_sse"
    bias: Literal["unit", "shared", "none"] = "unit"
    update_biases: bool = True
    examples: Annotated[int, Field(ge=1, le=8)] = 1
    reduction: Literal["mean", "sum"] = "mean"

    @model_validator(mode="after")
    def _makes_a_network(self) -> "NetworkSpec":
        self.build()
        return self

    def build(self) -> Network:
        """The network itself."""
        return Network(**self.model_dump())


class LessonSpec(BaseModel):
    """A lesson as an exercise file spells it: its kind, and the options of that kind in ``engine.catalogue``."""

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    kind: str

    @model_validator(mode="after")
    def _makes_a_lesson(self) -> "LessonSpec":
        if self.kind not in LESSONS:
            raise ValueError(
                f"kind: {self.kind!r} is not one of {', '.join(LESSONS)}; leave it out for a plain network"
            )
        try:
            self.build()
        except ValidationError as error:
            raise ValueError("; ".join(_option_problems(self.kind, error))) from None
        return self

    def build(self) -> Lesson:
        """The lesson itself."""
        return _lesson(self.kind, tuple((self.model_extra or {}).items()))

    def __hash__(self) -> int:
        return hash(self.kind)


def _option_problems(kind: str, error: ValidationError) -> Iterator[str]:
    """What is wrong with the options of a lesson; all of them are named where one is missing."""
    known = [field.name for field in fields(LESSONS[kind])]  # type: ignore[arg-type]
    for finding in error.errors():
        name = ".".join(map(str, finding["loc"]))
        yield f"{name}: {said(finding, known)}" if name else said(finding, known)
    if any(finding["type"] == "missing" for finding in error.errors()):
        yield f"the options of {kind} are {', '.join(known)}"


def _lesson(kind: str, options: tuple[tuple[str, Any], ...]) -> Lesson:
    built: Lesson = _adapter(kind).validate_python({name: _frozen(value) for name, value in options})
    return built


@lru_cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(LESSONS[kind])


def _frozen(value: object) -> object:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _sort(value: object) -> str | None:
    """Which sort of model is meant."""
    if isinstance(value, dict):
        return "lesson" if "kind" in value else "network"
    if isinstance(value, LessonSpec):
        return "lesson"
    return "network" if isinstance(value, NetworkSpec) else None


AnyNetwork = Annotated[
    Annotated[NetworkSpec, Tag("network")] | Annotated[LessonSpec, Tag("lesson")],
    Discriminator(
        _sort,
        custom_error_type="no_table",
        custom_error_message="is a table; write [network], and below it layers and activations, or a lesson's kind",
    ),
]
"""What the work is done on: a fully connected network or, with a ``kind``, a lesson."""


Topic = Literal["step", "forward", "loss", "chain rule", "backward", "update", "architecture", "question"]
"""Under which heading of the bank an exercise stands; a whole training step where nothing is said."""

QuestionKind = Literal["sheet", "find_slip", "choose", "true_false"]
"""How an exercise asks: a sheet to fill in, a filled one with a slip, values to choose, statements to judge."""


class Exercise(_Part):
    """A family of exercises: one network, ranges or fixed values for its givens, and what is asked.

    ``asked`` names quantities (``z1``) or single cells (``grad_W1[1,1]``); ``shown`` those that the exercise gives
    away, rounded: the work can start further down, or fill the gaps. ``dead_units`` says how many
    ReLU units are off in each instance, where that matters. ``blind_spots`` are the codes of mistakes that the numbers
    of a published, fixed example cannot show and that no instance is therefore certified for. ``places`` is the number
    of decimals that the work is carried to. Where ``question`` is not a sheet to fill in, ``asked`` is what the
    question is about: the filled sheet, the cells to choose a value for, the steps that lead to the statements.
    """

    slug: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    sentence: Annotated[str, Field(min_length=1, max_length=4000)]
    topic: Topic = "step"
    skills: tuple[str, ...] = ()
    places: Annotated[int, Field(ge=1, le=10)] = 4
    notation: NotationName = "plain"
    network: AnyNetwork
    values: dict[str, Value]
    asked: Annotated[tuple[str, ...], Field(min_length=1)]
    shown: tuple[str, ...] = ()
    question: QuestionKind = "sheet"
    dead_units: Annotated[int, Field(ge=0)] | None = None
    blind_spots: tuple[str, ...] = ()

    @field_validator("sentence")
    @classmethod
    def _unwrapped(cls, sentence: str) -> str:
        """The paragraphs, whatever the width of the file that they were written in."""
        paragraphs = (" ".join(paragraph.split()) for paragraph in re.split(r"\n\s*\n", sentence))
        unwrapped = "\n\n".join(filter(None, paragraphs))
        if not unwrapped:
            raise ValueError("is blank; say in a sentence what the exercise is about")
        return unwrapped

    @field_validator("values")
    @classmethod
    def _values_fit(cls, values: dict[str, Value], info: ValidationInfo) -> dict[str, Value]:
        if "network" in info.data:
            problems = list(_value_problems(values, info.data["network"].build()))
            if problems:
                raise ValueError("; ".join(problems))
        return values

    @field_validator("values", mode="before")
    @classmethod
    def _are_numbers(cls, values: object) -> object:
        truths = [name for name, value in values.items() if _has_truth(value)] if isinstance(values, dict) else []
        if truths:
            raise ValueError(f"{', '.join(truths)}: true and false are no numbers; write 1 or 0")
        return values

    @field_validator("asked")
    @classmethod
    def _asked_exist(cls, asked: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "network" in info.data:
            structure = structure_of(info.data["network"].build())
            problems = list(_strangers(asked, structure))
            if problems:
                raise ValueError("; ".join(problems))
            if len(set(asked)) < len(asked):
                raise ValueError("a quantity is asked twice; name each once")
        return asked

    @field_validator("shown")
    @classmethod
    def _shown_exist(cls, shown: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "network" in info.data and "asked" in info.data:
            structure = structure_of(info.data["network"].build())
            problems = list(_strangers(shown, structure))
            if problems:
                raise ValueError("; ".join(problems))
            asked = info.data["asked"]
            both = sorted({*asked, *(name.partition("[")[0] for name in asked)}.intersection(shown))
            if both:
                raise ValueError(f"{', '.join(both)} is asked; show it or ask it, not both")
        return shown

    @field_validator("blind_spots")
    @classmethod
    def _blind_spots_exist(cls, codes: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if "network" in info.data:
            known = {mistake.code for mistake in structure_of(info.data["network"].build()).mistakes}
            strangers = [code for code in codes if code not in known]
            if strangers:
                raise ValueError(f"no mistake has the code {', '.join(strangers)}; known: {', '.join(sorted(known))}")
        return codes

    @field_validator("question")
    @classmethod
    def _can_be_put(cls, question: QuestionKind, info: ValidationInfo) -> QuestionKind:
        if question == "true_false" and not isinstance(info.data.get("network", NetworkSpec), (NetworkSpec, type)):
            raise ValueError("statements speak of the units of a plain network; take another question for a lesson")
        return question

    @property
    def model(self) -> Network | Lesson:
        """The network or lesson that the exercise works on."""
        return self.network.build()

    @property
    def drawn(self) -> bool:
        """Whether some value is drawn."""
        return any(isinstance(value, (Grid, Choices, OneHot)) for value in self.values.values())

    @property
    def fixed(self) -> bool:
        """Whether nothing is left to chance, so that there is one instance only."""
        return not self.drawn and self.question == "sheet"

    @property
    def unusual(self) -> int:
        """How late its least usual activation is taught: its place in a list that begins with the sigmoid."""
        kinds = self.network.activations if isinstance(self.network, NetworkSpec) else ()
        return max((_BENT.index(kind) for kind in kinds if kind in _BENT), default=0)

    @property
    def as_sheet(self) -> "Exercise":
        """The same, as a sheet to fill in."""
        return self if self.question == "sheet" else self.model_copy(update={"question": "sheet"})


def _has_truth(value: object) -> bool:
    """Whether a value as it is written has a true or a false where a number belongs."""
    if isinstance(value, dict):
        return any(_has_truth(part) for name, part in value.items() if name != "one_hot")
    return value is True or value is False or (isinstance(value, (list, tuple)) and any(map(_has_truth, value)))


def _strangers(names: Iterable[str], structure: Structure) -> Iterator[str]:
    """What is no quantity and no cell of one."""
    known = {quantity.name: [*map(str, structure.keys[quantity.name].flat)] for quantity in structure.graph}
    cells = {key for keys in known.values() for key in keys}
    strangers = [name for name in names if name not in known and name not in cells]
    nowhere = [name for name in strangers if _whole(name) not in known]
    if nowhere:
        yield f"nothing is named {', '.join(nowhere)}; this network has {', '.join(known)}"
    for name in strangers:
        keys = known.get(_whole(name), [])
        if name.replace(" ", "") in keys:
            yield f"{name} is written {name.replace(' ', '')}"
        elif len(keys) > 1:
            yield f"{name} is no cell; there are {keys[0]} to {keys[-1]}"
        elif keys:
            yield f"{name} is no cell; there is {keys[0]} alone"


def _whole(name: str) -> str:
    """The quantity that a cell's name begins with."""
    return re.split(r"[\[@]", name)[0].strip()


def _value_problems(values: dict[str, Value], model: Model) -> Iterator[str]:
    shapes = model.givens()
    missing = [name for name in shapes if name not in values]
    if missing:
        yield f"missing {', '.join(missing)}; give a number, a list or a range"
    unknown = [name for name in values if name not in shapes]
    if unknown:
        yield f"{', '.join(unknown)} is not a value of this network; it has {', '.join(shapes)}"
    for name, value in values.items():
        if name not in shapes:
            continue
        if isinstance(value, OneHot):
            if name != "t" or not isinstance(model, Network):
                yield f"{name}: one_hot is for the targets t of a plain network; write numbers, choices or a range"
        elif not isinstance(value, (Grid, Choices)):
            yield from _shape_problems(name, value, shapes[name], model)
    if not missing and not unknown and isinstance(model, Network):
        yield from _target_problems(values["t"], model)


def _target_problems(value: Value, network: Network) -> Iterator[str]:
    """With cross-entropy over softmax delta is a - t only for targets that are shares of one."""
    if network.loss != "cce" or isinstance(value, OneHot):
        return
    fixed = isinstance(value, tuple) and np.allclose(np.sum(np.atleast_2d(np.array(value, dtype=float)), axis=-1), 1)
    if not fixed:
        yield "t: with cce the targets of an example add up to 1; write t = { one_hot = true } or fix such rows"


def _shape_problems(name: str, value: Any, shape: tuple[int, ...], model: Model) -> Iterator[str]:  # noqa: ANN401
    try:
        array = np.array(value, dtype=float)
    except ValueError:
        yield f"{name}: the rows differ in length"
        return
    if len(shape) == 2 and array.shape == shape[1:]:
        each = "one row for each example" if name in model.per_example else "a list of rows"
        rows = ", ".join([str([*value])] * shape[0])
        yield f"{name}: {each}: [{rows}] (or one number for all)"
    elif array.shape not in (shape, ()):
        has, needs = (" by ".join(map(str, each)) for each in (array.shape, shape))
        wanted = f"{needs} (or one number for all)" if needs else "a number"
        yield f"{name}: has shape {has}, the network needs {wanted}"
    elif name in model.tied and array.size and np.ptp(array) > 0:
        yield f"{name}: a shared bias has one value; write the number once"
