"""Where to go on: addresses that came with a request, and that may lead to pages of this site only."""

import re
from typing import Final

from flask import current_app
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RoutingException

__all__ = ["own_page"]

# One slash first: two, or a backslash, and a browser would go to another site.
_PAGE: Final = re.compile(r"(/(?!/)[\w./-]*)(\?[!-\[\]-~]*)?", re.ASCII)
_LONGEST: Final = 2000


def own_page(address: str | None) -> str | None:
    """The address if a page of this site answers to it, as to ``/x/token?hints=1``; else None."""
    found = _PAGE.fullmatch(address or "")
    if not found or len(found[0]) > _LONGEST:
        return None
    try:
        current_app.url_map.bind("").match(found[1], method="GET")
    except (HTTPException, RoutingException):
        return None
    return found[0]
