"""Laws of reset links: one use, one day, one at a time."""

import hashlib

import pytest
from sqlalchemy import select

from quizprop.store import people, resets
from quizprop.store.models import ResetLink, Variant
from quizprop.store.people import PasswordHash
from tests.store.conftest import NOW, at_once, serve, visit


@pytest.fixture(scope="module")
def old_hash():
    return people.hash_password("correct horse")


@pytest.fixture(scope="module")
def new_hash():
    return people.hash_password("battery staple")


@pytest.fixture
def home(database, old_hash):
    with database.write() as session:
        return people.add_user(session, username="Ada", password_hash=old_hash, now=NOW)


def issue(database, **options):
    with database.write() as session:
        return resets.issue_reset_link(session, **{"username": "ADA", "now": NOW, **options})


def found(database, link, now=NOW):
    with database.read() as session:
        return resets.find_reset_link(session, link, now=now)


def use(database, link, new_hash, *, token=None, now=NOW):
    with database.write() as session:
        return resets.use_reset_link(session, link, password_hash=new_hash, token=token, now=now)


def stored_hash(database):
    with database.read() as session:
        return people.find_credentials(session, "ada").password_hash


def test_a_link_sets_the_password_once_and_signs_in(database, home, new_hash):
    link = issue(database)
    assert found(database, link) == "Ada"
    token = use(database, link, new_hash)
    with database.read() as session:
        assert people.find_learner(session, token, now=NOW).learner_id == home
    assert stored_hash(database) == new_hash
    assert found(database, link) is None
    with pytest.raises(resets.ResetLinkError, match="ask for a new link"):
        use(database, link, new_hash)


def test_looking_at_a_link_does_not_use_it_up(database, home):
    link = issue(database)
    assert [found(database, link) for _ in range(3)] == ["Ada"] * 3


def test_a_link_ends_after_its_time_and_by_the_next_one(database, home, old_hash, new_hash):
    link = issue(database, valid_for=10)
    assert (found(database, link, NOW + 9), found(database, link, NOW + 10)) == ("Ada", None)
    older, newer = issue(database), issue(database)
    assert (found(database, older), found(database, newer)) == (None, "Ada")
    for late, when in ((link, NOW + 10), (older, NOW)):
        with pytest.raises(resets.ResetLinkError):
            use(database, late, new_hash, now=when)
    assert stored_hash(database) == old_hash


def test_a_new_password_ends_the_links_made_before(database, home, new_hash):
    link = issue(database)
    with database.write() as session:
        people.set_password(session, username="ada", password_hash=new_hash, now=NOW)
    assert found(database, link) is None


def test_all_other_sessions_end_and_the_practice_of_this_browser_comes_along(database, home, new_hash):
    with database.write() as session:
        elsewhere = people.enter(session, home, token=None, now=NOW)
    here, visitor = visit(database)
    with database.write() as session:
        variant = serve(session, visitor.learner_id)
    fresh = use(database, issue(database), new_hash, token=here)
    with database.read() as session:
        assert [people.find_learner(session, token, now=NOW) for token in (elsewhere, here)] == [None, None]
        assert people.find_learner(session, fresh, now=NOW).learner_id == home
        owner = session.execute(select(Variant.learner_id).where(Variant.id == variant.id)).scalar_one()
    assert owner == home


def test_of_several_uses_at_once_one_counts(database, home, new_hash):
    link = issue(database)

    def attempt(_):
        try:
            return use(database, link, new_hash)
        except resets.ResetLinkError:
            return None

    assert sum(token is not None for token in at_once(4, attempt)) == 1


def test_of_several_links_made_at_once_one_works(database, home):
    links = at_once(4, lambda _: issue(database))
    assert sum(found(database, link) is not None for link in links) == 1


def test_who_reads_the_table_of_links_cannot_use_one(database, home):
    link = issue(database)
    with database.read() as session:
        (stored,) = session.execute(select(ResetLink))
    assert stored.token_sha256 == hashlib.sha256(link.encode()).hexdigest()
    assert found(database, stored.token_sha256) is None
    assert len(link) >= 43  # 256 bits


def test_a_link_for_nobody_is_refused_with_the_name(database):
    with pytest.raises(people.UnknownUserError, match="'nobody'"):
        issue(database, username="nobody")


@pytest.mark.parametrize("link", ["", "x", "\0", "\ud800"])
def test_a_link_that_nobody_made_finds_nobody(database, link):
    assert found(database, link) is None


def test_a_new_link_or_password_of_one_account_ends_no_link_of_another(database):
    with database.write() as session:
        for name in ("ada", "bob"):
            people.add_user(session, username=name, password_hash=PasswordHash("-"), now=NOW)
        kept = resets.issue_reset_link(session, username="bob", now=NOW)
        resets.issue_reset_link(session, username="ada", now=NOW + 1)
        people.set_password(session, username="ada", password_hash=PasswordHash("+"), now=NOW + 2)
        assert resets.find_reset_link(session, kept, now=NOW + 3) == "bob"


def test_all_sessions_end_but_the_one_that_goes_on(database):
    with database.write() as session:
        learner = people.add_user(session, username="ada", password_hash=PasswordHash("-"), now=NOW)
        kept, ended = (people.enter(session, learner, token=None, now=NOW) for _ in range(2))
        here = people.find_learner(session, kept, now=NOW)
        assert people.revoke_all(session, learner, now=NOW + 1, but=here.session_id) == 1
        assert people.find_learner(session, kept, now=NOW + 1) is not None
        assert people.find_learner(session, ended, now=NOW + 1) is None
