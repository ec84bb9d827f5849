"""Where the folders that ship beside the package are: the migrations, the problem bank."""

from pathlib import Path

__all__ = ["folder"]

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The folder called ``name``: inside an installed package, else next to the package in a checkout.

    Raises:
        FileNotFoundError: neither place has it, so the installation is incomplete.
    """
    places = (_PACKAGE / "_data" / name, _PACKAGE.parent / name)
    for place in places:
        if place.is_dir():
            return place
    looked = " or ".join(str(place) for place in places)
    raise FileNotFoundError(f"No folder {name!r} at {looked}. Install quizprop from its wheel or a full checkout.")
