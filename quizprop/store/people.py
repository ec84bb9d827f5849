"""Who is there: learners, their sessions and their accounts.

Everyone who practises is a learner, at first without an account. To sign in takes three steps, because Argon2 takes its
time on purpose and nobody else's write should wait for it::

    with database.read() as session:
        credentials = find_credentials(session, username)
    proof = verify_password(credentials, password)      # slow, outside of any transaction
    if proof is not None:
        with database.write() as session:
            token = sign_in(session, proof, token=token, now=now)

A new account likewise: `hash_password` first, then `register` within ``database.write()``.
"""

import hashlib
import re
import secrets
import unicodedata
from dataclasses import dataclass
from typing import Any, NewType

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import bindparam, delete, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from quizprop.engine.words import phrase
from quizprop.store.claiming import claim_practice
from quizprop.store.database import Session
from quizprop.store.models import Account, ApiToken, Assignment, Learner, LoginSession, ResetLink, table

__all__ = [
    "AlreadyRegisteredError",
    "Credentials",
    "OpenSession",
    "PasswordError",
    "PasswordHash",
    "Proof",
    "StaleProofError",
    "UnknownUserError",
    "UsernameError",
    "UsernameTakenError",
    "Visitor",
    "add_user",
    "confirm",
    "end_session",
    "enter",
    "find_credentials",
    "find_learner",
    "fold",
    "hash_password",
    "open_sessions",
    "read_username",
    "register",
    "revoke_all",
    "revoke_session",
    "set_password",
    "set_preferences",
    "sha256",
    "sign_in",
    "start_session",
    "touch_session",
    "usernames",
    "verify_password",
    "void_reset_links",
]

_HOUR = 3_600_000_000
# As long as browsers keep a cookie at most.
_IDLE_LIMIT = 400 * 24 * _HOUR
# So long that the longest e-mail addresses of universities are names too.
_USERNAME_LENGTHS = (3, 100)
_PASSWORD_LENGTHS = (8, 1000)

_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
# The hash of a random text that nobody kept: an unknown name costs as much time as a known one.
_DECOY = "$argon2id$v=19$m=19456,t=2,p=1$drsXnENOEuqvANonj3CMpA$J18YEeWUT6rRVvZONY8Fqf9oFMUKs/ufyVQZjUW98xc"
# Letters and marks that take no room: with them, two names could look the same.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)

_learner, _account, _login, _link = table(Learner), table(Account), table(LoginSession), table(ResetLink)
_token = table(ApiToken)
_assignment = table(Assignment)


class UsernameError(ValueError):
    """The name can't be used; the message says what to change."""


class UsernameTakenError(UsernameError):
    """Somebody has this name, perhaps in other letters: ``Ada`` is ``ada``."""


class PasswordError(ValueError):
    """The password can't be used; the message says what to change."""


class AlreadyRegisteredError(ValueError):
    """The session belongs to an account already."""


class UnknownUserError(LookupError):
    """No account has this name."""


class StaleProofError(RuntimeError):
    """The password was changed after it was verified."""


PasswordHash = NewType("PasswordHash", str)
"""What `hash_password` returns; a type of its own, so that no plain password is stored by mistake."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """The learner behind a session's token. ``username`` is None without an account.

    ``language`` and ``time_zone`` are what the learner chose, on whatever device; None for what the browser says.
    ``has_sets`` tells whether a problem set was ever assigned to them.
    """

    learner_id: int
    session_id: int
    username: str | None
    last_seen_at: int
    language: str | None = None
    time_zone: str | None = None
    has_sets: bool = False

    @property
    def anonymous(self) -> bool:
        """Whether there is no account to come back to."""
        return self.username is None

    def stale(self, now: int) -> bool:
        """Whether it is time for `touch_session`: at most once an hour, so that a page view is not a write."""
        return now - self.last_seen_at >= _HOUR


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A browser in which a learner is signed in; ``device`` says which in a few words, where that is known."""

    id: int
    device: str | None
    created_at: int
    last_seen_at: int


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a typed password is compared with."""

    account_id: int
    learner_id: int
    password_hash: PasswordHash


@dataclass(frozen=True, slots=True)
class Proof:
    """That somebody knew the password of an account; ``renewed`` is its hash by today's parameters, if they changed."""

    credentials: Credentials
    renewed: PasswordHash | None


