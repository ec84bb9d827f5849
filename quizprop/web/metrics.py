"""``/metrics`` for Prometheus: requests by route and status, how long they take, how many are under way.

With several processes (gunicorn), set PROMETHEUS_MULTIPROC_DIR to an empty folder before they start: each page then
adds them up.
"""

import os
import re
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Flask, Response, abort, current_app, g, request
from flask.typing import ResponseReturnValue

from quizprop.web.logs import method, route
from quizprop.web.settings import SettingsError

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

__all__ = ["metrics", "register"]

metrics = Blueprint("metrics", __name__)

_KEY: Final = "quizprop.metrics"
_OF_PROCESS: Final = re.compile(r"_(\d+)\.db$")
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class _Meters:
    """What is counted."""

    registry: "CollectorRegistry"
    requests: "Counter"
    seconds: "Histogram"
    under_way: "Gauge"


@metrics.get("/metrics")
def show_metrics() -> ResponseReturnValue:
    """The figures, for who has the token."""
    wanted = current_app.config["METRICS"] or abort(404)
    if not secrets.compare_digest(request.headers.get("Authorization", "").encode(), f"Bearer {wanted}".encode()):
        return "the token is missing or wrong\n", 401, {"WWW-Authenticate": "Bearer", "Content-Type": "text/plain"}
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest  # noqa: PLC0415 - an extra

    return Response(
        generate_latest(_readable()), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"}
    )


def register(app: Flask) -> None:
    """Count, where the settings want it.

    Raises:
        SettingsError: they do, and the library is not installed.
    """
    app.register_blueprint(metrics)
    if app.config["METRICS"]:
        app.extensions[_KEY] = _meters()
        app.before_request(_begin)
        app.teardown_request(_end)
        app.after_request(_count)


def _meters() -> _Meters:
    try:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # noqa: PLC0415 - an extra
    except ImportError:
        raise SettingsError(
            "QUIZPROP_METRICS: needs the library prometheus-client. Install it: pip install 'quizprop[metrics]'"
        ) from None
    registry = CollectorRegistry()
    labels = ("method", "route")
    return _Meters(
        registry,
        Counter("quizprop_requests", "Requests answered.", (*labels, "status"), registry=registry),
        Histogram("quizprop_request_seconds", "Time to the answer.", labels, buckets=_BOUNDS, registry=registry),
        Gauge(
            "quizprop_requests_under_way", "Requests being answered.", registry=registry, multiprocess_mode="livesum"
        ),
    )


def _readable() -> "CollectorRegistry":
    """The figures of this process, or of all where they share a folder."""
    from prometheus_client import CollectorRegistry, multiprocess  # noqa: PLC0415 - an extra

    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return _kept().registry
    for number in _gone(Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])):
        multiprocess.mark_process_dead(number)  # type: ignore[no-untyped-call]
    shared = CollectorRegistry()
    multiprocess.MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    return shared


def _gone(folder: Path) -> list[int]:
    """The processes that have ended: what a killed one was at is under way no more."""
    named = {int(name[1]) for each in folder.glob("gauge_live*.db") if (name := _OF_PROCESS.search(each.name))}
    return [number for number in named if not _lives(number)]


def _lives(number: int) -> bool:
    if sys.platform == "win32":  # where this would end it
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        pass
    return True


def _kept() -> _Meters:
    found: _Meters = current_app.extensions[_KEY]
    return found


def _begin() -> None:
    _kept().under_way.inc()
    g.counted = True


def _count(response: Response) -> Response:
    _kept().requests.labels(method(), route(), response.status_code).inc()
    _kept().seconds.labels(method(), route()).observe(time.perf_counter() - g.began)
    return response


def _end(_error: BaseException | None) -> None:
    if g.pop("counted", False):
        _kept().under_way.dec()
