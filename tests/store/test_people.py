"""Sessions, accounts, and practice that outlives the step from one to the other."""

import hashlib

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text

from quizprop.store import api_tokens, people, practice
from quizprop.store.models import Account, LoginSession
from tests.store.conftest import NOW, SECOND, at_once, serve, submit, visit

PASSWORD = "correct horse"
HOUR = 3600 * SECOND
DAY = 24 * HOUR


@pytest.fixture(scope="module")
def password_hash():
    return people.hash_password(PASSWORD)


def find(database, token, now=NOW):
    with database.read() as session:
        return people.find_learner(session, token, now=now)


def add(database, username, password_hash):
    with database.write() as session:
        return people.add_user(session, username=username, password_hash=password_hash, now=NOW)


def verified(database, username, password=PASSWORD):
    with database.read() as session:
        credentials = people.find_credentials(session, username)
    return people.verify_password(credentials, password)


def practise(database, visitor):
    with database.write() as session:
        variant = serve(session, visitor.learner_id)
        submit(session, variant)
    return variant


def test_a_new_session_has_an_anonymous_learner_of_its_own(database):
    token, visitor = visit(database)
    _, other = visit(database)
    assert visitor.anonymous
    assert visitor.learner_id != other.learner_id
    assert find(database, token) == visitor


def test_who_reads_the_table_of_sessions_cannot_sign_in(database):
    token, _ = visit(database)
    with database.read() as session:
        (stored,) = session.execute(select(LoginSession))
    assert stored.token_sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert len(token) >= 43  # 256 bits
    assert find(database, stored.token_sha256) is None


@pytest.mark.parametrize("token", ["", "x", "\0", "\ud800", "ä" * 10_000])
def test_a_token_that_nobody_got_finds_nobody(database, token):
    assert find(database, token) is None


def test_a_revoked_session_finds_nobody(database):
    token, _ = visit(database)
    other, _ = visit(database)
    with database.write() as session:
        assert people.revoke_session(session, token, now=NOW)
        assert not people.revoke_session(session, token, now=NOW + 1)
    assert find(database, token) is None
    assert find(database, other) is not None


def test_revoking_all_sessions_ends_them_on_every_device_of_that_learner_only(database, password_hash):
    add(database, "ada", password_hash)
    other, _ = visit(database)
    proof = verified(database, "ada")
    with database.write() as session:
        tokens = [people.sign_in(session, proof, token=None, now=NOW) for _ in range(3)]
        learner_id = people.find_learner(session, tokens[0], now=NOW).learner_id
        assert people.revoke_all(session, learner_id, now=NOW) == 3
        assert people.revoke_all(session, learner_id, now=NOW) == 0
    assert [find(database, token) for token in tokens] == [None] * 3
    assert find(database, other) is not None


def test_a_session_in_use_lives_on_and_one_forgotten_for_400_days_ends(database):
    token, visitor = visit(database)
    assert not visitor.stale(NOW + HOUR - 1)
    assert visitor.stale(NOW + HOUR)
    with database.write() as session:
        people.touch_session(session, visitor, now=NOW + 300 * DAY)
        people.touch_session(session, visitor, now=NOW)  # a clock that goes back takes nothing away
    assert find(database, token, NOW + 600 * DAY).last_seen_at == NOW + 300 * DAY
    assert find(database, token, NOW + 700 * DAY) is None


def test_registering_keeps_the_practice_and_changes_the_token(database, password_hash):
    token, visitor = visit(database)
    variant = practise(database, visitor)
    with database.write() as session:
        fresh = people.register(session, token, username="Ada", password_hash=password_hash, now=NOW)
    assert find(database, token) is None
    registered = find(database, fresh)
    assert (registered.learner_id, registered.username, registered.anonymous) == (visitor.learner_id, "Ada", False)
    with database.read() as session:
        found = practice.find_variant(session, variant.token, learner_id=registered.learner_id)
        assert len(practice.submissions(session, found)) == 1


@pytest.mark.parametrize("token", [None, "unknown"])
def test_registering_without_a_session_starts_one(database, password_hash, token):
    with database.write() as session:
        fresh = people.register(session, token, username="Ada", password_hash=password_hash, now=NOW)
    assert find(database, fresh).username == "Ada"


