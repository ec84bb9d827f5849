"""The problem bank in the order in which a visitor finds it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from quizprop.exercise.certify import plan_of
from quizprop.exercise.spec import Exercise, Topic
from quizprop.web.languages import marked

__all__ = ["Shelf", "shelved"]

_RECOMMENDED = "mazur"

_HEADINGS: Final[Mapping[Topic, str]] = {
    "step": marked("A whole step"),
    "forward": marked("Forward"),
    "loss": marked("Error"),
    "chain rule": marked("Slopes and the chain rule"),
    "backward": marked("Deltas and gradients"),
    "update": marked("Steps and optimizers"),
    "architecture": marked("Other architectures"),
    "question": marked("Find, choose, judge"),
}


@dataclass(frozen=True, slots=True)
class Shelf:
    """Exercises under one heading; ``name`` stands in its address."""

    name: str
    heading: str
    exercises: tuple[Exercise, ...]


def shelved(bank: Mapping[str, Exercise]) -> tuple[Shelf, ...]:
    """The exercises under their headings, the recommended start first, then from short to long and usual to rare."""

    def place(exercise: Exercise) -> tuple[bool, int, int, str]:
        return exercise.slug != _RECOMMENDED, plan_of(exercise).asked_count, exercise.unusual, exercise.slug

    ordered = sorted(bank.values(), key=place)
    shelves = (
        Shelf(topic.replace(" ", "-"), heading, tuple(one for one in ordered if one.topic == topic))
        for topic, heading in _HEADINGS.items()
    )
    return tuple(shelf for shelf in shelves if shelf.exercises)
