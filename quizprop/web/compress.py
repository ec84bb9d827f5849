"""Pages and their assets go out compressed: a sheet is mostly markup, and a phone may be on a slow line.

What a page holds in secret is its visitor's CSRF token. It is signed anew each second, so that comparing the lengths of
compressed answers tells nobody a token that is valid.
"""

import gzip
from typing import Final

from flask import Flask, Response, request

__all__ = ["register"]

_TEXT: Final = frozenset({
    "application/json",
    "application/manifest+json",
    "image/svg+xml",
    "text/css",
    "text/html",
    "text/javascript",
})  # fmt: skip
# One packet holds as much: there is nothing to win below.
_SMALL: Final = 1400
_LEVEL: Final = 2  # two fifths of the time of level 5, for a sixth more


def register(app: Flask) -> None:
    """Compress the text that the visitor's browser takes compressed."""
    app.after_request(_compress)


def _compress(response: Response) -> Response:
    file = response.direct_passthrough
    if response.mimetype not in _TEXT or response.status_code == 304 or (response.is_streamed and not file):
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or "Content-Encoding" in response.headers:
        return response
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= _SMALL:
        response.set_data(gzip.compress(body, _LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        etag, _ = response.get_etag()
        if etag is not None:
            response.set_etag(etag, weak=True)  # the same content in other bytes
    return response
