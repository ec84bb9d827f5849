"""The settings, each an environment variable that begins with QUIZPROP_.

========================  ==========================================================================================
QUIZPROP_DATABASE_URL     ``sqlite:////absolute/path.sqlite`` or ``postgresql://user:password@host/name``; by default
                          ``quizprop.sqlite`` in the user's data folder (``~/.local/share/quizprop`` on Linux).
QUIZPROP_SECRET_KEY       Signs the cookies. By default a random one, kept beside the SQLite file, so that visitors stay
                          signed in over a restart.
QUIZPROP_HTTPS            1 where visitors come by https: cookies are then never sent without it.
QUIZPROP_PROBLEM_BANK     A folder of exercise files in place of the shipped problem bank.
QUIZPROP_PROXIES          How many proxies of one's own stand before the server; by default 0. The visitor's address, by
                          which sign-ins and registrations are limited, is then the one that the first of them has
                          written in X-Forwarded-For. Too large a number lets visitors make up their address.
QUIZPROP_HOSTS            The names under which the site is visited, with commas between: ``backprop.example.org``, or
                          ``.example.org`` for all names that end so. A request for another name is refused, so that no
                          link that the site writes leads elsewhere. By default any name is answered.
QUIZPROP_LOG              ``json`` to write a line of JSON to standard error for each request and each error, without
                          personal data; by default only errors are written, as text.
QUIZPROP_METRICS          A token of 16 characters or more: who brings it as ``Authorization: Bearer ...`` reads
                          ``/metrics``, made for Prometheus. By default there is no such page.
========================  ==========================================================================================
"""

import os
import re
import secrets
import sys
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

__all__ = [
    "FIXED",
    "NAMES",
    "SHORTEST_KEY",
    "SettingsError",
    "complete",
    "data_folder",
    "default_database_url",
    "from_environment",
]

FIXED: Final[Mapping[str, Any]] = {
    "PROBLEM_BANK": None,
    "PROXIES": 0,
    "LIMITS": {},
    "LOG": "text",
    "METRICS": None,
    # The largest network has some 1,500 cells of up to 200 characters.
    "MAX_CONTENT_LENGTH": 512 * 1024,
    "MAX_FORM_MEMORY_SIZE": 512 * 1024,
    "SESSION_COOKIE_NAME": "quizprop",
    "SESSION_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    # As long as browsers keep a cookie at most: who practises without an account has nothing else.
    "PERMANENT_SESSION_LIFETIME": timedelta(days=400),
    # Renewed by state.stay: a cookie with every answer, also of a slow picture, could undo a sign-in.
    "SESSION_REFRESH_EACH_REQUEST": False,
    # A token lives as long as its session: who thinks for two hours loses nothing.
    "WTF_CSRF_TIME_LIMIT": None,
    "SEND_FILE_MAX_AGE_DEFAULT": 3600,
}

NAMES: Final = ("DATABASE_URL", "SECRET_KEY", "HTTPS", "PROBLEM_BANK", "PROXIES", "HOSTS", "LOG", "METRICS")
"""What the settings are called after QUIZPROP_."""
SHORTEST_KEY: Final = 16
_MYSELF: Final = "127.0.0.1"
"""Where a machine asks its own server whether it is well."""
_HOST: Final = re.compile(r"\.?[\w-]+(\.[\w-]+)*|\[[0-9a-fA-F:]+\]")
_SWITCH = {"": False, "0": False, "false": False, "no": False, "1": True, "true": True, "yes": True}


class SettingsError(ValueError):
    """A setting can't be used; the message names it and says what to write."""


def from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    """The settings that the environment has.

    Raises:
        SettingsError: one of them can't be understood.
    """
    names = ("DATABASE_URL", "SECRET_KEY", "PROBLEM_BANK", "METRICS")
    found: dict[str, Any] = {name: environ[f"QUIZPROP_{name}"] for name in names if environ.get(f"QUIZPROP_{name}")}
    typed = environ.get("QUIZPROP_HTTPS", "").strip().lower()
    if typed not in _SWITCH:
        raise SettingsError(f"QUIZPROP_HTTPS: {typed!r} is neither 1 (visitors come by https) nor 0")
    secret = found.get("METRICS")
    if secret is not None and len(secret) < SHORTEST_KEY:
        raise SettingsError(f"QUIZPROP_METRICS: {len(secret)} characters can be guessed; take 32 random ones")
    return {"HTTPS": _SWITCH[typed], **_proxies(environ), **_hosts(environ), **_log(environ), **found}


