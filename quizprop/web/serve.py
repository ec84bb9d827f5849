"""Serving the application with waitress: one process and some threads, which suits SQLite, on any system."""

import waitress

from quizprop.web.app import create_app

__all__ = ["serve"]

_THREADS = 8


def serve(host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve until interrupted. Behind a proxy that speaks https to the visitors, set QUIZPROP_HTTPS=1."""
    app = create_app()
    waitress.serve(
        app,
        host=host,
        port=port,
        threads=_THREADS,
        ident="quizprop",
        # The application knows how many proxies there are: it has to see what they say.
        clear_untrusted_proxy_headers=not app.config["PROXIES"],
    )
