"""Serving the application with waitress: one process and some threads, which suits SQLite, on any system."""

import logging
import select
from collections.abc import Mapping
from typing import Any, Final

import waitress

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


def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until interrupted. Behind a proxy that speaks https to the visitors, set QUIZPROP_HTTPS=1."""
    app = create_app()
    # Waitress tells where it listens, but only to who asks for its news. The application comes before: where it has set
    # up lines of JSON, they stay.
    logging.basicConfig(format="%(message)s")
    logging.getLogger("waitress").setLevel(logging.INFO)
    waitress.serve(
        app,
        host=host,
        port=port,
        # The application knows how many proxies there are: it has to see what they say.
        clear_untrusted_proxy_headers=not app.config["PROXIES"],
        **OPTIONS,
    )
