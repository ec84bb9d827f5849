"""Whose request it is in a course, and what they may do there."""

from collections.abc import Mapping
from typing import Final

from flask import abort

from quizprop.store import classroom
from quizprop.store.classroom import Seat
from quizprop.store.people import Visitor
from quizprop.web.languages import marked
from quizprop.web.state import database, visitor

__all__ = ["ROLE_WORDS", "member", "seeing_work", "take_seat", "teaching"]

ROLE_WORDS: Final[Mapping[str, str]] = {
    "student": marked("Student"),
    "grader": marked("Grader"),
    "instructor": marked("Instructor"),
}


def member() -> Visitor:
    """The visitor, who has an account; 404 for anybody else."""
    known = visitor()
    return abort(404) if known is None or known.anonymous else known


def take_seat(token: str) -> Seat:
    """The visitor's place in a course; 404 where they have none."""
    known = member()
    with database().read() as session:
        return classroom.take_seat(session, token, learner_id=known.learner_id) or abort(404)


def seeing_work(token: str) -> Seat:
    """The place of somebody who may see the students' work; 404 for anybody else."""
    seat = take_seat(token)
    return seat if seat.sees_work else abort(404)


def teaching(token: str) -> Seat:
    """The place of somebody who may change the course; 404 for anybody else."""
    seat = take_seat(token)
    return seat if seat.teaches else abort(404)
