"""Tokens by which programs come in: each with a name, what it may do, and no way back from the table to the token."""

import secrets
from dataclasses import dataclass
from typing import Final, Literal, get_args

from sqlalchemy import delete, func, insert, select, update

from quizprop.store.database import Session
from quizprop.store.models import Account, ApiToken, table
from quizprop.store.people import Visitor, sha256

__all__ = [
    "MOST",
    "SCOPES",
    "Scope",
    "StoredToken",
    "TooManyTokensError",
    "find_token",
    "issue",
    "note_use",
    "revoke",
    "tokens_of",
]

Scope = Literal["practice", "courses"]
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)

MOST: Final = 20
"""So many tokens an account may have."""

_PREFIX: Final = "qp_"
_MINUTE: Final = 60_000_000

_token, _account = table(ApiToken), table(Account)


class TooManyTokensError(ValueError):
    """The account has as many tokens as it may."""


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token as its owner may see it; ``scopes`` is what it may do."""

    id: int
    name: str
    scopes: tuple[str, ...]
    created_at: int
    last_used_at: int | None


def issue(session: Session, learner_id: int, *, name: str, scopes: tuple[Scope, ...], now: int) -> str:
    """A new token of an account. Returns it, 256 random bits; it is stored nowhere.

    Raises:
        TooManyTokensError: the account has as many as it may.
        ValueError: no scope, or one that there is not.
    """
    if not scopes or not set(scopes) <= set(SCOPES):
        raise ValueError(f"A token's scopes are some of {', '.join(SCOPES)}, not {scopes}")
    count = session.execute(select(func.count()).where(_token.c.learner_id == learner_id)).scalar_one()
    if count >= MOST:
        raise TooManyTokensError(f"An account has at most {MOST} tokens: delete one before")
    token = _PREFIX + secrets.token_urlsafe(32)
    row = {"learner_id": learner_id, "name": name, "scopes": " ".join(scopes), "created_at": now}
    session.execute(insert(_token).values(**row, token_sha256=sha256(token)))
    return token


def find_token(session: Session, token: str) -> tuple[Visitor, StoredToken] | None:
    """Who comes in by a token, and what it may do; None where it is unknown or deleted. Never writes."""
    if not token.startswith(_PREFIX) or not token.isascii() or len(token) > 100:
        return None
    row = session.execute(
        select(_token, _account.c.username)
        .join_from(_token, _account, _account.c.learner_id == _token.c.learner_id)
        .where(_token.c.token_sha256 == sha256(token))
    ).one_or_none()
    if row is None:
        return None
    # A program has no session that could grow stale.
    visitor = Visitor(row.learner_id, 0, row.username, 1 << 62)
    return visitor, StoredToken(row.id, row.name, tuple(row.scopes.split()), row.created_at, row.last_used_at)


def note_use(session: Session, stored: StoredToken, now: int) -> bool:
    """Note that a token is in use, at most once a minute. Returns whether it was noted."""
    if stored.last_used_at is not None and now - stored.last_used_at < _MINUTE:
        return False
    session.execute(update(_token).where(_token.c.id == stored.id).values(last_used_at=now))
    return True


def tokens_of(session: Session, learner_id: int) -> tuple[StoredToken, ...]:
    """An account's tokens, the newest first."""
    rows = session.execute(select(_token).where(_token.c.learner_id == learner_id).order_by(_token.c.id.desc()))
    return tuple(
        StoredToken(row.id, row.name, tuple(row.scopes.split()), row.created_at, row.last_used_at) for row in rows
    )


def revoke(session: Session, learner_id: int, token_id: int) -> bool:
    """Delete a token of an account: it lets nobody in any more. Returns whether there was one."""
    gone = delete(_token).where(_token.c.id == token_id, _token.c.learner_id == learner_id).returning(_token.c.id)
    return session.execute(gone).first() is not None
