"""What a site writes of itself: a line for each request, and errors under the id that their page shows.

No line has personal data: of an address only its pattern is named (``/x/<token>``), never what was typed, who asked, or
from where.
"""

import logging
import re
import secrets
import sys
import time
import traceback
from types import TracebackType
from typing import Any, Final

from flask import Flask, Response, current_app, g, request
from flask.json.provider import DefaultJSONProvider
from flask.typing import ResponseReturnValue
from pythonjsonlogger.json import JsonFormatter
from werkzeug.exceptions import HTTPException

__all__ = ["Site", "method", "note_trouble", "register", "request_id", "route"]

_HEADER: Final = "X-Request-ID"
_ID: Final = re.compile(r"[\w-]{8,64}", re.ASCII)
_METHODS: Final = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
_VALUES: Final = re.compile(r"^DETAIL:.*$", re.MULTILINE)
"""The line in which PostgreSQL shows the values of a row."""

_logger: Final = logging.getLogger(__name__)


def _whole(value: Any) -> Any:  # noqa: ANN401 - JSON may be anything
    """The same, a question mark for half of a character: nothing could write that down."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_whole(one) for one in value]
        case dict():
            return {_whole(key): _whole(one) for key, one in value.items()}
    return value


class _Json(DefaultJSONProvider):
    """JSON that is nested too deeply to be read is none, like any other text that is no JSON."""

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ANN401 - JSON may be anything
        try:
            found = super().loads(s, **kwargs)
            escaped = b"\\ud" if isinstance(s, bytes) else "\\ud"
            return _whole(found) if escaped in s.lower() else found  # type: ignore[operator]
        except RecursionError as error:
            raise ValueError("nested too deeply") from error


Raised = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Site(Flask):
    """A Flask application whose errors are noted without the address, which may be a secret, and with their id.

    What the handler of an error raises is handled as well: the page that it wanted to show may not be there for this
    visitor any more.
    """

    json_provider_class = _Json

    def handle_user_exception(self, error: Exception) -> HTTPException | ResponseReturnValue:
        """The answer to an error that some page expects."""
        try:
            return super().handle_user_exception(error)
        except Exception as second:
            if second is error:
                raise
            return super().handle_user_exception(second)

    def log_exception(self, exc_info: Raised) -> None:
        """Note an error that nothing expected."""
        about = {"request_id": request_id(), "method": method(), "route": route()}
        raised = _VALUES.sub("DETAIL:  (left out)", "".join(traceback.format_exception(exc_info[1])))
        self.logger.error("Error %s in %s %s\n%s", *about.values(), raised, extra=about)


def register(app: Flask) -> None:
    """Give each request an id, and write its line where the settings want it. To be registered first: it sees all."""
    if app.config["LOG"] == "json":
        handler = logging.StreamHandler(sys.stderr)
        fields = ["levelname", "name", "message"]
        handler.setFormatter(
            JsonFormatter(fields, timestamp="time", rename_fields={"levelname": "level", "name": "logger"})
        )
        # For everybody: the server and the migrations write too. Where somebody has set up logging already, it stays.
        logging.basicConfig(handlers=[handler], level=logging.INFO)
    app.before_request(_begin)
    app.after_request(_finish)


def note_trouble(error: Exception) -> None:
    """Note why the database could not be used just now, as it says itself: a visitor is told only to try again."""
    about = {"request_id": request_id(), "method": method(), "route": route()}
    said = _VALUES.sub("DETAIL:  (left out)", str(getattr(error, "orig", None) or error)).strip()
    _logger.warning("The database could not be used %s in %s %s: %s", *about.values(), said, extra=about)


def request_id() -> str:
    """The id of this request: the one of the proxy in front, where one is trusted, else a random one."""
    return str(g.request_id)


def route() -> str:
    """The pattern of the address that was asked for."""
    return request.url_rule.rule if request.url_rule is not None else "(none)"


def method() -> str:
    """The method of this request, by one name where it is none that we know: anything can be sent."""
    return request.method if request.method in _METHODS else "OTHER"


def _begin() -> None:
    from_proxy = request.headers.get(_HEADER, "") if current_app.config["PROXIES"] else ""
    g.request_id = from_proxy if _ID.fullmatch(from_proxy) else secrets.token_hex(8)
    g.began = time.perf_counter()


def _finish(response: Response) -> Response:
    response.headers[_HEADER] = request_id()
    if current_app.config["LOG"] == "json":
        about = {
            "request_id": request_id(),
            "method": method(),
            "route": route(),
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.began) * 1000, 1),
            "bytes": response.content_length,
        }
        _logger.info("request", extra=about)
    return response
