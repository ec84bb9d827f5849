"""How often something may be done: an allowance that fills up again, a row of the database for each.

It is the generic cell rate algorithm: ``burst`` times at once, then once every ``per`` microseconds. All that has to be
known is when the whole allowance will be there again, so an hour of quiet and no row at all are the same.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import BindParameter, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from quizprop.store.database import Session
from quizprop.store.models import RateLimit, table

__all__ = ["bucket", "give_back", "spend", "sweep"]

_INSERTS: Final[Mapping[str, Callable[..., Any]]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}

_limit = table(RateLimit)
_now: BindParameter[int] = bindparam("now")
_per: BindParameter[int] = bindparam("per")
_room: BindParameter[int] = bindparam("room")
_FULL_AT = case((_limit.c.free_at > _now, _limit.c.free_at), else_=_now) + _per
_FREE_AT = select(_limit.c.free_at).where(_limit.c.bucket == bindparam("name"))


def _spending(dialect: str) -> Any:  # noqa: ANN401 - an insert of either dialect
    """One statement that decides and writes: who comes at the same moment waits for its row, then sees what it left."""
    return (
        _INSERTS[dialect](_limit)
        .values(bucket=bindparam("name"), free_at=_now + _per)
        .on_conflict_do_update(
            index_elements=[_limit.c.bucket], set_={"free_at": _FULL_AT}, where=_now + _room >= _FULL_AT
        )
        .returning(_limit.c.free_at)
    )


_SPEND: Final = {dialect: _spending(dialect) for dialect in _INSERTS}


def bucket(*parts: object) -> str:
    """The name of an allowance, as in ``bucket("sign-in", "name", "ada")``. The table doesn't tell whose it is."""
    text = "|".join(str(part).replace("\\", r"\\").replace("|", r"\|") for part in parts)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def spend(session: Session, bucket: str, now: int, *, per: int, burst: int) -> int:
    """Take one from an allowance of ``burst`` that grows by one every ``per`` microseconds.

    Exact for any number of calls at the same moment: the row stays locked until the transaction ends. Refused, nothing
    is taken.

    Returns:
        0, or the microseconds until there is one to take.
    """
    keys = {"name": bucket, "now": now, "per": per, "room": per * burst}
    if session.execute(_SPEND[session.dialect.name], keys).first() is not None:
        return 0
    free_at: int = session.execute(_FREE_AT, {"name": bucket}).scalar_one()
    return free_at + per - per * burst - now


def give_back(session: Session, bucket: str, *, per: int) -> None:
    """Return what `spend` took: it was not one of those that are counted."""
    session.execute(update(_limit).where(_limit.c.bucket == bucket).values(free_at=_limit.c.free_at - per))


def sweep(session: Session, now: int, *, every: int) -> int:
    """Delete the rows of allowances that are whole again, at most once in ``every`` microseconds. Returns how many.

    A row that is being spent from is left alone: nobody waits for a sweep, and a sweep waits for nobody.
    """
    turn = bucket("sweep")
    due_at = session.execute(_FREE_AT, {"name": turn}).scalar_one_or_none()
    if (due_at is not None and due_at > now) or spend(session, turn, now, per=every, burst=1):
        return 0
    old = select(_limit.c.bucket).where(_limit.c.free_at < now).with_for_update(skip_locked=True)
    swept = delete(_limit).where(_limit.c.bucket.in_(old)).returning(_limit.c.bucket)
    return len(session.execute(swept).all())
