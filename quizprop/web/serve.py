"""Serving the application with waitress: one process and some threads, which suits SQLite, on any system."""

import logging
import select
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import waitress
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

from quizprop.web.app import create_app

__all__ = ["OPTIONS", "serve"]

OPTIONS: Final[Mapping[str, Any]] = {
    "threads": 8,
    "ident": "quizprop",
    # A browser keeps its connection open for a while, and beyond the limit nobody gets one: by default 100, which is
    # less than a class. More would need more than the 1,024 open files that a process usually may have.
    "connection_limit": 900,
    "asyncore_use_poll": hasattr(select, "poll"),  # select itself ends at 1,024 files, and poll is not on Windows
}
"""How waitress works, wherever it listens."""

_LOOK: Final = 40e-6
"""Seconds that go by for each connection before all are looked at again.

Waitress looks at every one whenever something happens at any: of a class of 250 that took as long as all its work. A
look takes some 4 microseconds; so it takes a tenth of the time, and who asks waits for 10 milliseconds at most then.
"""
_GRACE: Final = 30.0
"""Seconds in which what has come in is answered, once the server is told to stop."""
_SILENCE: Final = 1.0
"""Seconds in which somebody who has just connected may begin to ask."""
_SIGNALS: Final = ("SIGTERM", "SIGINT", "SIGHUP")

Sockets = dict[int, Any]
"""Everything that waitress waits for, by the number of its file."""

_logger: Final = logging.getLogger("waitress")


def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until told to stop (SIGTERM, SIGHUP, Ctrl-C), and then answer what has come in; told again, end at once.

    Behind a proxy that speaks https to the visitors, set QUIZPROP_HTTPS=1.
    """
    app = create_app()
    # Waitress tells where it listens, but only to who asks for its news. The application comes before: where it has set
    # up lines of JSON, they stay.
    logging.basicConfig(format="%(message)s")
    _logger.setLevel(logging.INFO)
    sockets: Sockets = {}
    server = waitress.create_server(
        app,
        map=sockets,
        host=host,
        port=port,
        # The application knows how many proxies there are: it has to see what they say.
        clear_untrusted_proxy_headers=not app.config["PROXIES"],
        **OPTIONS,
    )
    with _told_to_stop(lambda: _wake(sockets)) as told:
        server.print_listen("Serving on http://{}:{}")
        while not told:
            _turn(sockets, 1)
            time.sleep(len(sockets) * _LOOK)
        _finish(sockets)
        server.task_dispatcher.shutdown(timeout=_SILENCE)


@contextmanager
def _told_to_stop(wake: Callable[[], None]) -> Iterator[list[int]]:
    """The signals to stop that have come: waitress by itself would drop what it is at, or stop only at Ctrl-C."""
    told: list[int] = []
    numbers = [getattr(signal, name) for name in _SIGNALS if hasattr(signal, name)]
    # One that is ignored stays so: nohup wants it.
    before = {number: signal.getsignal(number) for number in numbers if signal.getsignal(number) != signal.SIG_IGN}

    def stop(number: int, _frame: object) -> None:
        for each, handler in before.items():
            signal.signal(each, handler)
        told.append(number)
        wake()

    for number in before:
        signal.signal(number, stop)
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _finish(sockets: Sockets) -> None:
    """Let nobody else in, answer what has been asked, and close the connections; some time is enough for all of it."""
    while _let_in(sockets):
        pass
    for listener in _of(sockets, BaseWSGIServer):
        # Not its own close: that also ends the pipe by which the threads tell that an answer is there.
        wasyncore.dispatcher.close(listener)
    until = time.monotonic() + _GRACE
    _logger.info("Stopping when all is answered, in %.0f seconds at the latest", _GRACE)
    while (still := _of(sockets, HTTPChannel)) and time.monotonic() < until:
        _turn(sockets, 0.1)
        for channel in still:
            channel.will_close = channel.will_close or not _wanted(channel)


def _let_in(sockets: Sockets) -> bool:
    """Whether somebody was waiting at the door."""
    before = list(sockets.values())  # not their numbers: the system gives them again
    _turn(sockets, 0)
    return any(each not in before for each in list(sockets.values()))


def _wanted(channel: Any) -> bool:  # noqa: ANN401 - waitress has no types
    """Whether something is asked, being answered or still to be sent here, or whoever came has not said a word yet."""
    silent = channel.last_activity == channel.creation_time
    new = silent and time.time() - channel.creation_time < _SILENCE
    return bool(channel.requests or channel.request is not None or channel.total_outbufs_len or new)


def _turn(sockets: Sockets, seconds: float) -> None:
    """Wait until something happens, so many seconds at most, and see to it."""
    wasyncore.loop(timeout=seconds, use_poll=OPTIONS["asyncore_use_poll"], map=sockets, count=1)


def _wake(sockets: Sockets) -> None:
    """End the wait of a turn."""
    for listener in _of(sockets, BaseWSGIServer):
        listener.pull_trigger()


def _of(sockets: Sockets, kind: type) -> list[Any]:
    return [each for each in list(sockets.values()) if isinstance(each, kind)]
