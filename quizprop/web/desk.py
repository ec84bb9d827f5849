"""A sheet on its desk: what the visitor has of it, how it is checked and kept, and the page that shows it."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import flask
from flask import abort, current_app, render_template, request
from markupsafe import Markup

from quizprop import __version__
from quizprop.exercise.conventions import conventions
from quizprop.exercise.credit import sheet_credit
from quizprop.exercise.grade import Grade, Verdict, grade
from quizprop.exercise.hint import RUNGS
from quizprop.exercise.instance import Instance
from quizprop.exercise.notation import NOTATIONS
from quizprop.store import drafts, learning
from quizprop.store import practice as records
from quizprop.store.database import Session
from quizprop.store.drafts import StoredDraft
from quizprop.store.practice import StoredSubmission, StoredVariant
from quizprop.store.sets import AssignedSet, Place, find_place
from quizprop.web import asked, feedback, limits, pictures, sheet, tutor
from quizprop.web.feedback import Feedback
from quizprop.web.forms import SentSheet
from quizprop.web.languages import decimal_comma, read_with_comma
from quizprop.web.sheet import Work
from quizprop.web.state import database, now, services, visitor

__all__ = [
    "Desk",
    "SheetNotYetError",
    "check_work",
    "may_work",
    "notation_of",
    "open_desk",
    "page",
    "pictures_page",
    "record",
    "scope",
    "typed",
]


@dataclass(frozen=True)
class Desk:
    """A visitor's variant with the submissions so far, what was typed last, and the hints opened.

    ``place`` is its item of a problem set, if it is worked for one.
    """

    variant: StoredVariant
    attempts: tuple[StoredSubmission, ...]
    draft: StoredDraft | None
    rungs: Mapping[str, int]
    place: Place | None = None

    @cached_property
    def instance(self) -> Instance:
        """The exercise with its numbers."""
        return sheet.instance_of(self.variant)

    @property
    def solved(self) -> bool:
        """Whether some submission got full marks, and this may be told."""
        return not self.withheld and any(attempt.share == 1 for attempt in self.attempts)

    @property
    def withheld(self) -> bool:
        """Whether its problem set does not tell yet how the attempts were graded."""
        return self.place is not None and self.place.of.withheld

    @property
    def ended(self) -> str:
        """Why the solution may be shown: ``solved``, ``given up``, ``used up``, or nothing."""
        if self.withheld:
            return ""
        if self.solved:
            return "solved"
        if self.variant.given_up_at is not None:
            return "given up"
        return "used up" if self.place is not None and self.place.used_up else ""

    @property
    def closed(self) -> bool:
        """Whether nothing is checked though no solution is shown: its set is past due or left, or tells nothing yet."""
        if self.place is None or self.ended:
            return False
        return self.place.of.left or self.place.of.past_due or (self.withheld and self.place.item.over)

    @property
    def hint_price(self) -> float | None:
        """What each hint takes from its value, a share; None where there are no hints."""
        return 0.0 if self.place is None else self.place.of.stored.policy.hint_price

    @property
    def last(self) -> StoredSubmission | None:
        """The latest attempt."""
        return self.attempts[-1] if self.attempts else None

    @property
    def pending(self) -> StoredDraft | None:
        """What was typed after the latest attempt and is not checked yet."""
        last, draft = self.last, self.draft
        if draft is None or self.ended or not any(text.strip() for text in draft.raw.values()):
            return None
        if last is not None and (
            last.created_at > draft.saved_at or (last.raw, last.decimal_comma) == (draft.raw, draft.decimal_comma)
        ):
            return None
        return draft

    def work(self, texts: Mapping[str, str] | None = None, *, decimal_comma: bool) -> Work:
        """Texts on a fresh page of this sheet, with the hints that are open."""
        seq = self.draft.seq if self.draft else 0
        return Work(texts or {}, decimal_comma, rungs=self.rungs, seq=seq, hinted=self.hint_price is not None)

    def same(self, work: Work) -> StoredSubmission | None:
        """The latest attempt with these very texts, read in the same way; None where there is none."""
        equal = (one for one in reversed(self.attempts) if one.raw == work.texts)
        return next((one for one in equal if one.decimal_comma == work.decimal_comma), None)

    def keeps(self, work: Work) -> bool:
        """Whether these very texts are stored: checked, or as what was typed last."""
        draft, written = self.draft, (work.texts, work.decimal_comma)
        return self.same(work) is not None or (draft is not None and (draft.raw, draft.decimal_comma) == written)

    def counted(self, work: Work, phase: str) -> StoredSubmission | None:
        """In a problem set, the attempt that a check would only repeat: sent twice, or the same text once more."""
        if self.place is None:
            return None
        key, same = submission_key(work, phase), self.same(work)
        if same is not None and not feedback.is_partial(same.marks):
            return same
        return next((one for one in self.attempts if one.key == key), None)

    def still_said(self, work: Work) -> dict[str, Feedback]:
        """What the latest check told the cells that are as they were, and all that they are computed from too."""
        last = self.last
        if last is None or self.withheld or last.decimal_comma != work.decimal_comma:
            return {}
        changed: set[str] = set()
        for cell in self.instance.cells:  # each after what it reads
            if last.raw.get(cell.key, "") != work.texts.get(cell.key, "") or not changed.isdisjoint(cell.depends_on):
                changed.add(cell.key)
        return {key: said for key, said in feedback.told(last.marks).items() if key not in changed}


class SheetNotYetError(Exception):
    """The problem set of a sheet is not open yet, or not begun, though the sheet was handed out: on paper, perhaps."""

    def __init__(self, of: AssignedSet) -> None:
        self.of = of
        super().__init__("The problem set of this sheet is not open yet, or not begun.")


# --- what a request brought ------------------------------------------------------------------------------------------


def open_desk(token: str) -> Desk:
    """The visitor's variant; 404 where there is none of this token, or it is somebody else's.

    403 where its problem set is open, but may not be worked from this address.

    Raises:
        SheetNotYetError: its learner is not to see it yet.
    """
    with database().read() as session:
        known = visitor() or abort(404)
        variant = records.find_variant(session, token, learner_id=known.learner_id) or abort(404)
        place = find_place(session, variant, now=now())
        if place is not None and not may_work(place.of):
            abort(403)
        if place is not None and place.of.too_early:
            raise SheetNotYetError(place.of)
        return Desk(
            variant,
            records.submissions(session, variant),
            drafts.find_draft(session, variant),
            drafts.hints_used(session, variant),
            place,
        )


def may_work(of: AssignedSet) -> bool:
    """Whether a problem set may be seen from the visitor's address."""
    return of.seen_from(request.remote_addr)


