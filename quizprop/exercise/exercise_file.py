"""Exercises written as files: the TOML that reads back as the same exercise."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import tomlkit
from tomlkit.items import Item

from quizprop.exercise.bank import FORMAT
from quizprop.exercise.spec import Exercise

__all__ = ["toml_value", "written_exercise"]


def written_exercise(exercise: Exercise) -> str:
    """The exercise as its file; the slug is the file's name and stands not in it."""
    content = exercise.model_dump(exclude_defaults=True, exclude={"slug"})
    network, values = content.pop("network"), content.pop("values")
    document = tomlkit.document()
    document.add("format", tomlkit.item(FORMAT))
    for name, value in content.items():
        document.add(name, _sentence(value) if name == "sentence" else _item(value))
    for name, table in (("network", network), ("values", values)):
        document.add(tomlkit.nl())
        document.add(name, _table(table))
    return tomlkit.dumps(document)


def toml_value(value: Any) -> str:  # noqa: ANN401 - whatever TOML can hold
    """A single value as TOML spells it, such as ``{low = -1, high = 1, step = 0.1}``."""
    return _item(value).as_string()


def _table(content: Mapping[str, Any]) -> Item:
    table = tomlkit.table()
    for name, value in content.items():
        table.add(name, _item(value))
    return table


def _sentence(text: str) -> Item:
    return tomlkit.string(text, multiline=True) if "\n" in text else tomlkit.string(text)


def _item(value: Any) -> Item:  # noqa: ANN401
    if isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        for name, each in value.items():
            inline.add(name, _item(each))
        return inline
    if isinstance(value, (tuple, list)):
        array = tomlkit.array()
        for each in value:
            array.append(_item(each))
        return array
    return tomlkit.item(_number(value) if isinstance(value, Decimal) else value)


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
