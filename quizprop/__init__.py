"""quizprop: backpropagation worked by hand, generated without end and graded step by step.

For notebooks and scripts: ``quizprop.load("mazur").draw().grade({"z1[1]": "0.3775"})``; see `quizprop.family`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from quizprop.family import Family, Marks, Sheet, exercises, load

__version__ = "0.1.0"

__all__ = ["Family", "Marks", "Sheet", "__version__", "exercises", "load"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes may be anything
    # Imported when asked for: the version must not cost NumPy.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from quizprop import family  # noqa: PLC0415 - see above

    return getattr(family, name)