def typed(desk: Desk) -> Work:
    """What the request brought, its choice of decimal mark remembered."""
    form = SentSheet(request.form)
    if decimal_comma() != form.decimal_comma:
        flask.session["decimal_comma"] = form.decimal_comma
    texts, hinted = form.texts(cell.key for cell in desk.instance.cells), desk.hint_price is not None
    rungs, seq, sent = desk.rungs, form.base, form.sent_saves
    return Work(texts, form.decimal_comma, form.key, rungs=rungs, seq=seq, sent=sent, hinted=hinted)


def scope(desk: Desk, phase: str) -> Collection[str] | None:
    """The cells that the check of one phase judges: its own, and those judged before. None, all, for no phase."""
    own = {cell.key for cell in desk.instance.cells if cell.phase == phase}
    if not own:
        return None
    unchecked = Verdict.UNCHECKED.value
    return own.union(
        key for key, mark in (desk.last.marks if desk.last else {}).items() if mark["verdict"] != unchecked
    )


def next_rung(desk: Desk, key: str) -> int:
    """The hint of a cell that comes next; the last one where all are open."""
    return min(desk.rungs.get(key, 0) + 1, len(RUNGS))


# --- what is kept ---------------------------------------------------------------------------------------------------


def check_work(desk: Desk, work: Work, only: Collection[str] | None = None) -> Grade:
    """Grade what is typed."""
    return grade(desk.instance, work.texts, decimal_comma=work.decimal_comma, only=only)


