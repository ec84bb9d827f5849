"""Two tabs on one sheet, a network that repeats, and a clock that is set: what counts is what a simple model says."""

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from quizprop.store import drafts, practice, schema, sets
from quizprop.store.database import open_database
from quizprop.store.drafts import StaleDraftError
from quizprop.store.models import Submission, table
from quizprop.store.practice import NoAttemptsLeftError, SetClosedError
from tests.store.conftest import NOW, SECOND, submit, visit

ALLOWED = 3
OPENS, DUE = NOW, NOW + 100 * SECOND
TABS = st.integers(0, 1)
TEXTS = st.sampled_from(["", "0.3", "0.37", "0.3775", "é 🦆"])


class TwoTabs(RuleBasedStateMachine):
    """A sheet of a set with three attempts, open in two tabs."""

    template: Path
    """A database with its tables and nothing in them."""

    def __init__(self):
        super().__init__()
        self.file = self.template.with_name("one.db")
        shutil.copy(self.template, self.file)
        self.database = open_database(f"sqlite:///{self.file}")
        self.now = NOW
        self.made = 0

    @initialize()
    def begin(self):
        learner_id = visit(self.database)[1].learner_id
        with self.database.write() as session:
            item = [sets.NewItem("mazur", "{}", 1)]
            made = sets.create_set(
                session, title="Homework", items=item, opens_at=OPENS, due_at=DUE, attempts=ALLOWED, now=NOW
            )
            sets.assign(session, made, [learner_id], now=NOW)
            of = sets.open_set(session, made.token, learner_id=learner_id, now=NOW)
            values = {"seed": 7, "given": {"eta": 0.5}, "engine_version": "0.1.0"}
            self.sheet = sets.start_item(session, learner_id, of.items[0], now=NOW, **values)
        # The model: the newest text with its number, what each tab builds on and sent last, and what was accepted.
        self.newest = (0, None)
        self.bases = [0, 0]
        self.sent = [None, None]
        self.checked = {}
        self.last_check = [None, None]

    def key(self):
        self.made += 1
        return f"key-{self.made}"

    # --- what is typed is saved

    @rule(tab=TABS, text=TEXTS)
    def type(self, tab, text):
        self.sent[tab] = (self.bases[tab], self.key(), text)
        self.save(tab)

    @precondition(lambda self: any(self.sent))
    @rule(tab=TABS)
    def send_again(self, tab):
        """The answer was lost on its way: the page sends the same save once more."""
        if self.sent[tab]:
            self.save(tab)

    def save(self, tab):
        base, key, text = self.sent[tab]
        values = {"base": base, "key": key, "raw": {"z1[1]": text}, "decimal_comma": False, "now": self.now}
        made, refused = self.written(lambda session: drafts.save_draft(session, self.sheet, **values))
        if refused:
            # The tab is told what is newer, and the newer text stays.
            assert isinstance(refused, StaleDraftError)
            assert (refused.newer.seq, refused.newer.raw["z1[1]"]) == self.newest
            assert base != self.newest[0]
            return
        if base == self.newest[0]:
            self.newest = (base + 1, text)
        assert (made.seq, made.raw["z1[1]"]) == self.newest
        self.bases[tab] = made.seq

    def written(self, work):
        """What some work in a transaction returns, and by which rule it was refused."""
        try:
            with self.database.write() as session:
                return work(session), None
        except (StaleDraftError, SetClosedError, NoAttemptsLeftError) as refused:
            return None, refused

    @rule(tab=TABS)
    def load_the_page_again(self, tab):
        self.bases[tab], self.sent[tab] = self.newest[0], None

    # --- what is handed in counts once

    @rule(tab=TABS, text=TEXTS)
    def check(self, tab, text):
        self.last_check[tab] = (self.key(), text)
        self.hand_in(tab)

    @precondition(lambda self: any(self.last_check))
    @rule(tab=TABS)
    def check_again(self, tab):
        """A double click, a retry, a reload of the answer's page."""
        if self.last_check[tab]:
            self.hand_in(tab)

    def hand_in(self, tab):
        key, text = self.last_check[tab]
        values = {"raw": {"z1[1]": text}, "now": self.now}
        answer, refused = self.written(lambda session: submit(session, self.sheet, key, **values))
        if key not in self.checked and not OPENS <= self.now <= DUE:
            assert isinstance(refused, SetClosedError)
        elif key not in self.checked and len(self.checked) == ALLOWED:
            assert isinstance(refused, NoAttemptsLeftError)
        else:
            stored, fresh = answer
            assert fresh == (key not in self.checked)
            self.checked.setdefault(key, (len(self.checked) + 1, text))
            assert (stored.attempt, stored.raw["z1[1]"]) == self.checked[key]

    # --- the clock

    @rule(by=st.sampled_from([1, SECOND, 99 * SECOND, 100 * SECOND, -1, -SECOND, -3600 * SECOND]))
    def set_the_clock(self, by):
        self.now += by

    @rule(moment=st.sampled_from([OPENS - 1, OPENS, DUE - 1, DUE, DUE + 1]))
    def set_the_clock_to_an_edge(self, moment):
        self.now = moment

    # --- laws

    @invariant()
    def what_is_stored_is_what_was_accepted(self):
        if not hasattr(self, "sheet"):
            return
        submission = table(Submission)
        with self.database.read() as session:
            found = drafts.find_draft(session, self.sheet)
            rows = session.execute(select(submission.c.attempt, submission.c.raw).order_by(submission.c.attempt)).all()
        assert (found.seq, found.raw["z1[1]"]) == self.newest if found else self.newest == (0, None)
        stored = [(row.attempt, practice.read_json(row.raw)["z1[1]"]) for row in rows]
        assert stored == sorted(self.checked.values())
        assert len(stored) <= ALLOWED

    def teardown(self):
        self.database.close()
        for left in self.file.parent.glob("one.db*"):
            left.unlink()


@pytest.fixture
def template(tmp_path):
    database = open_database(f"sqlite:///{tmp_path}/tables.db")
    schema.upgrade(database)
    database.close()
    return tmp_path / "tables.db"


def test_repeats_count_once_a_stale_tab_overwrites_nothing_and_a_clock_that_is_set_gives_nothing(template):
    machine = type("Machine", (TwoTabs,), {"template": template})
    quick = settings(max_examples=40, stateful_step_count=25, suppress_health_check=[HealthCheck.too_slow])
    run_state_machine_as_test(machine, settings=quick)