_VISITOR = (
    select(
        _login.c.learner_id,
        _login.c.id,
        _account.c.username,
        _login.c.last_seen_at,
        _learner.c.language,
        _learner.c.time_zone,
        exists().where(_assignment.c.learner_id == _login.c.learner_id).label("has_sets"),
    )
    .join_from(_login, _learner, _learner.c.id == _login.c.learner_id)
    .join(_account, _account.c.learner_id == _login.c.learner_id, isouter=True)
    .where(
        _login.c.token_sha256 == bindparam("sha256"),
        _login.c.revoked_at.is_(None),
        _login.c.last_seen_at > bindparam("oldest"),
    )
)
_VISITOR_LOCKED = _VISITOR.with_for_update(of=_login)
_TOUCH = (
    update(_login)
    .where(_login.c.id == bindparam("session_id"), _login.c.last_seen_at < bindparam("now"))
    .values(last_seen_at=bindparam("now"))
)
_CREDENTIALS = select(_account.c.id, _account.c.learner_id, _account.c.password_hash).where(
    _account.c.username_folded == bindparam("folded")
)


def start_session(session: Session, *, now: int, device: str | None = None) -> str:
    """A new anonymous learner's session. Returns its token, 256 random bits for the cookie; it is stored nowhere.

    ``device`` names the browser in a few words, for who looks up later where a session is open.
    """
    return _new_login(session, _new_learner(session, now), now, device)


def find_learner(session: Session, token: str, *, now: int) -> Visitor | None:
    """Who holds this token; None where it is unknown, revoked or was not seen for 400 days. Never writes."""
    row = session.execute(_VISITOR, _token_keys(token, now)).one_or_none()
    return None if row is None else Visitor(*row)


def touch_session(session: Session, visitor: Visitor, *, now: int) -> None:
    """Note that the session is in use. Ask `Visitor.stale` first whether it is worth a write."""
    session.execute(_TOUCH, {"session_id": visitor.session_id, "now": now})


