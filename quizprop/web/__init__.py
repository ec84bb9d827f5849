"""The web pages: server-rendered, complete without a script, for a visitor with or without an account."""

from quizprop.web.app import create_app

__all__ = ["create_app"]
