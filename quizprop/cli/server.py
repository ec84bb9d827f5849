"""The website served by hand: why it can't listen, where it can't."""

import errno
import socket

import click

from quizprop.web import serve as web

__all__ = ["serve"]

_FREE = range(1024, 65535)  # whose next port is one that anybody may listen on


def serve(host: str, port: int) -> None:
    """Serve the website until Ctrl-C."""
    try:
        socket.getaddrinfo(host, port)
    except (OSError, UnicodeError) as error:
        raise click.BadParameter(
            f"{host!r} is no address; write one of this machine, as in 127.0.0.1, or 0.0.0.0 for all of them",
            param_hint="--host",
        ) from error
    try:
        web.serve(host, port)
    except OSError as error:
        if error.filename:  # of the database
            raise
        way = "address: quizprop serve --host 127.0.0.1"
        if error.errno != errno.EADDRNOTAVAIL:
            way = f"port: quizprop serve --port {port + 1 if port in _FREE else 8000}"
        raise click.ClickException(f"Can't listen on {host}:{port}: {error.strerror}. Another {way}") from error