def test_one_session_registers_once(database, password_hash):
    token, _ = visit(database)
    with database.write() as session:
        token = people.register(session, token, username="Ada", password_hash=password_hash, now=NOW)
    with pytest.raises(people.AlreadyRegisteredError, match="'Ada'"), database.write() as session:
        people.register(session, token, username="Bob", password_hash=password_hash, now=NOW)
    assert find(database, token).username == "Ada"


@pytest.mark.parametrize("same", ["ada", "ADA", " ada ", "\uff41\uff44\uff41", "ad\u034fa", "a\ufe0fda"])
def test_a_name_is_taken_in_all_its_spellings(database, password_hash, same):
    add(database, "Ada", password_hash)
    token, visitor = visit(database)
    with database.write() as session:
        with pytest.raises(people.UsernameTakenError, match="taken"):
            people.register(session, token, username=same, password_hash=password_hash, now=NOW)
        practice.progress(session, visitor.learner_id)  # the transaction goes on
    assert find(database, token).anonymous
    assert verified(database, same) is not None


def test_of_many_who_want_a_name_at_once_one_gets_it(database, password_hash):
    tokens = [visit(database)[0] for _ in range(8)]

    def register(number):
        try:
            with database.write() as session:
                return people.register(session, tokens[number], username="Ada", password_hash=password_hash, now=NOW)
        except people.UsernameTakenError:
            return None

    assert sum(token is not None for token in at_once(8, register)) == 1


def test_one_session_that_registers_twice_at_once_gets_one_account(database, password_hash):
    token, visitor = visit(database)

    def register(number):
        with database.write() as session:
            return people.register(session, token, username=f"Ada {number}", password_hash=password_hash, now=NOW)

    fresh = at_once(4, register)
    assert sum(find(database, each).learner_id == visitor.learner_id for each in fresh) == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "3 to 100 characters, not 0"),
        ("ab", "not 2"),
        ("  ab  ", "not 2"),
        ("\u3164\u3164\u3164", "not 0"),
        ("x" * 101, "not 101"),
        ("ab\0c", "U+0000"),
        ("ab\nc", "U+000A"),
        ("ab\u200bc", "U+200B"),
        ("ab\u202ec", "U+202E"),
        ("ab\ud800c", "U+D800"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused_with_the_rule(name, words):
    with pytest.raises(people.UsernameError) as refused:
        people.read_username(name)
    assert words in str(refused.value)


@pytest.mark.parametrize("name", ["ada", "Ada Lovelace", "Ærøskøbing", "李小龍", "O'Brien", "a@b.example", "x" * 40])
def test_a_name_of_visible_characters_is_kept(name):
    assert people.read_username(name) == name


@given(st.text())
def test_reading_a_name_twice_is_reading_it_once_and_folding_likewise(text):
    try:
        name = people.read_username(text)
    except people.UsernameError:
        return
    assert people.read_username(name) == name
    assert people.fold(people.fold(name)) == people.fold(name)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 1001])
def test_a_password_too_short_or_too_long_is_refused_with_the_rule(password):
    with pytest.raises(people.PasswordError, match=f"8 to 1000 characters, not {len(password)}"):
        people.hash_password(password)


@pytest.mark.parametrize("password", ["12345678", "x" * 1000, "\0" * 8, "pass\ud800word", "😀" * 8])
def test_any_other_password_is_taken_as_typed(database, password):
    add(database, "ada", people.hash_password(password))
    assert verified(database, "ada", password) is not None
    assert verified(database, "ada", password[:-1] + "?") is None
    assert verified(database, "ada", password + "x") is None


def test_a_password_is_the_same_from_every_keyboard(database):
    add(database, "ada", people.hash_password("gr\u00fc\u00dfe dich"))
    assert verified(database, "ada", "gru\u0308\u00dfe dich") is not None


def test_no_plain_password_is_stored(database, password_hash):
    add(database, "ada", password_hash)
    with database.read() as session:
        (account,) = session.execute(select(Account))
    assert account.password_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert PASSWORD not in account.password_hash


def test_an_unknown_name_costs_as_much_as_a_known_one():
    assert not people._HASHER.check_needs_rehash(people._DECOY)
    assert people.verify_password(None, PASSWORD) is None


@pytest.mark.parametrize("name", ["nobody", "", "\0\0\0", "\ud800\ud800\ud800", "x" * 10_000])
def test_an_unknown_name_has_no_credentials(database, name):
    with database.read() as session:
        assert people.find_credentials(session, name) is None


