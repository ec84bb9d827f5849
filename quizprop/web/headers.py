"""The headers that every answer carries, and those of a request that may be believed."""

from typing import Final

from flask import Flask, Response, current_app
from werkzeug.middleware.proxy_fix import ProxyFix

__all__ = ["POLICY", "register"]

POLICY: Final = "; ".join([
    "default-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
])  # fmt: skip

_ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}


def register(app: Flask) -> None:
    """Set the headers on every answer, and believe the proxies that the settings tell of."""
    app.after_request(_protect)
    proxies = app.config["PROXIES"]
    if proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=proxies, x_proto=proxies)  # type: ignore[method-assign]


def _protect(response: Response) -> Response:
    response.headers.update(_ALWAYS)
    if response.mimetype == "text/html":
        # Each visitor's own. Not no-store, but for a file: the browser's Back would forget what was typed.
        response.headers.setdefault("Cache-Control", "private, no-cache")
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    return response
