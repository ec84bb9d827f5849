"""What is typed and not checked yet, and the hints that were opened.

A page saves its text every few seconds, and a sheet may be open twice: in two tabs, on a phone and a laptop. Each save
names the one that it builds on, and a save that builds on an older one is refused, so that the newest text stays. The
answer to a save may get lost: a page remembers the keys of the saves that it does not know of, and builds on each.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from quizprop.store.database import Session
from quizprop.store.models import Draft, HintUse, Variant, table
from quizprop.store.practice import StoredVariant, read_json, write_json

__all__ = [
    "StaleDraftError",
    "StoredDraft",
    "builds_on",
    "find_draft",
    "hints_used",
    "record_hint",
    "save_checked",
    "save_draft",
]

_variant, _draft, _hint = table(Variant), table(Draft), table(HintUse)


@dataclass(frozen=True, slots=True)
class StoredDraft:
    """A sheet as it was saved last. ``seq`` counts the saves from 1, ``save_key`` names this one."""

    seq: int
    save_key: str
    raw: Mapping[str, str]
    decimal_comma: bool
    saved_at: int


class StaleDraftError(RuntimeError):
    """Somewhere else the sheet was saved meanwhile: ``newer`` is what is there."""

    def __init__(self, newer: StoredDraft) -> None:
        super().__init__(f"The sheet was saved elsewhere meanwhile, save {newer.seq}.")
        self.newer = newer


_LOCK = select(_variant.c.id).where(_variant.c.id == bindparam("variant_id")).with_for_update()
_FIND = select(_draft.c.seq, _draft.c.save_key, _draft.c.raw, _draft.c.decimal_comma, _draft.c.saved_at).where(
    _draft.c.variant_id == bindparam("variant_id")
)
_ADD = insert(_draft)
_CHANGE = update(_draft).where(_draft.c.variant_id == bindparam("its_variant"))
_HINTS = select(_hint.c.key, _hint.c.rung).where(_hint.c.variant_id == bindparam("variant_id"))


def find_draft(session: Session, variant: StoredVariant) -> StoredDraft | None:
    """The newest text of a sheet; None where nothing was saved."""
    row = session.execute(_FIND, {"variant_id": variant.id}).one_or_none()
    if row is None:
        return None
    return StoredDraft(row.seq, row.save_key, read_json(row.raw), row.decimal_comma, row.saved_at)


def save_draft(
    session: Session,
    variant: StoredVariant,
    *,
    base: int,
    key: str,
    raw: Mapping[str, str],
    decimal_comma: bool,
    now: int,
    sent: Collection[str] = (),
) -> StoredDraft:
    """Keep what is typed.

    Args:
        session: within ``database.write()``.
        variant: whose sheet it is.
        base: the ``seq`` of the save that the page began with or made last; 0 where there was none.
        key: a name for this save. Sent again, because the answer got lost, it changes nothing.
        raw: the texts by cell.
        decimal_comma: how they are to be read.
        now: the moment.
        sent: the keys of the page's own saves since then, which may have arrived or not.

    Raises:
        StaleDraftError: the sheet was saved elsewhere after ``base``.
    """
    session.execute(_LOCK, {"variant_id": variant.id})
    stored = find_draft(session, variant)
    if stored is not None and stored.save_key == key:
        return stored
    if stored is not None and not builds_on(stored, base, sent):
        raise StaleDraftError(stored)
    return _put(session, variant, stored, StoredDraft((stored.seq if stored else 0) + 1, key, raw, decimal_comma, now))


def builds_on(stored: StoredDraft, base: int, sent: Collection[str]) -> bool:
    """Whether a page that began with the save ``base``, or ``sent`` some since, knows the text that is stored."""
    return stored.seq == base or stored.save_key in sent


def save_checked(
    session: Session,
    variant: StoredVariant,
    *,
    base: int,
    sent: Collection[str],
    checked: Collection[str],
    key: str,
    raw: Mapping[str, str],
    decimal_comma: bool,
    now: int,
) -> StoredDraft:
    """A sheet was checked: its text is the newest, unless newer text was saved elsewhere, which then stays.

    ``sent`` names the saves of the checked page whose answer it has not seen; ``checked`` are the keys of the checks
    before, whose text is kept with them. What stays counts as saved ``now``, after the check, so
    that it is shown again and not forgotten. The variant is held already, by `record_submission`.
    """
    stored = find_draft(session, variant)
    if stored is None or builds_on(stored, base, (*sent, *checked)) or stored.raw == raw:
        draft = StoredDraft((stored.seq if stored else 0) + 1, key, raw, decimal_comma, now)
    else:
        draft = StoredDraft(stored.seq, stored.save_key, stored.raw, stored.decimal_comma, now)
    return _put(session, variant, stored, draft)


def _put(session: Session, variant: StoredVariant, stored: StoredDraft | None, draft: StoredDraft) -> StoredDraft:
    row = {
        "seq": draft.seq,
        "save_key": draft.save_key,
        "raw": write_json(draft.raw),
        "decimal_comma": draft.decimal_comma,
        "saved_at": draft.saved_at,
    }
    if stored is None:
        session.execute(_ADD, {"variant_id": variant.id, **row})
    else:
        session.execute(_CHANGE, {"its_variant": variant.id, **row})
    return draft


def record_hint(session: Session, variant: StoredVariant, *, key: str, rung: int, now: int) -> None:
    """Note that a hint of a cell was opened; opened again, the first time counts."""
    session.execute(_LOCK, {"variant_id": variant.id})
    if hints_used(session, variant).get(key, 0) < rung:
        session.execute(insert(_hint).values(variant_id=variant.id, key=key, rung=rung, created_at=now))


def hints_used(session: Session, variant: StoredVariant) -> dict[str, int]:
    """The last rung opened, by cell."""
    used: dict[str, int] = {}
    for key, rung in session.execute(_HINTS, {"variant_id": variant.id}):
        used[key] = max(rung, used.get(key, 0))
    return used