def _hosts(environ: Mapping[str, str]) -> dict[str, list[str]]:
    typed = environ.get("QUIZPROP_HOSTS", "").strip()
    if not typed:
        return {}
    hosts = [host.strip() for host in typed.split(",")]
    for host in hosts:
        if not _HOST.fullmatch(host):
            raise SettingsError(
                f"QUIZPROP_HOSTS: {host!r} is not a host's name; write names alone, without http:// and port, "
                "with commas between"
            )
    return {"TRUSTED_HOSTS": [*hosts, _MYSELF]}


def _log(environ: Mapping[str, str]) -> dict[str, str]:
    typed = environ.get("QUIZPROP_LOG", "").strip().lower()
    if typed not in ("", "text", "json"):
        raise SettingsError(f"QUIZPROP_LOG: {typed!r} is neither json nor text")
    return {"LOG": typed} if typed else {}


def _proxies(environ: Mapping[str, str]) -> dict[str, int]:
    typed = environ.get("QUIZPROP_PROXIES", "").strip()
    if not typed:
        return {}
    if not re.fullmatch("[0-9]", typed):
        raise SettingsError(f"QUIZPROP_PROXIES: {typed!r} is not how many proxies stand before the server, 0 to 9")
    return {"PROXIES": int(typed)}


def complete(config: Mapping[str, Any]) -> dict[str, Any]:
    """What follows from the settings given: the defaults that depend on others.

    Raises:
        SettingsError: the secret key is too short to be one, or missing where there is no place to keep one.
    """
    url = config.get("DATABASE_URL") or default_database_url(os.environ)
    key = config.get("SECRET_KEY") or _kept_key(url)
    if len(key) < SHORTEST_KEY:
        raise SettingsError(f"QUIZPROP_SECRET_KEY: {len(key)} characters can be guessed; take 32 random ones")
    bank = config.get("PROBLEM_BANK")
    return {
        "DATABASE_URL": url,
        "SECRET_KEY": key,
        "PROBLEM_BANK": Path(bank) if bank else None,
        "SESSION_COOKIE_SECURE": bool(config.get("HTTPS")),
        "PREFERRED_URL_SCHEME": "https" if config.get("HTTPS") else "http",
    }


def default_database_url(environ: Mapping[str, str]) -> str:
    """The SQLite file in the user's data folder."""
    return f"sqlite:///{(data_folder(environ) / 'quizprop.sqlite').as_posix()}"


def data_folder(environ: Mapping[str, str]) -> Path:
    """Where this user's programs keep their data, by the custom of the system."""
    home = Path.home()
    if sys.platform == "win32":
        return Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "quizprop"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "quizprop"
    return Path(environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "quizprop"


def _kept_key(url: str) -> str:
    """The key in the file beside the SQLite database, made at the first start."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        return secrets.token_hex(32)  # opening the database will say what is wrong with its URL
    if parsed.drivername != "sqlite":
        raise SettingsError("QUIZPROP_SECRET_KEY: is missing, and PostgreSQL has no file to keep one beside; set it")
    if not parsed.database or not Path(parsed.database).is_absolute():
        return secrets.token_hex(32)
    path = Path(parsed.database + ".secret")
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _publish(secrets.token_hex(32), path)
    return path.read_text(encoding="ascii").strip()


def _publish(key: str, path: Path) -> None:
    """Write the key all at once, readable by its owner only; whoever starts at the same moment may be first."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(key)
            os.link(name, path)
        finally:
            Path(name).unlink()
    except FileExistsError:
        pass
    except OSError as error:  # of the file that was meant: no folder to write in, a full disk
        raise OSError(error.errno, error.strerror, str(path)) from error
