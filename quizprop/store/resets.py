"""Links by which somebody who forgot the password sets a new one.

A link is made by whoever looks after the accounts and handed over in person: quizprop sends no mail. It works once, for
a time, and only until the next one is made.
"""

import secrets

from sqlalchemy import insert, select, update

from quizprop.store import people
from quizprop.store.database import Session
from quizprop.store.models import Account, ResetLink, table
from quizprop.store.people import PasswordHash, UnknownUserError, sha256

__all__ = ["DAY", "ResetLinkError", "find_reset_link", "issue_reset_link", "use_reset_link"]

DAY = 24 * 3_600_000_000

_account, _link = table(Account), table(ResetLink)


class ResetLinkError(LookupError):
    """The link is unknown, was used, was replaced by a newer one, or its time is over."""


def issue_reset_link(session: Session, *, username: str, now: int, valid_for: int = DAY) -> str:
    """A new link for the account of this name; those made before stop working.

    Returns:
        Its token, 256 random bits. It is stored nowhere: only its SHA-256 is.

    Raises:
        UnknownUserError: no account has this name.
    """
    credentials = people.find_credentials(session, username)
    if credentials is None:
        raise UnknownUserError(f"No user named {username!r}.")
    # Held, so that of two links made at the same moment only the later works.
    session.execute(select(_account.c.id).where(_account.c.id == credentials.account_id).with_for_update())
    people.void_reset_links(session, credentials.account_id, now=now)
    token = secrets.token_urlsafe(32)
    session.execute(
        insert(_link).values(
            account_id=credentials.account_id,
            token_sha256=sha256(token),
            created_at=now,
            expires_at=now + valid_for,
            used_at=None,
        )
    )
    return token


def find_reset_link(session: Session, token: str, *, now: int) -> str | None:
    """The user name that a link is for; None where it doesn't work, or not any more. Never writes."""
    name: str | None = session.execute(
        select(_account.c.username)
        .join_from(_account, _link)
        .where(_link.c.token_sha256 == sha256(token), _link.c.used_at.is_(None), _link.c.expires_at > now)
    ).scalar_one_or_none()
    return name


def use_reset_link(
    session: Session,
    link: str,
    *,
    password_hash: PasswordHash,
    token: str | None,
    now: int,
    device: str | None = None,
) -> str:
    """Set the password by a link, which is used up; all sessions of the account end, and a new one begins.

    ``token`` is that of the browser's session so far, as in `quizprop.store.people.sign_in`.

    Returns:
        The new session's token.

    Raises:
        ResetLinkError: the link doesn't work, or not any more.
    """
    # The account first, as whoever makes another link does: of the two one comes first.
    wanted = select(_link.c.account_id).where(_link.c.token_sha256 == sha256(link))
    session.execute(select(_account.c.id).where(_account.c.id.in_(wanted)).with_for_update()).all()
    used = (
        update(_link)
        .where(_link.c.token_sha256 == sha256(link), _link.c.used_at.is_(None), _link.c.expires_at > now)
        .values(used_at=now)
        .returning(_link.c.account_id)
    )
    account_id = session.execute(used).scalar_one_or_none()
    if account_id is None:
        raise ResetLinkError("This link was used, has expired or was replaced by a newer one: ask for a new link.")
    row = session.execute(select(_account.c.username, _account.c.learner_id).where(_account.c.id == account_id)).one()
    people.set_password(session, username=row.username, password_hash=password_hash, now=now)
    return people.enter(session, row.learner_id, token=token, now=now, device=device)
