"""The words of the pages in the visitor's language."""

__all__ = ["gettext", "ngettext"]


def gettext(message: str, **parts: object) -> str:
    """The message in the visitor's language, its ``%(name)s`` filled in."""
    return message % parts if parts else message


def ngettext(one: str, several: str, count: int, **parts: object) -> str:
    """The form of the message that the count asks for; ``%(num)s`` is the count."""
    return (one if count == 1 else several) % {"num": count, **parts}
