"""The house: what the texts promise exists, and a first visitor is told what is missing."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from quizprop import __version__, cli
from tests.conftest import missing

ROOT = Path(__file__).resolve().parent.parent
TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")
COMMAND = re.compile(r"(?:^|`|\$ |, )quizprop ((?:[a-z-]+ ?)+)", re.MULTILINE)


def commands_in(text):
    """The commands that a text tells to type, in code only."""
    code = re.findall(r"```(?:sh|text)\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    return {found.strip() for block, inline in code for found in COMMAND.findall(f"`{block or inline}")}


def targets():
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.fixture
def make():
    return shutil.which("make") or missing("make", "apt-get install make")


@pytest.mark.parametrize("name", TEXTS)
def test_every_command_that_a_text_names_exists(name):
    for command in commands_in((ROOT / name).read_text(encoding="utf-8")):
        group = cli.main
        for word in command.split():
            if not hasattr(group, "commands"):
                break  # an argument: the name of an exercise
            assert word in group.commands, f"{name}: quizprop {command}"
            group = group.commands[word]


def test_the_readme_shows_the_commands():
    assert {"serve", "solve mazur", "bank list", "db upgrade"} <= commands_in((ROOT / "README.md").read_text())


@pytest.mark.parametrize("name", TEXTS)
def test_every_make_target_that_a_text_names_exists(name):
    assert set(re.findall(r"^make ([a-z]+)|`make ([a-z]+)", (ROOT / name).read_text(), re.MULTILINE)) <= {
        (target, "") for target in targets()
    } | {("", target) for target in targets()}


def test_make_explains_every_target(make):
    explained = subprocess.run([make], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"make (\w+) ", explained)) == targets() - {"help"}


def test_make_says_which_python_it_needs(make, tmp_path):
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    done = subprocess.run(
        [make, "serve"], cwd=tmp_path, env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "quizprop needs Python 3.11 or newer" in done.stderr
    assert "make PYTHON=/path/to/python3.11 serve" in done.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_changelog_tells_of_this_version():
    assert f"\n## {__version__} - " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_continuous_integration_runs_what_a_developer_runs():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    lines = script.read_text().splitlines()
    assert {"set -euo pipefail", "make test", "make lint"} <= set(lines)
    subprocess.run(["bash", "-n", str(script)], check=True)


def test_every_dependency_says_from_which_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = [
        project["project"]["dependencies"],
        project["dependency-groups"]["test"],
        project["dependency-groups"]["lint"],
    ]
    assert [each for group in groups for each in group if ">=" not in each] == []
