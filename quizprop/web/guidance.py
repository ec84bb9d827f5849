"""What to do next: the exercise that fits the learner best, or the same one with new numbers."""

import secrets

import numpy as np
from flask import Blueprint, abort, redirect, request, url_for
from flask.typing import ResponseReturnValue

from quizprop.exercise.generate import draw
from quizprop.store import learning
from quizprop.web import tutor
from quizprop.web.desk import open_desk
from quizprop.web.practice import hand_out
from quizprop.web.state import database, ensure_visitor, now, remember, services, visitor

__all__ = ["guidance"]

guidance = Blueprint("guidance", __name__)


@guidance.post("/next")
def next_for_me() -> ResponseReturnValue:
    """Hand out what the learner is to practise next; the sheet chosen last again, while nothing was done on it."""
    visitor()
    seed = secrets.randbits(128)
    rng, wanted = np.random.default_rng(seed), request.form.get("skill", "")
    if wanted and wanted not in services().skills:
        abort(404)
    with database().write() as session:
        learner, fresh = ensure_visitor(session)
        token = None if wanted else learning.untouched(session, learner.learner_id)
        choice = tutor.choose(session, learner.learner_id, rng=rng, now=now(), wanted=wanted) if token is None else None
    remember(fresh)
    if choice is not None:
        instance = draw(choice.form.of(services().bank[choice.slug]), np.random.default_rng(seed))
        with database().write() as session:
            # Sent twice, the other one may be there meanwhile.
            token = None if wanted else learning.untouched(session, learner.learner_id)
            token = token or hand_out(session, learner, instance, seed, aim=tutor.aim_of(choice)).token
    return redirect(url_for("practice.show_sheet", token=token), 303)


@guidance.post("/x/<token>/another")
def another(token: str) -> ResponseReturnValue:
    """The same kind of sheet with new numbers, as much of it filled in as on this one."""
    desk = open_desk(token)
    exercise = desk.instance.exercise
    # Outside of its set the same exercise, perhaps the course's own, would tell all that the set keeps back.
    if exercise.fixed or (desk.variant.set_item_id is not None and not desk.ended):
        abort(404)
    seed = secrets.randbits(128)
    instance = draw(exercise, np.random.default_rng(seed))
    with database().write() as session:
        learner, _ = ensure_visitor(session)
        variant = hand_out(session, learner, instance, seed, aim=desk.variant.aim)
    return redirect(url_for("practice.show_sheet", token=variant.token), 303)