def revoke_session(session: Session, token: str, *, now: int) -> bool:
    """End this session: sign out. Returns whether it was still alive."""
    ended = (
        update(_login)
        .where(_login.c.token_sha256 == sha256(token), _login.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(_login.c.id)
    )
    return session.execute(ended).first() is not None


def revoke_all(session: Session, learner_id: int, *, now: int, but: int | None = None) -> int:
    """End every session of a learner, on all devices; ``but`` is the id of one that goes on. Returns how many ended.

    Tokens of programs end too: who knew the password may have made one.
    """
    session.execute(delete(_token).where(_token.c.learner_id == learner_id))
    ended = (
        update(_login)
        .where(_login.c.learner_id == learner_id, _login.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(_login.c.id)
    )
    if but is not None:
        ended = ended.where(_login.c.id != but)
    return len(session.execute(ended).all())


def end_session(session: Session, session_id: int, *, learner_id: int, now: int) -> bool:
    """End the session of this id if it is the learner's. Returns whether one ended."""
    ended = (
        update(_login)
        .where(_login.c.id == session_id, _login.c.learner_id == learner_id, _login.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(_login.c.id)
    )
    return session.execute(ended).first() is not None


def open_sessions(session: Session, learner_id: int, *, now: int) -> tuple[OpenSession, ...]:
    """Where a learner is signed in, the session used last first."""
    found = (
        select(_login.c.id, _login.c.device, _login.c.created_at, _login.c.last_seen_at)
        .where(
            _login.c.learner_id == learner_id, _login.c.revoked_at.is_(None), _login.c.last_seen_at > now - _IDLE_LIMIT
        )
        .order_by(_login.c.last_seen_at.desc(), _login.c.id.desc())
    )
    return tuple(OpenSession(*row) for row in session.execute(found))


def set_preferences(session: Session, learner_id: int, **chosen: str | None) -> None:
    """Keep what a learner chose: ``language``, ``time_zone``, or both; None for what the browser says."""
    session.execute(update(_learner).where(_learner.c.id == learner_id).values(**chosen))


def read_username(text: str) -> str:
    """The name as it is stored and shown: composed (NFKC), with single spaces, without invisible letters.

    Raises:
        UsernameError: fewer than 3 or more than 100 characters, or one that can't be seen.
    """
    composed = unicodedata.normalize("NFKC", _INVISIBLE.sub("", unicodedata.normalize("NFKC", text))).strip()
    if not composed.isprintable():
        bad = next(letter for letter in composed if not letter.isprintable())
        raise UsernameError(
            phrase("A user name has visible characters only: leave out the character {code}.", code=f"U+{ord(bad):04X}")
        )
    name = " ".join(composed.split())
    shortest, longest = _USERNAME_LENGTHS
    if not shortest <= len(name) <= longest:
        raise UsernameError(
            phrase(
                "A user name has {shortest} to {longest} characters, not {length}.",
                shortest=shortest,
                longest=longest,
                length=len(name),
            )
        )
    return name


def hash_password(password: str) -> PasswordHash:
    """The Argon2id hash of a new password: 19 MiB, two passes. Slow on purpose: call it outside of any transaction.

    Raises:
        PasswordError: fewer than 8 or more than 1000 characters.
    """
    shortest, longest = _PASSWORD_LENGTHS
    if not shortest <= len(password) <= longest:
        raise PasswordError(
            phrase(
                "A password has {shortest} to {longest} characters, not {length}.",
                shortest=shortest,
                longest=longest,
                length=len(password),
            )
        )
    return PasswordHash(_HASHER.hash(_password_bytes(password)))


def register(
    session: Session,
    token: str | None,
    *,
    username: str,
    password_hash: PasswordHash,
    now: int,
    device: str | None = None,
) -> str:
    """Give the learner behind ``token`` an account, so that the practice so far is kept. Without one, a new learner.

    Returns:
        The token of a new session; all earlier ones of the learner end.

    Raises:
        UsernameError: the name can't be used; a `UsernameTakenError` where somebody has it.
        AlreadyRegisteredError: the session belongs to an account.
    """
    visitor = _lock_visitor(session, token, now)
    if visitor is not None and not visitor.anonymous:
        raise AlreadyRegisteredError(
            phrase("You are signed in as {name}: sign out to make another account.", name=repr(visitor.username))
        )
    learner_id = _new_learner(session, now) if visitor is None else visitor.learner_id
    _new_account(session, learner_id, username, password_hash, now)
    revoke_all(session, learner_id, now=now)
    return _new_login(session, learner_id, now, device)


def add_user(session: Session, *, username: str, password_hash: PasswordHash, now: int) -> int:
    """A new learner with an account, and no session. Returns the learner's id.

    Raises:
        UsernameError: the name can't be used; a `UsernameTakenError` where somebody has it.
    """
    learner_id = _new_learner(session, now)
    _new_account(session, learner_id, username, password_hash, now)
    return learner_id


def set_password(session: Session, *, username: str, password_hash: PasswordHash, now: int) -> None:
    """A new password for an account. All its sessions end: whoever knew the old one is out. So do its reset links.

    Raises:
        UnknownUserError: no account has this name.
    """
    credentials = find_credentials(session, username)
    if credentials is None:
        raise UnknownUserError(f"No user named {username!r}.")
    session.execute(update(_account).where(_account.c.id == credentials.account_id).values(password_hash=password_hash))
    void_reset_links(session, credentials.account_id, now=now)
    revoke_all(session, credentials.learner_id, now=now)


def void_reset_links(session: Session, account_id: int, *, now: int) -> None:
    """End the time of all links that would still set the account's password."""
    alive = (_link.c.account_id == account_id, _link.c.used_at.is_(None), _link.c.expires_at > now)
    session.execute(update(_link).where(*alive).values(expires_at=now))


def usernames(session: Session) -> tuple[tuple[str, int], ...]:
    """The names of all accounts with the moment each was made, in alphabetical order."""
    rows = session.execute(select(_account.c.username, _account.c.created_at).order_by(_account.c.username_folded))
    return tuple((row.username, row.created_at) for row in rows)


def find_credentials(session: Session, username: str) -> Credentials | None:
    """What to compare a typed password with; None for an unknown name, which `verify_password` takes as well."""
    try:
        folded = fold(read_username(username))
    except UsernameError:
        return None
    row = session.execute(_CREDENTIALS, {"folded": folded}).one_or_none()
    return None if row is None else Credentials(row[0], row[1], PasswordHash(row[2]))


def verify_password(credentials: Credentials | None, password: str) -> Proof | None:
    """Compare a typed password; None where it is wrong. Slow on purpose: call it outside of any transaction.

    An unknown name (``credentials`` None) takes as long as a known one.
    """
    typed = _password_bytes(password[: _PASSWORD_LENGTHS[1]])
    try:
        _HASHER.verify(_DECOY if credentials is None else credentials.password_hash, typed)
    except VerifyMismatchError:
        return None
    if credentials is None or len(password) > _PASSWORD_LENGTHS[1]:
        return None
    outdated = _HASHER.check_needs_rehash(credentials.password_hash)
    return Proof(credentials, PasswordHash(_HASHER.hash(typed)) if outdated else None)


def sign_in(session: Session, proof: Proof, *, token: str | None, now: int, device: str | None = None) -> str:
    """Start a session of the account. What an anonymous ``token`` practised moves to the account's learner.

    Returns:
        The new session's token; the session of ``token`` ends.

    Raises:
        StaleProofError: the password was changed meanwhile; ask for it again.
    """
    confirm(session, proof)
    return enter(session, proof.credentials.learner_id, token=token, now=now, device=device)


def confirm(session: Session, proof: Proof) -> None:
    """Hold the account until the transaction ends, its password still the one that was proved.

    Raises:
        StaleProofError: the password was changed meanwhile; ask for it again.
    """
    known = proof.credentials
    confirmed = (
        update(_account)
        .where(_account.c.id == known.account_id, _account.c.password_hash == known.password_hash)
        .values(password_hash=proof.renewed or known.password_hash)
        .returning(_account.c.id)
    )
    if session.execute(confirmed).first() is None:
        raise StaleProofError("The password was changed a moment ago: sign in with the new one.")


def enter(session: Session, learner_id: int, *, token: str | None, now: int, device: str | None = None) -> str:
    """Start a session of a learner who has shown to be the account's, as `sign_in` does after the password."""
    visitor = _lock_visitor(session, token, now)
    if token is not None and visitor is not None:
        revoke_session(session, token, now=now)
        if visitor.anonymous:
            claim_practice(session, visitor.learner_id, learner_id)
    return _new_login(session, learner_id, now, device)


def _lock_visitor(session: Session, token: str | None, now: int) -> Visitor | None:
    """As `find_learner`, and a second request with the same token waits until this one is through."""
    if token is None:
        return None
    row = session.execute(_VISITOR_LOCKED, _token_keys(token, now)).one_or_none()
    return None if row is None else Visitor(*row)


def _new_learner(session: Session, now: int) -> int:
    return int(session.execute(insert(_learner).values(created_at=now).returning(_learner.c.id)).scalar_one())


def _new_login(session: Session, learner_id: int, now: int, device: str | None) -> str:
    token = secrets.token_urlsafe(32)
    row = {"learner_id": learner_id, "token_sha256": sha256(token), "created_at": now, "last_seen_at": now}
    session.execute(insert(_login).values(**row, device=device))
    return token


def _new_account(session: Session, learner_id: int, username: str, password_hash: PasswordHash, now: int) -> None:
    name = read_username(username)
    account = insert(_account).values(
        learner_id=learner_id,
        username=name,
        username_folded=fold(name),
        password_hash=password_hash,
        created_at=now,
    )
    try:
        with session.begin_nested():  # PostgreSQL would refuse all that follows in a transaction with an error
            session.execute(account)
    except IntegrityError as error:
        raise UsernameTakenError(
            phrase("The user name {name} is taken: choose another one.", name=repr(name))
        ) from error


def fold(name: str) -> str:
    """What is the same for all spellings of a user name: of ``Ada`` and ``ada``."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())


def _password_bytes(password: str) -> bytes:
    # One keyboard sends ä as one character, another as a and two dots: both are the same password.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")


def sha256(token: str) -> str:
    """What is stored in place of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _token_keys(token: str, now: int) -> dict[str, Any]:
    return {"sha256": sha256(token), "oldest": now - _IDLE_LIMIT}
