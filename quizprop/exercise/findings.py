"""What is found wrong with a file by its data types, in words for who wrote it."""

import json
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, Final

__all__ = ["said"]

_SAYS: Final = {
    "missing": "is missing; it has to be there",
    "too_short": "is empty; write at least one",
    "string_type": 'is text, in quotes, as in "2-2-2"',
    "finite_number": "is a finite number",
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "is a whole number, as in 4"),
    **dict.fromkeys(("float_type", "float_parsing", "decimal_type", "decimal_parsing"), "is a number, as in 0.5"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "is true or false, without quotes"),
    **dict.fromkeys(("dict_type", "model_type"), "has parts with names: a table, or in JSON an object"),
}
"""By the type of a finding; what is not here says it well itself."""

_LONGEST: Final = 60
_COMMA: Final = re.compile(r",\s*(?![^\[(]*[\])])")
"""Between names, not within one such as ``W1[1,2]``."""


def _unknown(name: str, known: Iterable[str]) -> str:
    """What to say to a name that is none of those known."""
    names = [*known]
    close = get_close_matches(name, names, 1)
    if close:
        return f"is not known here; did you mean {close[0]}?"
    return f"is not known here; take one of {', '.join(names)}" if names else "is not known here; leave it out"


def said(finding: Mapping[str, Any], known: Iterable[str]) -> str:
    """What a finding of pydantic says; ``known`` are the keys that there might be beside one that is not."""
    match finding["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            return _unknown(str(finding["loc"][-1]), known)
        case "tuple_type":
            return f"is a list, in brackets{_listed(finding['input'])}"
        case "literal_error" if finding["msg"] == "Input should be True":
            return "is true, without quotes, or is left out"
    msg = str(finding["msg"]).removeprefix("Value error, ").replace("Input should", "should", 1)
    return _SAYS.get(finding["type"], msg)


def _listed(value: object) -> str:
    """What was written, as a list."""
    if isinstance(value, str) and len(value) <= _LONGEST:
        return f", as in {json.dumps(_COMMA.split(value), ensure_ascii=False)}"
    return f", as in [{value}]" if type(value) in (int, float) else ""