def submission_key(work: Work, phase: str) -> str:
    """Names the sheet of paper and what is on it.

    Sent twice it counts once, but what was changed after the browser's Back is a new attempt, and so is the check of
    another phase.
    """
    content = json.dumps([work.key, phase, work.decimal_comma, work.texts], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


def record(
    session: Session, desk: Desk, work: Work, graded: Grade, phase: str = "", *, at: int | None = None
) -> StoredSubmission:
    """Keep a checked sheet, of this moment; of another one where work is replayed.

    Raises:
        VariantClosedError: it was given up.
        SetClosedError: its problem set is not open.
        NoAttemptsLeftError: its problem set allows no further attempt.
        TooOftenError: the learner checks more than anybody works; let the transaction roll back.
    """
    key, moment = submission_key(work, phase), now() if at is None else at
    learning.hold_learner(session, desk.variant.learner_id)
    # What is not told yet is not learned from either: the next exercise would give it away.
    tried = desk.withheld or (desk.place is not None and desk.place.of.terms.preview)
    found = (
        ()
        if tried
        else tutor.evidence(session, desk.variant, desk.instance, graded, attempts=desk.attempts, rungs=desk.rungs)
    )
    submission, fresh = records.record_submission(
        session,
        desk.variant,
        key=key,
        raw=work.texts,
        decimal_comma=work.decimal_comma,
        numbers={key: mark.reading.value for key, mark in graded.marks.items()},
        marks={key: feedback.write(mark) for key, mark in graded.marks.items()},
        points=graded.points,
        out_of=graded.out_of,
        engine_version=__version__,
        now=moment,
        evidence={one.key: one.outcome for one in found},
        credit=credit_of(desk, graded),
    )
    if fresh:
        if at is None:
            limits.take(session, moment, ("check, learner", desk.variant.learner_id))
        tutor.learn(session, desk.variant, desk.instance, found, moment)
        drafts.save_checked(
            session,
            desk.variant,
            base=work.seq,
            sent=work.sent,
            checked=[one.key for one in desk.attempts],
            key=key,
            raw=work.texts,
            decimal_comma=work.decimal_comma,
            now=moment,
        )
    return submission


def credit_of(desk: Desk, graded: Grade) -> float:
    """What a graded sheet is worth in time, by the rules of its problem set."""
    if desk.place is None:
        return graded.points / graded.out_of
    verdicts, policy = {key: mark.verdict for key, mark in graded.marks.items()}, desk.place.of.stored.policy
    price = policy.hint_price or 0.0
    return sheet_credit(verdicts, rungs=desk.rungs, follow_credit=policy.follow_credit, hint_price=price)


# --- the page -------------------------------------------------------------------------------------------------------


def notation_of(instance: Instance) -> str:
    """How this visitor has things named: as chosen last, else as the exercise says."""
    chosen: str = flask.session.get("notation", instance.exercise.notation)
    return "course" if instance.network is None and chosen != "plain" else chosen


def page(desk: Desk, work: Work, *, submission: StoredSubmission | None = None, message: str = "") -> str:
    """The page of a sheet."""
    read_with_comma(work.decimal_comma)
    instance = desk.instance
    notation = notation_of(instance)
    if desk.closed:
        work = replace(work, hinted=False)
    if submission is None:
        known, summary, first_error = {}, None, None
    else:
        known = sheet.stored_values(submission.numbers, work.feedback)
        summary = feedback.summarise(work.feedback, submission.points)
        first_error = summary.first_error
    shared = {
        "words": feedback.WORDS,
        "exercise": instance.exercise,
        "token": desk.variant.token,
        "attempt": submission,
        "attempts": desk.attempts,
        "pending": desk.pending if submission is None else None,
        "waiting": submission is not None and desk.pending is not None and desk.pending.raw != work.texts,
        "save_key": desk.draft.save_key if desk.draft else "",
        "ended": desk.ended,
        "message": message,
        "work": work,
        "unsaved": not (work.empty or desk.ended or desk.keeps(work)),
        "summary": summary,
        "notation": notation,
        # A lesson brings its own symbols: they or the keys.
        "notations": NOTATIONS
        if instance.network
        else tuple(one for one in NOTATIONS if one[0] in ("course", "plain")),
        "place": desk.place,
        "closed": desk.closed,
        "withheld": desk.withheld,
        "hint_price": desk.hint_price,
        "now": now(),
        "again": services().again(instance.exercise),
        "why": tutor.why(desk.variant),
    }
    if instance.questions:
        questions = asked.asks(instance, notation, work, ended=bool(desk.ended))
        shown, first = asked.worked(instance, work) if desk.ended else (work, None)
        names = {one.key: (one.id, one.name) for one in questions}
        about = _about(instance.as_sheet, notation, shown, first, known={}, ended=desk.ended)
        return render_template("practice/questions.html", **shared, **about, asks=questions, names=names)
    sections = sheet.sections(instance, notation, work)
    names = {entry.key: (entry.id, entry.symbol) for section in sections for entry in section.entries}
    about = _about(instance, notation, work, first_error, known=known, ended=desk.ended)
    filled = sum(section.filled for section in sections)
    return render_template("practice/sheet.html", **shared, **about, sections=sections, names=names, filled=filled)


@lru_cache(maxsize=256)
def _beside(look: sheet.Look) -> Mapping[str, Markup]:
    """What stands around the form and is alike whatever is typed into it."""
    worked: Any = current_app.jinja_env.get_template("practice/_worked.html").module
    return {
        "rules": worked.rules(conventions(look.instance, look.notation)),
        "numbers": worked.numbers(sheet.givens(look.instance, look.notation)),
    }


def _about(
    instance: Instance, notation: str, work: Work, first_error: str | None, *, known: Mapping[str, float], ended: str
) -> dict[str, Any]:
    """What a page tells of the numbers and, when the work is done, of the solution."""
    return {
        **sheet.kept(_beside, sheet.look_at(instance, notation)),
        # A lesson's graph is as long as its computation: it goes across the page.
        "across": instance.network is None,
        "diagram": sheet.diagram(instance, notation, instance.values if ended else known, done=bool(ended)),
        "ways": pictures.ways(instance, notation),
        "solution": sheet.solution(instance, notation, work, first_error) if ended else None,
        "pictured": bool(ended) and instance.network is not None,
    }


def pictures_page(desk: Desk) -> str:
    """The pictures of a sheet that has ended: a page of its own, for they take longer to draw than all the rest."""
    read_with_comma(desk.last.decimal_comma if desk.last else decimal_comma())
    instance, notation = desk.instance.as_sheet, notation_of(desk.instance)
    return render_template(
        "practice/pictures.html",
        exercise=desk.instance.exercise,
        token=desk.variant.token,
        flow=pictures.flow(instance, notation),
        graph=pictures.graph(instance, notation),
        future=pictures.future(instance, notation),
    )