def test_signing_in_brings_the_anonymous_practice_along(database, password_hash):
    home = add(database, "ada", password_hash)
    token, visitor = visit(database)
    variant = practise(database, visitor)
    proof = verified(database, "ADA")
    with database.write() as session:
        fresh = people.sign_in(session, proof, token=token, now=NOW)
    assert find(database, token) is None
    assert find(database, fresh).learner_id == home
    with database.read() as session:
        found = practice.find_variant(session, variant.token, learner_id=home)
        assert len(practice.submissions(session, found)) == 1
        assert practice.find_variant(session, variant.token, learner_id=visitor.learner_id) is None


def test_signing_in_from_another_account_takes_nothing_of_it(database, password_hash):
    add(database, "ada", password_hash)
    token, _ = visit(database)
    with database.write() as session:
        token = people.register(session, token, username="Bob", password_hash=password_hash, now=NOW)
    bob = find(database, token)
    variant = practise(database, bob)
    proof = verified(database, "ada")
    with database.write() as session:
        fresh = people.sign_in(session, proof, token=token, now=NOW)
    assert find(database, token) is None
    with database.read() as session:
        assert practice.find_variant(session, variant.token, learner_id=bob.learner_id) is not None
        assert practice.progress(session, find(database, fresh).learner_id).exercises == ()


@pytest.mark.parametrize("token", [None, "unknown"])
def test_signing_in_without_a_session_starts_one(database, password_hash, token):
    home = add(database, "ada", password_hash)
    proof = verified(database, "ada")
    with database.write() as session:
        fresh = people.sign_in(session, proof, token=token, now=NOW)
    assert find(database, fresh).learner_id == home


def test_a_hash_of_weaker_parameters_is_renewed_at_the_next_sign_in(database):
    weak = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(PASSWORD)
    add(database, "ada", people.PasswordHash(weak))
    proof = verified(database, "ada")
    with database.write() as session:
        people.sign_in(session, proof, token=None, now=NOW)
    again = verified(database, "ada")
    assert again.renewed is None
    assert again.credentials.password_hash == proof.renewed != weak


def test_a_new_password_ends_all_sessions_and_sign_ins_under_way(database, password_hash):
    add(database, "ada", password_hash)
    proof = verified(database, "ada")
    with database.write() as session:
        token = people.sign_in(session, proof, token=None, now=NOW)
        people.set_password(session, username="Ada", password_hash=people.hash_password("battery staple"), now=NOW)
    assert find(database, token) is None
    with pytest.raises(people.StaleProofError), database.write() as session:
        people.sign_in(session, proof, token=None, now=NOW)
    assert verified(database, "ada") is None
    assert verified(database, "ada", "battery staple") is not None


def test_a_new_password_for_nobody_is_refused_with_the_name(database, password_hash):
    with pytest.raises(people.UnknownUserError, match="'nobody'"), database.write() as session:
        people.set_password(session, username="nobody", password_hash=password_hash, now=NOW)


def test_times_are_stored_to_the_microsecond(database):
    visit(database, now=NOW + 123_456)
    with database.read() as session:
        assert session.execute(text("SELECT created_at FROM learner")).scalar_one() == NOW + 123_456


def test_nobody_ends_the_session_or_the_token_of_somebody_else(database):
    (mine, me), (theirs, them) = visit(database), visit(database)
    with database.write() as session:
        for one in (me, them):
            api_tokens.issue(session, one.learner_id, name="script", scopes=("practice",), now=NOW)
        assert not people.end_session(session, them.session_id, learner_id=me.learner_id, now=NOW)
        (of_them,) = api_tokens.tokens_of(session, them.learner_id)
        assert not api_tokens.revoke(session, me.learner_id, of_them.id)
        people.revoke_all(session, me.learner_id, now=NOW)
        assert people.find_learner(session, mine, now=NOW) is None
        assert people.find_learner(session, theirs, now=NOW) == them
        assert api_tokens.tokens_of(session, me.learner_id) == ()
        assert api_tokens.tokens_of(session, them.learner_id) == (of_them,)


def test_an_account_has_as_many_tokens_as_it_may_whatever_others_have(database):
    me, them = visit(database)[1], visit(database)[1]
    with database.write() as session:
        for one in (me, them):
            for number in range(api_tokens.MOST):
                api_tokens.issue(session, one.learner_id, name=f"{number}", scopes=("practice",), now=NOW)
            with pytest.raises(api_tokens.TooManyTokensError):
                api_tokens.issue(session, one.learner_id, name="more", scopes=("practice",), now=NOW)
