"""Who has seen any number of sheets knows nothing of the next one: chance is the system's, and it is all used."""

import ast
import random
from base64 import urlsafe_b64decode
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

import quizprop
from quizprop.store.models import Variant
from quizprop.web.limits import Limit

COUNT = 200
FAR = 6.5
"""Standard deviations: by chance one of all figures here is as far once in a million runs."""

HERE = Path(quizprop.__file__).parent
SOURCES = {"secrets.randbits(128)", "of.seed_for(item)"}
KNOWN_TO_ALL = {
    ("gallery.py", "_SEED"): "the samples of the gallery, which nobody is asked for",
    ("worksheets.py", "code.seed"): "the seed is on the paper: the code opens its numbers",
    ("worksheets.py", "seed"): "likewise",
    ("worksheets.py", "self.seed"): "likewise",
}


def bits(numbers):
    """The 128 bits of each number, a row a number."""
    return np.array([[number >> place & 1 for place in range(128)] for number in numbers], dtype=float)


def farthest(rows):
    """How many standard deviations the bit that is farthest from being a fair coin is off."""
    return np.abs(rows.sum(axis=0) - len(rows) / 2).max() / np.sqrt(len(rows) / 4)


def nearest(rows, others):
    """Of all pairs of bits, one of each, how strongly those most alike are tied, in standard deviations."""
    signs, other_signs = 2 * rows - 1, 2 * others - 1
    return np.abs(signs.T @ other_signs).max() / np.sqrt(len(rows))


@pytest.fixture
def handed_out(app, browser):
    """The seeds and the tokens of some sheets, in the order in which they were handed out."""
    app.config["LIMITS"] = {"sheet, learner": Limit(10_000, 0.001)}
    token = browser.csrf()
    for _ in range(COUNT):
        assert browser.client.post("/exercises/deltas/start", data={"csrf_token": token}).status_code == 303
    with browser.database.read() as session:
        rows = session.execute(select(Variant.seed, Variant.token).order_by(Variant.id)).all()
    return [int(row.seed, 16) for row in rows], [
        int.from_bytes(urlsafe_b64decode(row.token + "=" * (-len(row.token) % 4))) for row in rows
    ]


def test_seeds_are_128_fair_coins_and_tied_to_nothing_that_is_shown(handed_out):
    seeds, tokens = map(bits, handed_out)
    assert len(set(handed_out[0])) == len(set(handed_out[1])) == COUNT
    for rows in (seeds, tokens):
        assert farthest(rows) < FAR
        assert nearest(rows[1:], rows[:-1]) < FAR  # nor to those of the sheet before
    assert nearest(seeds, tokens) < FAR


def test_a_weak_source_would_be_found():
    counted = bits(range(2**127, 2**127 + COUNT))
    source = random.Random(20150317)
    short = bits(source.getrandbits(120) for _ in range(COUNT))
    told = bits(source.getrandbits(128) for _ in range(COUNT))
    assert farthest(counted) > FAR
    assert farthest(short) > FAR
    assert farthest(told) < FAR
    assert nearest(told, told[:, ::-1]) > FAR


@pytest.mark.parametrize(
    "path", sorted([*HERE.glob("web/**/*.py"), *HERE.glob("store/**/*.py")]), ids=lambda path: path.name
)
def test_the_site_draws_from_the_chance_of_the_system_alone(path):
    """No module has a random generator of its own, and what one is begun with comes from `secrets`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert "random" not in imported
    for scope in ast.walk(tree):
        if isinstance(scope, ast.FunctionDef):
            drawn = {
                target.id: ast.unparse(node.value)
                for node in ast.walk(scope)
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for call in ast.walk(scope):
                if isinstance(call, ast.Call) and ast.unparse(call.func).startswith(("np.random.", "numpy.random.")):
                    (seed,) = map(ast.unparse, call.args)
                    assert drawn.get(seed, seed) in SOURCES or (path.name, seed) in KNOWN_TO_ALL, ast.unparse(call)
